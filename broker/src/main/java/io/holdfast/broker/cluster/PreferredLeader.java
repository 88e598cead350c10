package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.engine.GroupStatus;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Gives a group back to the node that is preferred to lead it, once that has been there and level
 * for a while; longer each time, when it does not stay the leader. For one thread.
 */
final class PreferredLeader {
  private static final long FIRST_WAIT_NS = TimeUnit.SECONDS.toNanos(60);
  private static final long LAST_WAIT_NS = TimeUnit.MINUTES.toNanos(30);

  /** After so long in which it was not asked again, all begins anew. */
  private static final long CALM_NS = TimeUnit.HOURS.toNanos(1);

  /** Entries that a node lacks that counts as level. */
  private static final long LEVEL = 1000;

  private final LedGroup group;
  private final Supplier<String> preferred;
  private final Predicate<String> isReachable;
  private final LongSupplier nanoClock;
  private long waitNs = FIRST_WAIT_NS;
  private long askedNs;

  /** Since when it is level; 0 while it is not. */
  private long levelNs;

  /**
   * @param preferred who is to lead now; this node means that there is nothing to do
   * @param isReachable whether a node can be asked
   */
  PreferredLeader(
      LedGroup group,
      Supplier<String> preferred,
      Predicate<String> isReachable,
      LongSupplier nanoClock) {
    this.group = group;
    this.preferred = preferred;
    this.isReachable = isReachable;
    this.nanoClock = nanoClock;
  }

  /** Looks, and hands over when it is time. */
  void visit() {
    long nowNs = nanoClock.getAsLong();
    String to = preferred.get();
    if (!group.isServing() || !isLevel(group.status(), to)) {
      levelNs = 0;
      return;
    }
    if (levelNs == 0) {
      levelNs = nowNs;
      if (nowNs - askedNs > CALM_NS) {
        waitNs = FIRST_WAIT_NS;
      }
      return;
    }
    if (nowNs - levelNs < waitNs) {
      return;
    }
    levelNs = 0;
    askedNs = nowNs;
    waitNs = Math.min(LAST_WAIT_NS, 2 * waitNs);
    group.handOverOrSay(to);
  }

  private boolean isLevel(GroupStatus status, String node) {
    if (status == null) {
      return false;
    }
    for (GroupStatus.Peer peer : status.peers()) {
      if (peer.node().equals(node)) {
        return peer.voter() && peer.lag() >= 0 && peer.lag() < LEVEL && isReachable.test(node);
      }
    }
    return false;
  }
}
