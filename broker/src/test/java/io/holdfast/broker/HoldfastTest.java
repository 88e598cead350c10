package io.holdfast.broker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A broker inside this JVM, as another program has it. */
class HoldfastTest {
  /** One per JVM each, of the libraries: they end by themselves or never. */
  private static final Set<String> LIBRARIES =
      Set.of("background~resource~releaser", "globalEventExecutor", "Common-Cleaner");

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir Path dir;

  private Path data(String name) throws IOException {
    return Files.createDirectories(dir.resolve(name));
  }

  private Holdfast.Builder broker(String name) throws IOException {
    return Holdfast.builder().dataPath(data(name)).option("event_loop_threads", "1");
  }

  private static void publish(Holdfast broker, String body) {
    try (RawNsqConnection conn = RawNsqConnection.open(broker.tcpAddress().getPort())) {
      conn.sendMagic().pub("t", body);
    }
  }

  private static String consume(Holdfast broker) {
    try (RawNsqConnection conn = RawNsqConnection.open(broker.tcpAddress().getPort())) {
      conn.sendMagic().line("SUB t c").expectOk();
      Frame.Msg message = conn.line("RDY 1").message();
      conn.fin(message).flushed();
      return message.text();
    }
  }

  private static Set<String> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> LIBRARIES.stream().noneMatch(thread.getName()::startsWith))
        .map(thread -> thread.getId() + " " + thread.getName())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Waits in this thread, which adds none. */
  private static void awaitNoneBut(Set<String> threads) {
    await()
        .pollInSameThread()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              Set<String> more = threads();
              more.removeAll(threads);
              assertEquals(Set.of(), more);
            });
  }

  @Test
  void shouldKeepMessagesFromOneBrokerToTheNext() throws IOException {
    try (Holdfast first = broker("a").build().start()) {
      publish(first, "kept");
    }
    try (Holdfast second = broker("a").build().start()) {
      assertEquals("kept", consume(second));
    }
  }

  @Test
  void shouldEndAllItsThreads() throws IOException {
    // What the first one in a JVM loads has threads of its own.
    broker("a").build().start().close();
    Set<String> before = threads();
    Holdfast broker = broker("a").httpAddress("127.0.0.1:0").build().start();
    publish(broker, "x");
    assertNotEquals(before, threads());
    broker.close();
    awaitNoneBut(before);
  }

  @Test
  void shouldRunBesideAnother() throws Exception {
    try (Holdfast one = broker("a").httpAddress("127.0.0.1:0").build().start();
        Holdfast two = broker("b").option("max_msg_size", "10").build().start()) {
      publish(one, "longer than 10 bytes");
      publish(two, "two");
      assertEquals("two", consume(two));
      assertEquals("longer than 10 bytes", consume(one));
      assertNull(two.httpAddress());
      URI ping = URI.create("http://127.0.0.1:" + one.httpAddress().getPort() + "/ping");
      assertEquals(
          "OK",
          HttpClient.newHttpClient()
              .send(HttpRequest.newBuilder(ping).build(), BodyHandlers.ofString(UTF_8))
              .body());
      two.close();
      publish(one, "still there");
    }
  }

  @Test
  void shouldRefuseBadOptionsInTheCommandsWords() throws IOException {
    Holdfast.Builder builder = broker("a");
    assertMessage(
        "unknown key \"mem_queue_sise\": did you mean mem_queue_size?",
        assertThrows(IllegalArgumentException.class, () -> builder.option("mem_queue_sise", "1")));
    assertMessage(
        "bad value \"many\" for mem_queue_size: accepted is ",
        assertThrows(
            IllegalArgumentException.class, () -> builder.option("mem_queue_size", "many")));
    assertMessage(
        "bad value \"-1\" for mem_queue_size: accepted is ",
        assertThrows(IllegalArgumentException.class, () -> builder.option("mem_queue_size", "-1")));
    Path none = dir.resolve("none");
    assertMessage(
        "bad value \"" + none + "\" for data_path: the directory does not exist",
        assertThrows(
            IllegalArgumentException.class, () -> Holdfast.builder().dataPath(none).build()));
  }

  private static void assertMessage(String expected, Exception actual) {
    assertTrue(actual.getMessage().startsWith(expected), actual.getMessage());
  }

  @Test
  void shouldLeaveNothingRunningWhenItCannotStart() throws IOException {
    broker("b").build().start().close();
    Set<String> before = threads();
    try (Holdfast holder = broker("a").build().start()) {
      IOException inUse = assertThrows(IOException.class, () -> broker("a").build().start());
      assertTrue(inUse.getMessage().contains("is in use by another broker"), inUse.getMessage());
      publish(holder, "x");
    }
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String address = "127.0.0.1:" + taken.getLocalPort();
      Holdfast broker = broker("b").tcpAddress(address).build();
      IOException refused = assertThrows(IOException.class, broker::start);
      assertTrue(refused.getMessage().contains(address), refused.getMessage());
      broker.close();
    }
    awaitNoneBut(before);
    // The data path is free again.
    broker("b").build().start().close();
  }

  @Test
  void shouldStartOnce() throws IOException {
    Holdfast broker = broker("a").build();
    assertThrows(IllegalStateException.class, broker::tcpAddress);
    assertSame(broker, broker.start());
    assertThrows(IllegalStateException.class, broker::start);
    broker.close();
    broker.close();
    assertThrows(IllegalStateException.class, broker::start);
  }

  @Test
  void shouldKeepWhatWasPublishedWhenKilled() throws IOException {
    Holdfast killed = broker("a").build().start();
    publish(killed, "kept");
    killed.kill();
    try (Holdfast next = broker("a").build().start()) {
      assertEquals("kept", consume(next));
    }
  }

  /** The JDK closes files under a thread that is interrupted, and waits for nothing there. */
  @Test
  void shouldStartAndEndInAThreadThatIsInterrupted() throws IOException {
    Thread.currentThread().interrupt();
    Holdfast killed = broker("a").build().start();
    assertTrue(Thread.interrupted());
    publish(killed, "kept");
    Thread.currentThread().interrupt();
    killed.kill();
    assertTrue(Thread.interrupted());
    Holdfast closed = broker("a").build().start();
    assertEquals("kept", consume(closed));
    Thread.currentThread().interrupt();
    closed.close();
    assertTrue(Thread.interrupted());
    broker("a").build().start().close();
  }
}
