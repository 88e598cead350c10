package io.holdfast.broker.cluster;

import io.holdfast.broker.meters.LatencyCounts;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** What a group counts on this node since the start, whatever stopped in between. Thread-safe. */
final class GroupCounts {
  private final LongAdder elections = new LongAdder();
  private final LongAdder snapshots = new LongAdder();
  private final LongAdder installs = new LongAdder();
  private final AtomicLong lastTerm = new AtomicLong();
  private final LatencyCounts commits = LatencyCounts.shared(LatencyCounts.SHORT_SECONDS);

  /**
   * Sums.
   *
   * @param elections leaders that were elected, as far as this node heard
   * @param snapshots that were taken here
   * @param installs of other nodes' snapshots
   */
  record Totals(long elections, long snapshots, long installs) {}

  /** Somebody leads in a term. */
  void leaderIs(long term) {
    if (lastTerm.getAndAccumulate(term, Math::max) < term) {
      elections.increment();
    }
  }

  void snapshotTaken() {
    snapshots.increment();
  }

  /** A run that has ended has installed so many. */
  void installed(long count) {
    installs.add(count);
  }

  LatencyCounts commits() {
    return commits;
  }

  /**
   * @param running installs of the present run
   */
  Totals totals(long running) {
    return new Totals(elections.sum(), snapshots.sum(), installs.sum() + running);
  }
}
