package io.holdfast.broker.cluster.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Tests of {@link PeersLog}. */
final class PeersLogTest {
  @Test
  void theSameIsSaidOnceAMinute() {
    Logger logger = (Logger) LoggerFactory.getLogger(Peers.class);
    ListAppender<ILoggingEvent> appender = new ListAppender<>();
    appender.start();
    logger.addAppender(appender);
    try {
      AtomicLong nowNs = new AtomicLong(-5);
      PeersLog log = new PeersLog(nowNs::get);
      for (int second = 0; second < 125; second++) {
        log.refused("b", "b at x", "why");
        log.refused("b", "b from z", "why");
        log.refused(null, "connection from y", "noise " + second);
        nowNs.addAndGet(TimeUnit.SECONDS.toNanos(1));
      }
      List<String> lines = appender.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
      assertEquals(
          List.of(
              "CLUSTER: b at x refused: why",
              "CLUSTER: b at x refused: why",
              "CLUSTER: b at x refused: why"),
          lines.stream().filter(line -> line.contains("why")).toList());
      appender.list.clear();
      log.refused("c", "c at x", "y".repeat(10_000));
      assertEquals(
          500, appender.list.get(0).getFormattedMessage().chars().filter(c -> c == 'y').count());
      // Four a minute, whatever strangers send.
      assertEquals(
          Stream.of(0, 1, 2, 3, 60, 61, 62, 63, 120, 121, 122, 123)
              .map(second -> "CLUSTER: connection from y refused: noise " + second)
              .toList(),
          lines.stream().filter(line -> line.contains("noise")).toList());
    } finally {
      logger.detachAppender(appender);
    }
  }
}
