package io.holdfast.broker.cluster;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;

/**
 * Knows for which groups no leader has been known for so long that clients had better go elsewhere.
 * One thread looks, others may ask.
 */
final class LeaderAbsence {
  /** A failover is over long before. */
  static final long MAX_NS = TimeUnit.SECONDS.toNanos(10);

  private final IntFunction<String> leaderOf;
  private final LongSupplier nanoTime;
  private final List<IntConsumer> leaderless;
  private final Runnable changed;

  /** When a leader was known last. */
  private final long[] knownNs;

  /** Replaced as a whole. */
  private volatile boolean[] present;

  /**
   * None is there before a leader is known.
   *
   * @param leaderOf a group's leader, null when none is known
   * @param leaderless told of each group that has none any more
   * @param changed told afterwards when there are others than before
   */
  LeaderAbsence(
      int groups,
      IntFunction<String> leaderOf,
      LongSupplier nanoTime,
      List<IntConsumer> leaderless,
      Runnable changed) {
    this.leaderOf = leaderOf;
    this.nanoTime = nanoTime;
    this.leaderless = leaderless;
    this.changed = changed;
    knownNs = new long[groups];
    present = new boolean[groups];
  }

  /** Whether a leader is known, or was a moment ago. */
  boolean isPresent(int group) {
    return present[group];
  }

  /** Looks at all groups; now and then. */
  void look() {
    boolean[] now = present.clone();
    boolean isOther = false;
    for (int group = 0; group < now.length; group++) {
      if (leaderOf.apply(group) != null) {
        knownNs[group] = nanoTime.getAsLong();
        isOther |= !now[group];
        now[group] = true;
      } else if (now[group] && nanoTime.getAsLong() - knownNs[group] >= MAX_NS) {
        isOther = true;
        now[group] = false;
      }
    }
    if (!isOther) {
      return;
    }
    boolean[] before = present;
    present = now;
    for (int group = 0; group < now.length; group++) {
      if (before[group] && !now[group]) {
        int lost = group;
        leaderless.forEach(told -> told.accept(lost));
      }
    }
    changed.run();
  }
}
