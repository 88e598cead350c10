package io.holdfast.broker.system;

import static io.holdfast.broker.system.support.RawNsqConnection.int32;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.limits.ConnectionMemory;
import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The memory budget: whatever clients do with a small heap, the broker lives and goes on. */
class MemorySystemTest {
  private static final int MB = 1 << 20;
  private static final int TOPICS = 100;
  private static final String EPH = "%23ephemeral";

  @BeforeEach
  void onlyHoldfast() {
    Reference.holdfastOnly("nsqd bounds neither names nor memory");
  }

  private static BrokerProcess withHeap(String heap, String... flags) {
    BrokerProcess broker = BrokerProcess.of(flags).withJvm("-Xmx" + heap);
    try {
      return broker.start();
    } catch (RuntimeException | Error e) {
      broker.close();
      throw e;
    }
  }

  private static JsonNode part(BrokerProcess broker, String name) {
    JsonNode part = broker.http().stats("").at("/memory_budget/parts/" + name);
    assertTrue(part.path("limit_bytes").asLong() > 0, part.toString());
    return part;
  }

  private static void assertWell(BrokerProcess broker) {
    try (RawNsqConnection conn = broker.connect()) {
      conn.pub("well", "x");
    }
    assertEquals(200, broker.http().get("/ping").status());
    assertFalse(broker.output().contains("OutOfMemory"), broker::output);
  }

  private static void create(BrokerProcess broker, String topic, String channel) {
    broker.http().post("/topic/create?topic=" + topic).expect(200, "");
    broker.http().post("/channel/create?topic=" + topic + "&channel=" + channel).expect(200, "");
  }

  private static void closeAll(List<? extends AutoCloseable> all) throws Exception {
    for (AutoCloseable one : all) {
      one.close();
    }
  }

  @Test
  void shouldRefuseLargeIdentify() throws Exception {
    try (BrokerProcess broker = withHeap("256m")) {
      String body = "{\"client_id\":\"" + "x".repeat(5 * MB - 100) + "\"}";
      List<AutoCloseable> conns = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        RawNsqConnection conn = broker.connect();
        conns.add(conn);
        conn.send("IDENTIFY\n" + int32(body.length()));
        conn.expectFatal("E_BAD_BODY IDENTIFY body too big " + body.length() + " > 65536");
      }
      assertWell(broker);
      closeAll(conns);
    }
  }

  @Test
  void shouldKeepNoMoreOfNamesThanIsOfUse() throws Exception {
    try (BrokerProcess broker = withHeap("64m")) {
      List<AutoCloseable> conns = new ArrayList<>();
      String name = "n".repeat(255) + "\ud83d\ude00" + "n".repeat(60_000);
      String body = "{\"client_id\":\"" + name + "\"}";
      byte[] utf8 = body.getBytes(StandardCharsets.UTF_8);
      for (int i = 0; i < 300; i++) {
        RawNsqConnection conn = broker.connect();
        conns.add(conn);
        conn.send("IDENTIFY\n" + int32(utf8.length)).send(utf8).expectOk();
      }
      try (RawNsqConnection conn = broker.connect()) {
        conn.send("IDENTIFY\n" + int32(utf8.length)).send(utf8).expectOk();
        conn.pub("t", "x");
        JsonNode producer = broker.http().stats("").at("/producers/0");
        assertEquals("n".repeat(255), producer.path("client_id").asText());
      }
      assertWell(broker);
      closeAll(conns);
    }
  }

  @Test
  void shouldRefuseConnectionsThatMemoryHasNoRoomFor() throws Exception {
    try (BrokerProcess broker = withHeap("64m")) {
      long limit = part(broker, "connections").path("limit_bytes").asLong();
      List<AutoCloseable> conns = new ArrayList<>();
      int most = (int) (limit / ConnectionMemory.BASE_BYTES) + 10;
      for (int i = 0; i < most; i++) {
        conns.add(broker.connectRaw());
      }
      Awaitility.await()
          .until(() -> broker.output().contains("memory budget, by the heap): refusing more"));
      // Whoever runs the broker can look and act all the same, on a connection of its own.
      HttpRequest look =
          HttpRequest.newBuilder(
                  URI.create("http://127.0.0.1:" + broker.httpPort() + "/stats?format=json"))
              .build();
      HttpResponse<String> seen =
          HttpClient.newHttpClient().send(look, HttpResponse.BodyHandlers.ofString());
      assertEquals(200, seen.statusCode(), seen.body());
      closeAll(conns);
      Awaitility.await()
          .ignoreExceptions()
          .until(
              () -> {
                assertWell(broker);
                return true;
              });
    }
  }

  @Test
  void shouldBoundHeadsOfRequests() throws Exception {
    try (BrokerProcess broker = withHeap("128m")) {
      List<AutoCloseable> conns = new ArrayList<>();
      String head = "GET /ping?x=" + "q".repeat(12_000) + " HTTP/1.1\r\nHost: a\r\n";
      String cookies = "Cookie: " + "c".repeat(30_000) + "\r\n";
      int refused = 0;
      for (int i = 0; i < 600; i++) {
        Socket http = new Socket(InetAddress.getLoopbackAddress(), broker.httpPort());
        conns.add(http);
        try {
          http.getOutputStream().write((head + cookies).getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
          refused++;
        }
      }
      assertTrue(refused < 600);
      closeAll(conns);
      Awaitility.await()
          .ignoreExceptions()
          .until(
              () -> {
                assertWell(broker);
                return true;
              });
    }
  }

  /** Publishes deferred messages of one byte by commands that are sent many at a time. */
  private static void publishDeferred(BrokerProcess broker, String topic, int count) {
    try (RawNsqConnection conn = broker.connect()) {
      String command = "DPUB " + topic + " 3600000\n" + int32(1) + "x";
      String commands = command.repeat(1000);
      for (int done = 0; done < count; done += 1000) {
        conn.send(commands);
        for (int i = 0; i < 1000; i++) {
          conn.expectOk();
        }
      }
    }
  }

  private static long deferred(BrokerProcess broker, String channel) {
    return broker.http().channel("t", channel).path("deferred_count").asLong();
  }

  @Test
  void shouldStartWithAsManyDeferredMessagesAsItHad() {
    try (BrokerProcess broker = withHeap("40m")) {
      create(broker, "t", "a");
      create(broker, "t", "b");
      publishDeferred(broker, "t", 40_000);
      JsonNode part = part(broker, "deferred");
      assertTrue(part.path("used_bytes").asLong() <= part.path("limit_bytes").asLong());
      long a = deferred(broker, "a");
      long b = deferred(broker, "b");
      assertTrue(a + b > 20_000 && a + b < 80_000, a + " and " + b);
      assertEquals(0, broker.terminate());
      broker.start();
      assertEquals(a, deferred(broker, "a"));
      assertEquals(b, deferred(broker, "b"));
      assertEquals(40_000 - a, broker.http().channel("t", "a").path("depth").asLong());
      broker.kill9();
      broker.start();
      assertEquals(a, deferred(broker, "a"));
      assertWell(broker);
      // What is ready behind them is delivered all the same.
      try (RawNsqConnection conn = broker.connect()) {
        conn.pub("other", "y");
        conn.line("SUB other c").expectOk().line("RDY 1");
        assertEquals("y", conn.message().text());
      }
    }
  }

  @Test
  void shouldHoldNoMoreThanASmallerHeapHasRoomForAfterARestart() {
    int count = 50_000;
    try (BrokerProcess broker = withHeap("256m")) {
      create(broker, "t", "a");
      create(broker, "t", "b");
      publishDeferred(broker, "t", count);
      assertEquals(count, deferred(broker, "a"));
      broker.kill9();
      broker.withJvm("-Xmx40m").start();
      JsonNode part = part(broker, "deferred");
      // Each channel has 128 in any case, of 56 bytes.
      long most = part.path("limit_bytes").asLong() + 2 * 128 * 56;
      assertTrue(part.path("used_bytes").asLong() <= most, part::toString);
      for (String channel : List.of("a", "b")) {
        long held = deferred(broker, channel);
        assertTrue(held > 0 && held < count, channel + " holds " + held);
        assertEquals(
            count - held, broker.http().channel("t", channel).path("depth").asLong(), channel);
      }
      assertWell(broker);
      assertEquals(0, broker.terminate());
      broker.withJvm("-Xmx256m").start();
      JsonNode b = broker.http().channel("t", "b");
      assertEquals(count, b.path("depth").asLong() + b.path("deferred_count").asLong());
      assertWell(broker);
    }
  }

  @Test
  void shouldFillMemoryQueuesNoFurtherThanMemoryGoes() {
    try (BrokerProcess broker = withHeap("64m", "--mem-queue-bytes=1000000000")) {
      for (int t = 0; t < 4; t++) {
        create(broker, "t" + t, "c");
        try (RawNsqConnection conn = broker.connect()) {
          String[] messages = new String[1000];
          Arrays.fill(messages, "x".repeat(1600));
          for (int i = 0; i < 10; i++) {
            conn.mpub("t" + t, messages);
          }
        }
      }
      JsonNode part = part(broker, "queues");
      assertTrue(part.path("used_bytes").asLong() <= part.path("limit_bytes").asLong());
      assertTrue(part.path("used_bytes").asLong() > part.path("limit_bytes").asLong() / 2);
      JsonNode last = broker.http().channel("t3", "c");
      assertEquals(10_000, last.path("depth").asLong());
      assertTrue(last.path("backend_depth").asLong() > 0);
      assertWell(broker);
    }
  }

  @Test
  void shouldHaveNoMoreInFlightThanMemoryGoes() {
    try (BrokerProcess broker = withHeap("64m")) {
      create(broker, "t", "c");
      List<RawNsqConnection> consumers = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        consumers.add(broker.subscribe("t", "c").line("RDY 2500"));
      }
      try (RawNsqConnection conn = broker.connect()) {
        String[] messages = new String[10_000];
        Arrays.fill(messages, "x");
        for (int i = 0; i < 8; i++) {
          conn.mpub("t", messages);
        }
      }
      long limit = part(broker, "in_flight").path("limit_bytes").asLong();
      broker
          .http()
          .awaitChannel("t", "c", c -> c.path("in_flight_count").asLong() > limit / 128 - 1000);
      long inFlight = broker.http().channel("t", "c").path("in_flight_count").asLong();
      assertTrue(inFlight <= limit / 128 + consumers.size(), inFlight + " in flight");
      // One more consumer gets one, and those that finish get more.
      try (RawNsqConnection late = broker.subscribe("t", "c").line("RDY 10")) {
        for (int i = 0; i < 20; i++) {
          late.fin(late.message());
        }
      }
      consumers.forEach(RawNsqConnection::close);
      broker.http().awaitChannelCount("t", "c", "in_flight_count", 0);
      assertWell(broker);
    }
  }

  @Test
  void shouldRefuseTopicsThatMemoryHasNoRoomFor() {
    try (BrokerProcess broker = withHeap("40m")) {
      JsonNode part = part(broker, "topics");
      long most = part.path("limit_bytes").asLong() / MemoryBudget.TOPIC_BYTES;
      int made = 0;
      while (made < TOPICS && broker.http().post("/topic/create?topic=t" + made).status() == 200) {
        made++;
      }
      // Ephemeral channels are made sooner, and take as much.
      int ephemeral = 0;
      while (made < most
          && broker
                  .http()
                  .post("/channel/create?topic=t" + ephemeral / 500 + "&channel=" + ephemeral + EPH)
                  .status()
              == 200) {
        ephemeral++;
        made++;
      }
      assertEquals(most, made);
      assertEquals(503, broker.http().post("/topic/create?topic=more").status());
      try (RawNsqConnection conn = broker.connect()) {
        conn.line("SUB more c")
            .expectFatal(
                "E_SUB_FAILED SUB failed topics and channels take their "
                    + part.path("limit_bytes").asLong()
                    + " bytes (memory budget, by the heap)");
      }
      // A topic's first channel is the only way to what it has.
      String last = "topic=t" + (TOPICS - 1);
      broker.http().post("/channel/create?" + last + "&channel=c").expect(200, "");
      assertEquals(503, broker.http().post("/channel/create?" + last + "&channel=d").status());
      broker.http().post("/topic/delete?" + last).expect(200, "");
      broker.http().post("/topic/create?topic=more").expect(200, "");
      assertEquals(0, broker.terminate());
      broker.start();
      assertEquals(
          TOPICS * MemoryBudget.TOPIC_BYTES, part(broker, "topics").path("used_bytes").asLong());
    }
  }

  @Test
  void shouldEndWhenMemoryRunsOutAllTheSame() {
    try (BrokerProcess broker = BrokerProcess.of().withJvm("-Xmx8m")) {
      broker.launch(List.of("--data-path=" + broker.dataPath(), "--tcp-address=127.0.0.1:0"));
      assertEquals(3, broker.awaitExit(Duration.ofMinutes(3)), broker::output);
      assertTrue(broker.stderr().contains("holdfast: out of memory, ending: raise -Xmx"));
    }
  }
}
