package io.holdfast.broker.cluster.faults;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** What happened how often, and how long nothing was answered OK. Thread-safe. */
final class FaultReport {
  private final Map<String, Long> counts = new TreeMap<>();
  private final Map<String, Long> lastOkNs = new HashMap<>();
  private final Map<String, Double> gaps = new TreeMap<>();

  synchronized void add(String what, long more) {
    counts.merge(what, more, Long::sum);
  }

  synchronized long get(String what) {
    return counts.getOrDefault(what, 0L);
  }

  /** A publish was answered OK. */
  synchronized void ok(String node) {
    long nowNs = System.nanoTime();
    add("OK'd", 1);
    Long before = lastOkNs.put(node, nowNs);
    if (before != null) {
      gaps.merge(node, (nowNs - before) / 1e9, Math::max);
    }
    before = lastOkNs.put("any", nowNs);
    if (before != null) {
      gaps.merge("any", (nowNs - before) / 1e9, Math::max);
    }
  }

  /** Nobody publishes for a while. */
  synchronized void rest() {
    lastOkNs.clear();
  }

  @Override
  public synchronized String toString() {
    StringBuilder all = new StringBuilder();
    counts.forEach((what, count) -> all.append("  %s = %d%n".formatted(what, count)));
    gaps.forEach(
        (node, gap) ->
            all.append("  longest gap between OKs at %s: %.2f s%n".formatted(node, gap)));
    return all.toString();
  }
}
