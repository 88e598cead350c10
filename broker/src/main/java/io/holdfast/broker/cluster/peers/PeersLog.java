package io.holdfast.broker.cluster.peers;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says who was refused, each one at most once a minute: they try again all the time. Thread-safe
 * (own monitor).
 */
final class PeersLog {
  private static final Logger LOG = LoggerFactory.getLogger(Peers.class);
  private static final long EVERY_NS = TimeUnit.MINUTES.toNanos(1);

  /** For those who have no node's name; all of them share their line. */
  private static final String STRANGERS = "";

  private final LongSupplier nanoClock;

  @GuardedBy("this")
  private final Map<String, Long> saidNs = new HashMap<>();

  PeersLog(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
  }

  /**
   * A node has nothing to do here, or this one there.
   *
   * @param node one of the configuration's names; null when it is none, or not known
   * @param whom as the line says it
   */
  void refused(String node, String whom, String reason) {
    if (isDue(node == null ? STRANGERS : node)) {
      LOG.error("CLUSTER: {} refused: {}", whom, reason);
    } else {
      LOG.debug("CLUSTER: {} refused: {}", whom, reason);
    }
  }

  private synchronized boolean isDue(String key) {
    long nowNs = nanoClock.getAsLong();
    Long before = saidNs.get(key);
    if (before != null && nowNs - before < EVERY_NS) {
      return false;
    }
    saidNs.put(key, nowNs);
    return true;
  }
}
