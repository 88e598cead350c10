package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.FakeClock;
import io.holdfast.broker.system.support.Frame;
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
