package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.FakeClock;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clocks that are wrong, or set while the broker runs: they delay nothing and keep nothing. */
class ClockSystemTest {
  private static final Duration TWO_YEARS = Duration.ofDays(730);
  private static final Duration HOUR = Duration.ofHours(1);
  private static final int DELAY_MS = 5000;

  @TempDir Path dir;

  private static List<String> bodies(RawNsqConnection conn, int count) {
    return conn.messages(count).stream().map(Frame.Msg::text).sorted().toList();
  }

  @Test
  void shouldDeferNoLongerThanAskedForByWrongClock() {
    FakeClock clock = FakeClock.in(dir);
    clock.set(TWO_YEARS);
    try (BrokerProcess broker = BrokerProcess.of().under(clock.command()).start()) {
      try (RawNsqConnection conn = broker.subscribe("t", "c")) {
        conn.pub("t", "req").line("RDY 1");
        Frame.Msg message = conn.message();
        conn.line("REQ " + message.id() + " " + DELAY_MS).line("RDY 0");
        conn.command("DPUB t " + DELAY_MS, "held").expectOk();
        conn.command("DPUB kept " + DELAY_MS, "backend").expectOk();
      }
      broker.kill9();
      // Each next clock is behind the one before: with both endings of a process.
      clock.set(Duration.ZERO);
      broker.start();
      broker.terminate();
      clock.set(HOUR.negated());
      broker.start();
      try (RawNsqConnection conn = broker.subscribe("t", "c").line("RDY 10");
          RawNsqConnection kept = broker.subscribe("kept", "c").line("RDY 10")) {
        assertEquals(List.of("held", "req"), bodies(conn, 2));
        assertEquals(List.of("backend"), bodies(kept, 1));
      }
    }
  }

  @Test
  void shouldFollowClockThatIsSetAndMeasureDurationsWithoutIt() {
    FakeClock clock = FakeClock.in(dir);
    String[] flags = {
      "--e2e-processing-latency-percentile=1.0", "--e2e-processing-latency-window-time=1m"
    };
    try (BrokerProcess broker = BrokerProcess.of(flags).under(clock.command()).start();
        RawNsqConnection conn = broker.subscribe("t", "c").line("RDY 10")) {
      clock.set(HOUR);
      conn.pub("t", "ahead");
      Frame.Msg ahead = conn.message();
      clock.set(Duration.ZERO);
      conn.fin(ahead).pub("t", "right");
      Frame.Msg right = conn.message();
      assertTrue(right.id().compareTo(ahead.id()) > 0);
      assertNear(Instant.now().plus(HOUR), ahead);
      assertNear(Instant.now(), right);
      clock.set(HOUR.negated());
      conn.fin(right).pub("t", "behind");
      Frame.Msg behind = conn.message();
      assertNear(Instant.now().minus(HOUR), behind);
      clock.set(HOUR);
      conn.fin(behind).flushed();
      double maxNs =
          broker
              .http()
              .channel("t", "c")
              .path("e2e_processing_latency")
              .path("percentiles")
              .path(0)
              .path("value")
              .asDouble();
      assertTrue(maxNs > 0 && maxNs < Duration.ofMinutes(2).toNanos(), "" + maxNs);
      clock.set(HOUR.negated());
      String text = broker.http().get("/stats").body();
      assertTrue(text.contains("uptime ") && text.contains("connected: "), text);
      assertFalse(text.contains("uptime -"), text);
      assertFalse(text.contains("connected: -"), text);
    }
  }

  @Test
  void shouldLetNothingExpireOrGoByClockThatIsSet() {
    FakeClock clock = FakeClock.in(dir);
    String[] flags = {"--max-bytes-per-file=1mb"};
    try (BrokerProcess broker = BrokerProcess.of(flags).under(clock.command()).start()) {
      Http http = broker.http();
      http.post("/topic/create?topic=t").expect(200, "");
      http.post("/channel/create?topic=t&channel=c").expect(200, "");
      http.post("/topic/policy?topic=t", "{\"retain_for\":\"30m\"}");
      http.post("/channel/policy?topic=t&channel=c", "{\"message_ttl\":\"10m\"}");
      String filler = "b".repeat(500_000);
      for (int i = 0; i < 6; i++) {
        http.post("/pub?topic=t", i + filler).expect(200, "OK");
      }
      // An hour ahead, then right again: neither makes anything older than it is.
      clock.set(HOUR);
      try (RawNsqConnection conn = broker.subscribe("t", "c").line("RDY 3")) {
        conn.messages(3).forEach(conn::fin);
        clock.set(Duration.ZERO);
        conn.messages(3).forEach(conn::fin);
        conn.flushed();
      }
      assertEquals(0, http.channel("t", "c").path("expired_count").asInt());
      clock.set(HOUR.negated());
      http.post("/pub?topic=t", "behind").expect(200, "OK");
      clock.set(HOUR);
      assertEquals(7, rewind(http).path("ready").asInt());
      try (RawNsqConnection conn = broker.subscribe("t", "c").line("RDY 10")) {
        List<Frame.Msg> again = conn.messages(6);
        assertEquals("012345", String.join("", again.stream().map(m -> first(m)).toList()));
        again.forEach(conn::fin);
        conn.flushed();
      }
      // That one bears a time an hour ago, and lives no longer than its time says.
      http.awaitChannelCount("t", "c", "expired_count", 1);
    }
  }

  private static String first(Frame.Msg message) {
    return message.text().substring(0, 1);
  }

  private static JsonNode rewind(Http http) {
    return http.post("/channel/rewind?topic=t&channel=c&to=start").json();
  }

  private static void assertNear(Instant expected, Frame.Msg message) {
    long ns = message.timestampNs();
    Duration difference = Duration.between(Instant.ofEpochSecond(0, ns), expected).abs();
    assertTrue(difference.compareTo(Duration.ofMinutes(2)) < 0, "differs by " + difference);
  }

  @Test
  void shouldRemoveFinishedFileThatClaimsToBeOfTheFuture() throws IOException {
    try (BrokerProcess broker =
            BrokerProcess.started("--max-bytes-per-file=1mb", "--retention=1s");
        RawNsqConnection conn = broker.subscribe("t", "c")) {
      String body = "b".repeat(500_000);
      for (int i = 0; i < 6; i++) {
        conn.pub("t", body);
      }
      Path oldest = broker.dataPath().resolve("topics/t/journal/19700101-000001.cq4");
      assertTrue(Files.exists(oldest));
      // As a clock would have left it that was ahead when the file was written.
      Files.setLastModifiedTime(oldest, FileTime.from(Instant.now().plus(TWO_YEARS)));
      conn.line("RDY 10").messages(6).forEach(conn::fin);
      Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> !Files.exists(oldest));
      try (Stream<Path> files = Files.list(oldest.getParent())) {
        assertTrue(files.findAny().isPresent());
      }
    }
  }
}
