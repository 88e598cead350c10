package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.engine.GroupStatus;
import io.holdfast.storage.files.Reasons;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a group needs now and then: a snapshot when its log has grown, or the disk has little room;
 * files removed that nobody needs, and after an error another start. For one thread.
 */
final class GroupUpkeep {
  private static final Logger LOG = LoggerFactory.getLogger(GroupUpkeep.class);

  /** So much log behind a snapshot asks for the next one. */
  private static final long SNAPSHOT_BYTES = 256L << 20;

  /** After so long anything new does. */
  private static final long SNAPSHOT_NS = TimeUnit.MINUTES.toNanos(10);

  /** How often a leader looks for what nobody needs. */
  private static final long LEADER_NS = TimeUnit.SECONDS.toNanos(5);

  /**
   * While the disk has little room anything new does after so long: what was finished gives its
   * files back only when a snapshot is there without them, and the log its.
   */
  private static final long SHORT_NS = TimeUnit.SECONDS.toNanos(10);

  private final KeptGroup group;
  private final LongSupplier nanoClock;

  private long finishedIndex;
  private long baseBytes = Long.MAX_VALUE;
  private long snapshotAskedNs;
  private volatile boolean isTakingSnapshot;
  private long leaderLookNs;
  private final GroupRestarts restarts;
  private final BooleanSupplier isShort;

  /**
   * Begins.
   *
   * @param freeBytes what the disk has left
   * @param isShort whether that is little
   */
  GroupUpkeep(
      KeptGroup group, LongSupplier freeBytes, BooleanSupplier isShort, LongSupplier nanoClock) {
    this.group = group;
    restarts = new GroupRestarts(freeBytes);
    this.isShort = isShort;
    this.nanoClock = nanoClock;
    snapshotAskedNs = nanoClock.getAsLong();
    leaderLookNs = snapshotAskedNs;
  }

  /** Does what is due. */
  void visit() {
    long nowNs = nanoClock.getAsLong();
    if (group.error() != null) {
      restart(nowNs);
      return;
    }
    GroupStatus status = group.status();
    if (status == null) {
      return;
    }
    restarts.isWell(nowNs);
    try {
      if (status.snapshot() > finishedIndex) {
        finishedIndex = status.snapshot();
        group.snapshotFinished(finishedIndex);
      }
      if (nowNs - leaderLookNs > LEADER_NS) {
        leaderLookNs = nowNs;
        group.housekeep();
      }
    } catch (IOException e) {
      LOG.error("CLUSTER: group {}: {}", group.group(), Reasons.of(e));
    }
    snapshotIfDue(status, nowNs);
  }

  private void snapshotIfDue(GroupStatus status, long nowNs) {
    baseBytes = Math.min(baseBytes, status.logBytes());
    boolean isLarge = status.logBytes() - baseBytes >= SNAPSHOT_BYTES;
    boolean isOld = nowNs - snapshotAskedNs >= SNAPSHOT_NS;
    boolean isNeeded = nowNs - snapshotAskedNs >= SHORT_NS && isShort.getAsBoolean();
    if (isTakingSnapshot || !(isLarge || isOld || isNeeded)) {
      return;
    }
    snapshotAskedNs = nowNs;
    if (status.applied() <= status.snapshot()) {
      return;
    }
    baseBytes = status.logBytes();
    isTakingSnapshot = true;
    (isNeeded ? group.snapshotAndDrop() : group.snapshot())
        .whenComplete((index, failure) -> isTakingSnapshot = false);
  }

  private void restart(long nowNs) {
    if (!group.mayRestart() || !restarts.isDue(nowNs)) {
      return;
    }
    group.stop();
    group.start();
    finishedIndex = 0;
    baseBytes = Long.MAX_VALUE;
  }
}
