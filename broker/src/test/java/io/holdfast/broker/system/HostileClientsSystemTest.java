package io.holdfast.broker.system;

import static io.holdfast.broker.system.support.RawNsqConnection.int32;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Clients that want to do harm, at a broker with the heap of the launcher: others go on. */
class HostileClientsSystemTest {
  private static final String[] LAUNCHER_JVM = {"-Xmx256m", "-XX:+ExitOnOutOfMemoryError"};
  private static final int MB = 1 << 20;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @BeforeEach
  void onlyHoldfast() {
    Reference.holdfastOnly("nsqd bounds neither memory nor names");
  }

  private static BrokerProcess small(String... flags) {
    BrokerProcess broker = BrokerProcess.of(flags).withJvm(LAUNCHER_JVM);
    try {
      return broker.start();
    } catch (RuntimeException | Error e) {
      broker.close();
      throw e;
    }
  }

  private static void closeAll(List<? extends AutoCloseable> all) throws Exception {
    for (AutoCloseable one : all) {
      one.close();
    }
  }

  private static void assertNoErrorLogged(BrokerProcess broker) {
    List<String> errors =
        broker
            .log()
            .lines()
            .filter(line -> line.contains(" ERROR: ") && !line.contains(" bad protocol magic "))
            .toList();
    assertEquals(List.of(), errors);
    assertFalse(broker.log().contains("OutOfMemory"));
  }

  @Test
  void shouldServeOthersWhileBodiesThatNeverComeAreClaimed() throws Exception {
    try (BrokerProcess broker = small()) {
      List<AutoCloseable> hostile = new ArrayList<>();
      String mostOfABody = int32(MB) + "x".repeat(MB / 2);
      for (int i = 0; i < 60; i++) {
        // Thirty bytes that once made the broker set 8 MB aside.
        hostile.add(broker.connect().send("IDENTIFY\n" + int32(5 * MB)));
      }
      for (int i = 0; i < 20; i++) {
        Socket http = new Socket(InetAddress.getLoopbackAddress(), broker.httpPort());
        String head =
            "POST /mpub?topic=t HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5242880\r\n\r\n";
        http.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
        hostile.add(http);
      }
      for (int i = 0; i < 10; i++) {
        RawNsqConnection conn = broker.connect();
        Thread sender = new Thread(() -> sendUntilClosed(conn, "PUB t\n" + mostOfABody));
        sender.setDaemon(true);
        sender.start();
        hostile.add(conn);
      }
      try (RawNsqConnection conn = broker.connect()) {
        conn.pub("small", "x".repeat(2000));
      }
      // Within its turn: those before it that send nothing lose theirs after a second.
      Awaitility.await()
          .atMost(PATIENCE)
          .ignoreExceptions()
          .until(
              () -> {
                try (RawNsqConnection conn = broker.connect()) {
                  conn.pub("large", "y".repeat(900_000));
                  return true;
                }
              });
      broker.http().post("/pub?topic=large", "z".repeat(900_000)).expect(200, "OK");
      assertTrue(broker.log().contains("(max-input-bytes)"));
      assertNoErrorLogged(broker);
      closeAll(hostile);
    }
  }

  private static void sendUntilClosed(RawNsqConnection conn, String bytes) {
    try {
      conn.send(bytes);
    } catch (java.io.UncheckedIOException e) {
      return; // cut off, as it may be
    }
  }

  @Test
  void shouldServeOthersWhileNobodyTakesMessages() throws Exception {
    try (BrokerProcess broker = small()) {
      broker.http().post("/topic/create?topic=t");
      broker.http().post("/channel/create?topic=t&channel=c");
      String body = "x".repeat(MB);
      try (RawNsqConnection conn = broker.connect()) {
        for (int i = 0; i < 150; i++) {
          conn.pub("t", body);
        }
      }
      List<AutoCloseable> hostile = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        hostile.add(broker.subscribe("t", "c").line("RDY 2500"));
      }
      try (RawNsqConnection conn = broker.subscribe("other", "c")) {
        conn.line("RDY 1");
        broker.http().post("/pub?topic=other", "hello").expect(200, "OK");
        assertEquals("hello", conn.message().text());
      }
      assertNoErrorLogged(broker);
      closeAll(hostile);
      broker.http().awaitChannelCount("t", "c", "in_flight_count", 0);
      assertEquals(150, broker.http().channel("t", "c").path("depth").asInt());
    }
  }

  @Test
  void shouldRefuseFloodsOfHeaders() throws Exception {
    try (BrokerProcess broker = small()) {
      List<Socket> hostile = new ArrayList<>();
      byte[] flood =
          ("GET /ping HTTP/1.1\r\nHost: a\r\n" + "a:\r\n".repeat(7000))
              .getBytes(StandardCharsets.US_ASCII);
      for (int i = 0; i < 200; i++) {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), broker.httpPort());
        hostile.add(socket);
        try {
          socket.getOutputStream().write(flood);
        } catch (SocketException e) {
          continue; // refused while it was still sending
        }
      }
      Http.Response refused =
          broker
              .http()
              .raw("GET /ping HTTP/1.1\r\nHost: a\r\n" + "a:\r\n".repeat(200) + "\r\n", false);
      assertEquals(431, refused.status());
      broker.http().get("/ping").expect(200, "OK");
      assertNoErrorLogged(broker);
      closeAll(hostile);
    }
  }

  private static int count(BrokerProcess broker, String what) throws IOException {
    try (Stream<Path> entries = Files.list(Path.of("/proc", String.valueOf(broker.pid()), what))) {
      return (int) entries.count();
    }
  }

  @Test
  void shouldLeaveNothingBehindAfterTenThousandConnections() throws Exception {
    try (BrokerProcess broker = small()) {
      String[] beginnings = {
        "  V2",
        "",
        "  V",
        "  V2PUB t\n\0\0",
        "  V2SUB t c\nRDY 5\n",
        "  V2SUB t e#ephemeral\nRDY 1\n",
        "  V2PUB t\n" + int32(20_000) + "begun",
        "  V2IDENTIFY\n"
            + RawNsqConnection.sized("{\"feature_negotiation\":true,\"deflate\":true}")
            + "\3\0",
        "  V2IDENTIFY\n"
            + RawNsqConnection.sized("{\"feature_negotiation\":true,\"snappy\":true}")
            + "\u00ff\6\0\0sNa",
        "GARBAGE"
      };
      churn(broker, beginnings, 500);
      awaitNobody(broker, Integer.MAX_VALUE);
      int descriptors = count(broker, "fd");
      int threads = count(broker, "task");
      churn(broker, beginnings, 10_000);
      awaitNobody(broker, descriptors + 4);
      assertTrue(count(broker, "task") <= threads + 4, "threads");
      try (RawNsqConnection conn = broker.connect()) {
        conn.pub("t", "after");
      }
      assertNoErrorLogged(broker);
    }
  }

  private static void churn(BrokerProcess broker, String[] beginnings, int times)
      throws IOException {
    for (int i = 0; i < times; i++) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), broker.tcpPort())) {
        byte[] bytes = beginnings[i % beginnings.length].getBytes(StandardCharsets.ISO_8859_1);
        socket.getOutputStream().write(bytes);
        if (i / beginnings.length % 2 == 0) {
          socket.setSoLinger(true, 0); // a reset instead of an orderly end
        }
      }
    }
  }

  private static void awaitNobody(BrokerProcess broker, int descriptors) {
    Awaitility.await("descriptors to be given back")
        .atMost(PATIENCE)
        .until(
            () ->
                broker.http().channel("t", "c").path("client_count").asInt() == 0
                    && broker.http().stats("").path("producers").isEmpty()
                    && count(broker, "fd") <= descriptors);
  }

  @Test
  void shouldKeepDescriptorsForFilesWhateverConnects() throws Exception {
    BrokerProcess limited = BrokerProcess.of().under("prlimit", "--nofile=120");
    try (BrokerProcess broker = limited.start();
        RawNsqConnection conn = broker.connect()) {
      conn.pub("before", "1");
      List<Socket> hostile = new ArrayList<>();
      for (int i = 0; i < 300; i++) {
        int port = i % 3 == 0 ? broker.httpPort() : broker.tcpPort();
        hostile.add(new Socket(InetAddress.getLoopbackAddress(), port));
      }
      // Those that are refused take a descriptor for a moment, and a burst of them can take the
      // last, which a new topic needs.
      Awaitility.await("the refused ones to be gone")
          .atMost(PATIENCE)
          .during(Duration.ofMillis(300))
          .until(() -> count(broker, "fd") < 100);
      conn.pub("before", "2").pub("new", "3");
      conn.line("SUB new c").expectOk();
      closeAll(hostile);
      Awaitility.await()
          .atMost(PATIENCE)
          .ignoreExceptions()
          .untilAsserted(() -> broker.http().get("/ping").expect(200, "OK"));
      try (RawNsqConnection again = broker.connect()) {
        again.pub("before", "4");
      }
      // That burst, again.
      List<String> errors =
          broker
              .log()
              .lines()
              .filter(line -> line.contains(" ERROR: ") && !line.contains(" bad protocol magic "))
              .toList();
      assertTrue(
          errors.size() <= 2 && errors.stream().allMatch(l -> l.contains("cannot accept")),
          errors::toString);
      assertEquals(
          1, broker.log().lines().filter(l -> l.contains("(max-connections): refusing")).count());
    }
  }

  @Test
  void shouldKeepAnyNameInsideTheDataPath() throws Exception {
    String longest = "n".repeat(64);
    List<String> names = List.of(".", "..", "a.b", "...", "-", "Foo", "foo", longest);
    try (BrokerProcess broker = small()) {
      try (RawNsqConnection conn = broker.connect()) {
        for (String name : names) {
          conn.pub(name, "of " + name);
        }
        conn.pub("e#ephemeral", "x");
      }
      for (String name : names) {
        assertEquals(
            200, broker.http().post("/channel/create?topic=" + name + "&channel=" + name).status());
      }
      for (String bad : List.of("..%2Fup", "a%2Fb", "%00", "x".repeat(65), "%2E%2E%2F%2E%2E")) {
        broker.http().post("/topic/create?topic=" + bad).expectError(400, "INVALID_TOPIC");
      }
      broker.kill9();
      broker.start();
      for (String name : names) {
        try (RawNsqConnection conn = broker.subscribe(name, name)) {
          assertEquals("of " + name, conn.line("RDY 1").message().text());
        }
      }
      assertTrue(broker.http().topic("e#ephemeral").isMissingNode());
      try (Stream<Path> home = Files.list(broker.home())) {
        assertEquals(
            List.of(),
            home.map(file -> file.getFileName().toString())
                .filter(name -> !name.matches("data|std(out|err)\\.[0-9]+"))
                .toList());
      }
      for (String name : names) {
        assertEquals(200, broker.http().post("/topic/delete?topic=" + name).status());
      }
      assertTrue(Files.isDirectory(broker.dataPath()));
    }
  }

  @Test
  void shouldBoundAFloodOfNames() {
    try (BrokerProcess broker = small("--max-topics=20", "--max-channels=5")) {
      try (RawNsqConnection conn = broker.connect()) {
        for (int i = 0; i < 20; i++) {
          conn.pub("flood" + i + (i % 2 == 0 ? "" : "#ephemeral"), "x");
        }
        broker.http().post("/topic/create?topic=more").expectError(503, "EXITING");
        broker.http().post("/pub?topic=more", "x").expectError(503, "EXITING");
        conn.pub("flood0", "y");
      }
      for (int i = 0; i < 5; i++) {
        assertEquals(
            200, broker.http().post("/channel/create?topic=flood0&channel=c" + i).status());
      }
      broker.http().post("/channel/create?topic=flood0&channel=c5").expectError(503, "EXITING");
      try (RawNsqConnection conn = broker.connect()) {
        conn.line("SUB flood0 c6#ephemeral")
            .expectFatal("E_SUB_FAILED SUB failed TOPIC(flood0) has its limit of 5 channels");
      }
      try (RawNsqConnection conn = broker.subscribe("flood0", "c0")) {
        conn.line("RDY 2");
        assertEquals(2, conn.messages(2).size());
      }
      assertNoErrorLogged(broker);
    }
  }
}
