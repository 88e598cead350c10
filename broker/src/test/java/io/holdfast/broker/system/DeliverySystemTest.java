package io.holdfast.broker.system;

import static io.holdfast.broker.system.support.RawNsqConnection.int32;
import static io.holdfast.broker.system.support.RawNsqConnection.millisSince;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.ConcurrentTest;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** Contract §1.5, §1.6 and §3: heartbeats, deadlines, RDY, timeouts, the message frame. */
class DeliverySystemTest {
  /**
   * How late a timeout or deferral may be: nsqd looks at new channels only every 5 s. Generous on a
   * busy machine.
   */
  private static final int LATE_MS = Reference.isHoldfast() ? 1500 : 5600;

  private static BrokerProcess broker;
  private static BrokerProcess limited;

  @BeforeAll
  static void start() {
    broker = BrokerProcess.started();
    limited =
        BrokerProcess.started(
            "--max-rdy-count=10",
            "--msg-timeout=2s",
            "--max-msg-timeout=3s",
            "--max-req-timeout=1500ms",
            "--max-channel-consumers=1",
            "--max-msg-size=1000",
            "--max-body-size=5004");
  }

  @AfterAll
  static void stop() {
    broker.close();
    limited.close();
  }

  private static RawNsqConnection subscribe(String json, String topic) {
    RawNsqConnection conn = broker.connect();
    assertEquals("OK", conn.identify(json));
    return conn.line("SUB " + topic + " ch").expectOk();
  }

  private static void assertBetween(long low, long high, long actual) {
    assertTrue(actual >= low && actual <= high, () -> actual + " not in " + low + ".." + high);
  }

  // ---- §1.5

  @ConcurrentTest
  void shouldSendHeartbeatsWhenIdle() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.identify("{\"heartbeat_interval\":1000}");
      long start = System.nanoTime();
      for (int beat = 1; beat <= 4; beat++) {
        Frame frame = conn.poll(Duration.ofSeconds(5));
        assertNotNull(frame);
        assertTrue(frame.isHeartbeat(), frame::toString);
        assertBetween(beat * 1000 - 800, beat * 1000 + LATE_MS, millisSince(start));
        conn.line("NOP");
      }
      conn.expectAlive();
    }
  }

  @ConcurrentTest
  void shouldSendHeartbeatsOnBusyConnectionsAndCountAnyCommand() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.identify("{\"heartbeat_interval\":1000}");
      long start = System.nanoTime();
      int beats = 0;
      while (millisSince(start) < 3500) {
        conn.command("PUB busy#ephemeral", "x");
        for (Frame f = conn.poll(Duration.ofSeconds(5));
            f.isHeartbeat();
            f = conn.poll(Duration.ofSeconds(5))) {
          beats++;
        }
      }
      assertBetween(1, 4, beats);
    }
  }

  @ConcurrentTest
  void shouldCloseSilentlyWhenHeartbeatsAreNotAnswered() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.identify("{\"heartbeat_interval\":1000}");
      long start = System.nanoTime();
      conn.expectClosed();
      assertBetween(1500, 3200 + LATE_MS, millisSince(start));
    }
  }

  /**
   * nsqd says E_BAD_MESSAGE before it closes, the contract speaks of no error frame: both are
   * accepted.
   */
  @ConcurrentTest
  void shouldCloseWhenBodyDoesNotArriveInTime() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.identify("{\"heartbeat_interval\":1000}");
      long start = System.nanoTime();
      conn.send("PUB stalled\n" + int32(100) + "half");
      Frame frame = conn.pollFrame(Duration.ofMillis(1700));
      assertEquals(null, frame);
      byte[] rest = conn.readToEnd();
      assertBetween(1500, 3200 + LATE_MS, millisSince(start));
      assertTrue(rest.length < 200, () -> "unexpected: " + RawNsqConnection.latin1(rest));
    }
    assertEquals(0, broker.http().topic("stalled").path("message_count").asInt(0));
  }

  /** Half of the clients send meanwhile, the others answer heartbeats and so have nothing to. */
  @ConcurrentTest
  void shouldHoldNothingAgainstClientsThatHappenedWhileItWasStopped() throws Exception {
    Reference.holdfastOnly("nsqd closes them");
    List<RawNsqConnection> conns = new ArrayList<>();
    try (BrokerProcess stopped = BrokerProcess.started()) {
      for (int i = 0; i < 20; i++) {
        RawNsqConnection conn = stopped.connect();
        conn.identify("{\"heartbeat_interval\":1000}");
        conns.add(conn);
      }
      stopped.signal("STOP");
      for (int i = 0; i < 25; i++) {
        Thread.sleep(100); // is the time that is not to count
        conns.subList(0, 10).forEach(conn -> conn.line("NOP"));
      }
      stopped.signal("CONT");
      for (int beat = 0; beat < 3; beat++) {
        for (RawNsqConnection conn : conns) {
          Frame frame = conn.poll(Duration.ofSeconds(5));
          assertTrue(frame != null && frame.isHeartbeat(), () -> "no heartbeat: " + frame);
          conn.line("NOP");
        }
      }
      // Who is really gone is still noticed.
      conns.get(0).expectClosed();
    } finally {
      conns.forEach(RawNsqConnection::close);
    }
  }

  @ConcurrentTest
  void shouldSendNothingAndWaitForeverWithoutHeartbeats() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.identify("{\"heartbeat_interval\":-1}");
      assertEquals(null, conn.poll(Duration.ofMillis(2600)));
      conn.expectAlive();
    }
  }

  @ConcurrentTest
  void shouldKeepFirstHeartbeatIntervalOverSecondIdentify() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.identify("{\"heartbeat_interval\":1000}");
      conn.identify("{\"heartbeat_interval\":60000}");
      Frame frame = conn.poll(Duration.ofSeconds(3));
      assertTrue(frame != null && frame.isHeartbeat(), () -> "no heartbeat: " + frame);
    }
  }

  @ConcurrentTest
  void shouldSendHeartbeatsWhenClosing() {
    try (RawNsqConnection conn = subscribe("{\"heartbeat_interval\":1000}", "beat-closing")) {
      assertEquals("CLOSE_WAIT", conn.line("CLS").expectResponse());
      for (int beat = 0; beat < 3; beat++) {
        assertTrue(conn.poll(Duration.ofSeconds(5)).isHeartbeat());
        conn.line("NOP");
      }
      conn.expectAlive();
    }
  }

  // ---- §3

  @ConcurrentTest
  void shouldFrameMessages() {
    try (RawNsqConnection conn = broker.subscribe("frame", "ch");
        RawNsqConnection other = broker.subscribe("frame", "other")) {
      Instant before = Instant.now();
      conn.pub("frame", "one").pub("frame", "\0\n\u00ff").line("RDY 2");
      other.line("RDY 2");
      Set<String> ids = new HashSet<>();
      for (Frame.Msg message : conn.messages(2)) {
        assertEquals(1, message.attempts());
        assertTrue(message.id().matches("[0-9a-f]{16}"), message.id());
        Instant published = Instant.EPOCH.plus(message.timestampNs(), ChronoUnit.NANOS);
        assertBetween(-50, 5000, Duration.between(before, published).toMillis());
        ids.add(message.id() + message.text() + message.timestampNs());
      }
      assertEquals(2, ids.size());
      for (Frame.Msg message : other.messages(2)) {
        assertTrue(
            ids.contains(message.id() + message.text() + message.timestampNs()),
            "every channel sees the same id and timestamp");
      }
    }
  }

  @ConcurrentTest
  void shouldCountAttemptsPerChannelAndKeepIdAndTimestamp() {
    try (RawNsqConnection conn = broker.subscribe("attempts", "ch");
        RawNsqConnection other = broker.subscribe("attempts", "other")) {
      conn.pub("attempts", "x").line("RDY 1");
      Frame.Msg first = conn.message();
      Frame.Msg message = first;
      for (int attempt = 2; attempt < 30; attempt++) {
        conn.line("REQ " + message.id() + " 0");
        message = conn.message();
        assertEquals(attempt, message.attempts());
        assertEquals(first.id() + first.timestampNs(), message.id() + message.timestampNs());
      }
      other.line("RDY 1");
      assertEquals(1, other.message().attempts());
    }
  }

  @ConcurrentTest
  void shouldIssueDistinctIds() {
    String[] batch = new String[2000];
    Arrays.fill(batch, "x");
    Set<String> ids = new HashSet<>();
    try (RawNsqConnection conn = broker.subscribe("ids", "ch")) {
      conn.mpub("ids", batch).mpub("ids", batch).line("RDY 2500");
      for (int i = 0; i < 4000; i++) {
        Frame.Msg message = conn.message();
        ids.add(message.id());
        conn.fin(message);
      }
    }
    assertEquals(4000, ids.size());
  }

  // ---- §1.6

  @ConcurrentTest
  void shouldTreatRdyAsLevel() {
    Duration quiet = Duration.ofMillis(500);
    try (RawNsqConnection conn = broker.subscribe("rdy-level", "ch")) {
      conn.mpub("rdy-level", "1", "2", "3", "4", "5", "6").expectSilence(quiet).line("RDY 2");
      List<Frame.Msg> two = conn.messages(2);
      conn.expectSilence(quiet);
      Frame.Msg third = conn.fin(two.get(0)).message();
      conn.expectSilence(quiet).line("RDY 2").expectSilence(quiet);
      conn.line("RDY 1").fin(third).expectSilence(quiet);
      conn.line("RDY 0").fin(two.get(1)).expectSilence(quiet);
      conn.line("RDY 3");
      List<Frame.Msg> rest = conn.messages(3);
      conn.expectSilence(quiet);
      rest.forEach(conn::fin);
      broker.http().awaitChannel("rdy-level", "ch", c -> c.path("in_flight_count").asInt(-1) == 0);
      assertEquals(
          6, broker.http().channel("rdy-level", "ch").at("/clients/0/finish_count").asInt());
    }
  }

  @ConcurrentTest
  void shouldFreeSlotByRequeueAndTimeout() {
    try (RawNsqConnection conn = subscribe("{\"msg_timeout\":1000}", "slot")) {
      conn.mpub("slot", "1", "2").line("RDY 1");
      Frame.Msg first = conn.message();
      conn.line("REQ " + first.id() + " 60000");
      Frame.Msg second = conn.message();
      assertNotEquals(first.id(), second.id());
      Frame.Msg again = conn.message();
      assertEquals(second.id() + " 2", again.id() + " " + again.attempts());
    }
  }

  @ConcurrentTest
  void shouldRedeliverAfterMsgTimeout() {
    try (RawNsqConnection conn = subscribe("{\"msg_timeout\":1000}", "timeout")) {
      conn.pub("timeout", "x").line("RDY 1");
      Frame.Msg message = conn.message();
      for (int attempt = 2; attempt <= 3; attempt++) {
        long start = System.nanoTime();
        Frame.Msg again = conn.message();
        assertBetween(600, 1000 + LATE_MS, millisSince(start));
        assertEquals(message.id() + " " + attempt, again.id() + " " + again.attempts());
      }
      conn.fin(message).expectAlive();
      assertEquals(2, broker.http().channel("timeout", "ch").path("timeout_count").asInt());
      assertEquals(0, broker.http().channel("timeout", "ch").path("requeue_count").asInt());
    }
  }

  @ConcurrentTest
  void shouldRefuseLateFinish() {
    try (RawNsqConnection conn = subscribe("{\"msg_timeout\":1000}", "late")) {
      conn.pub("late", "x").line("RDY 1");
      Frame.Msg message = conn.message();
      conn.line("RDY 0");
      broker.http().awaitChannel("late", "ch", c -> c.path("timeout_count").asInt() == 1);
      conn.fin(message)
          .expectError("E_FIN_FAILED FIN " + message.id() + " failed ID not in flight");
      conn.line("RDY 1");
      assertEquals(2, conn.message().attempts());
    }
  }

  @ConcurrentTest
  void shouldUseServersMsgTimeoutByDefault() {
    try (RawNsqConnection conn = limited.subscribe("default-timeout", "ch")) {
      conn.pub("default-timeout", "x").line("RDY 1");
      Frame.Msg message = conn.message();
      long start = System.nanoTime();
      assertEquals(message.id(), conn.message().id());
      assertBetween(1500, 2000 + LATE_MS, millisSince(start));
    }
  }

  @ConcurrentTest
  void shouldExtendTimeoutByTouch() {
    try (RawNsqConnection conn = subscribe("{\"msg_timeout\":1500}", "touch")) {
      conn.pub("touch", "x").line("RDY 1");
      Frame.Msg message = conn.message();
      for (int i = 0; i < 4; i++) {
        conn.expectSilence(Duration.ofMillis(800)).line("TOUCH " + message.id());
      }
      conn.flushed();
      long start = System.nanoTime();
      assertEquals(2, conn.message().attempts());
      assertBetween(1000, 1500 + LATE_MS, millisSince(start));
    }
  }

  @ConcurrentTest
  void shouldCapTouchAtMaxMsgTimeout() {
    try (RawNsqConnection conn = limited.subscribe("touch-cap", "ch")) {
      conn.pub("touch-cap", "x").line("RDY 1");
      Frame.Msg message = conn.message();
      long start = System.nanoTime();
      for (int i = 0; i < 5; i++) {
        conn.expectSilence(Duration.ofMillis(500)).line("TOUCH " + message.id());
      }
      assertEquals(2, conn.message().attempts());
      // Without the cap it would be 4000 and more.
      assertBetween(2400, 3900, millisSince(start));
    }
  }

  @ConcurrentTest
  void shouldClampRequeueDelay() {
    try (RawNsqConnection conn = limited.subscribe("req-clamp", "ch")) {
      conn.pub("req-clamp", "x").line("RDY 1");
      Frame.Msg message = conn.message();
      long start = System.nanoTime();
      conn.line("REQ " + message.id() + " 3600000");
      assertEquals(2, conn.message().attempts());
      assertBetween(1000, 1500 + LATE_MS, millisSince(start));
      start = System.nanoTime();
      conn.line("REQ " + message.id() + " 9223372036854775807");
      assertEquals(3, conn.message().attempts());
      assertBetween(0, 1000 + LATE_MS, millisSince(start));
    }
  }

  @ConcurrentTest
  void shouldEnforceLimits() {
    try (RawNsqConnection first = limited.subscribe("limits", "ch");
        RawNsqConnection second = limited.connect();
        RawNsqConnection third = limited.connect()) {
      second
          .line("SUB limits ch")
          .expectFatal("E_SUB_FAILED SUB failed consumers for limits:ch exceeds limit of 1");
      first
          .line("RDY 10")
          .expectAlive()
          .line("RDY 11")
          .expectFatal("E_INVALID RDY count 11 out of range 0-10");
      third.pub("limits", "m".repeat(1000));
      third
          .send("MPUB limits\n" + int32(5004) + RawNsqConnection.batch("m".repeat(1000)))
          .expectOk();
      third
          .send("PUB limits\n" + int32(1001))
          .expectFatal("E_BAD_MESSAGE PUB message too big 1001 > 1000");
    }
    String[][] rows = {
      {"DPUB limits 1501", "E_INVALID DPUB timeout 1501 out of range 0-1500"},
      {"MPUB limits\n" + int32(5005), "E_BAD_BODY MPUB body too big 5005 > 5004"},
      {"MPUB limits\n" + int32(9) + int32(1001), "E_BAD_BODY MPUB invalid message count 1001"},
      {
        "MPUB limits\n" + int32(9) + int32(1000) + int32(1001),
        "E_BAD_MESSAGE MPUB message too big 1001 > 1000"
      }
    };
    for (String[] row : rows) {
      try (RawNsqConnection conn = limited.connect()) {
        conn.line(row[0]).expectFatal(row[1]);
      }
    }
  }

  @ConcurrentTest
  void shouldStopDeliveryAfterCls() {
    try (RawNsqConnection conn = broker.subscribe("cls-stop", "ch")) {
      conn.line("RDY 5").pub("cls-stop", "1");
      Frame.Msg message = conn.message();
      assertEquals("CLOSE_WAIT", conn.line("CLS").expectResponse());
      conn.pub("cls-stop", "2").line("RDY 5").fin(message).expectSilence(Duration.ofMillis(700));
      assertEquals(1, broker.http().channel("cls-stop", "ch").path("depth").asInt());
    }
  }

  @ConcurrentTest
  void shouldSample() {
    String[] batch = new String[1000];
    Arrays.fill(batch, "x");
    try (RawNsqConnection conn = broker.connect()) {
      conn.identify("{\"sample_rate\":30}");
      conn.line("SUB sample ch").expectOk();
      conn.mpub("sample", batch).mpub("sample", batch).mpub("sample", batch).line("RDY 2500");
      int received = 0;
      for (Frame f = conn.pollFrame(Duration.ofSeconds(3));
          f != null;
          f = conn.pollFrame(Duration.ofSeconds(1))) {
        conn.fin(f.message());
        received++;
      }
      assertBetween(780, 1050, received); // 900 expected (nsqd: 930), sigma 25
      broker.http().awaitChannel("sample", "ch", c -> c.path("in_flight_count").asInt() == 0);
      assertEquals(0, broker.http().channel("sample", "ch").path("depth").asInt());
    }
  }
}
