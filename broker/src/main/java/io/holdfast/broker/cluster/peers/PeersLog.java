package io.holdfast.broker.cluster.peers;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says who was refused and why, the same at most once a minute: they try again all the time.
 * Thread-safe (own monitor).
 */
final class PeersLog {
  private static final Logger LOG = LoggerFactory.getLogger(Peers.class);
  private static final long EVERY_NS = TimeUnit.MINUTES.toNanos(1);

  /** Of one node, in a minute; strangers, who choose what they are refused for, are one node. */
  private static final int MAX_REASONS = 4;

  private static final int MAX_REASON_CHARS = 500;
  private static final String STRANGERS = "";

  private final LongSupplier nanoClock;

  /** By node, then by reason: when it was said. */
  @GuardedBy("this")
  private final Map<String, Map<String, Long>> saidNs = new HashMap<>();

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
    // It may be the other side that chose the words.
    String brief = reason.substring(0, Math.min(reason.length(), MAX_REASON_CHARS));
    if (isDue(node == null ? STRANGERS : node, brief)) {
      LOG.error("CLUSTER: {} refused: {}", whom, brief);
    } else {
      LOG.debug("CLUSTER: {} refused: {}", whom, brief);
    }
  }

  private synchronized boolean isDue(String node, String reason) {
    long nowNs = nanoClock.getAsLong();
    Map<String, Long> reasons = saidNs.computeIfAbsent(node, key -> new HashMap<>());
    reasons.values().removeIf(before -> nowNs - before >= EVERY_NS);
    return reasons.size() < MAX_REASONS && reasons.putIfAbsent(reason, nowNs) == null;
  }
}
