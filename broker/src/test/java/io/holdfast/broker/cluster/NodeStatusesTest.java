package io.holdfast.broker.cluster;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.holdfast.broker.cluster.peers.Handshake;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.broker.cluster.peers.PeersConfig;
import io.holdfast.broker.net.HostPort;
import io.holdfast.broker.net.Transport;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/** Tests of {@link NodeStatuses}. */
@Timeout(120)
final class NodeStatusesTest {
  private static final long HOUR_MS = 3_600_000;
  private static final List<String> NAMES = List.of("a", "b");

  private final Transport transport = new Transport(1);
  private final AtomicLong aheadMs = new AtomicLong(HOUR_MS);
  private final AtomicLong freeBytes = new AtomicLong(7);
  private final List<String> lines = new CopyOnWriteArrayList<>();
  private final Logger logger = (Logger) LoggerFactory.getLogger(NodeStatuses.class);
  private final AppenderBase<ILoggingEvent> appender =
      new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
          lines.add(event.getLevel() + " " + event.getFormattedMessage().replaceAll("\\d+", "N"));
        }
      };

  @AfterEach
  void end() {
    logger.detachAppender(appender);
    transport.close();
  }

  private Peers peers(String node) {
    Map<String, HostPort> addresses = new TreeMap<>();
    NAMES.forEach(name -> addresses.put(name, null));
    addresses.put(node, new HostPort("127.0.0.1", 0));
    Handshake own = new Handshake(node, 0, "u", 0, NAMES, 1, 3, 1, 1, "member", true, 0, Map.of());
    return new Peers(
        new PeersConfig(node, addresses, 1 << 20, 1 << 20, null, PeersConfig.Times.DEFAULT),
        () -> own,
        peer -> null,
        transport);
  }

  private NodeStatus status(String node, long clockMs) {
    return new NodeStatus(
        "127.0.0.1:4150",
        null,
        "1.1.0-" + node,
        freeBytes.get(),
        3,
        1 << 20,
        5 << 20,
        false,
        clockMs,
        new NodeStatus.Agreed(1, NAMES, Map.of(2, Map.of(1024L, -7))));
  }

  @Test
  void whatANodeSaysIsKnownWithItsClock() throws Exception {
    appender.setContext(logger.getLoggerContext());
    appender.start();
    logger.addAppender(appender);
    try (Peers a = peers("a");
        Peers b = peers("b");
        NodeStatuses atA =
            new NodeStatuses(
                a, () -> status("a", System.currentTimeMillis()), System::currentTimeMillis);
        NodeStatuses atB =
            new NodeStatuses(
                b,
                () -> status("b", System.currentTimeMillis() + aheadMs.get()),
                System::currentTimeMillis)) {
      a.start();
      b.start();
      assertNull(atA.of("b"));
      a.moved("b", new HostPort("127.0.0.1", b.port()));
      atA.start(20);
      await().atMost(ClusterNodes.LONG).until(() -> atA.of("b") != null);
      NodeStatuses.Heard heard = atA.of("b");
      assertEquals(status("b", heard.status().wallClockMs()), heard.status());
      long unsureMs = TimeUnit.NANOSECONDS.toMillis(heard.roundTripNs()) + 2;
      assertTrue(Math.abs(heard.clockOffsetMs() - HOUR_MS) <= unsureMs, heard::toString);
      assertNull(atB.of("a"));

      // What changes is seen, and the clock is spoken of when it changes sides.
      freeBytes.set(8);
      await().atMost(ClusterNodes.LONG).until(() -> atA.of("b").status().diskFreeBytes() == 8);
      await().atMost(ClusterNodes.LONG).until(() -> lines.size() == 1);
      aheadMs.set(0);
      await().atMost(ClusterNodes.LONG).until(() -> lines.size() == 2);
      assertEquals(
          List.of(
              "WARN CLUSTER: the clock of b is N ms ahead of this one's: deferred messages come so"
                  + " much off after a failover",
              "INFO CLUSTER: the clock of b agrees with this one's again"),
          lines);
    }
  }
}
