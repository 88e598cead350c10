package io.holdfast.broker.cluster.lead;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.ledger.ChannelAccount;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.util.List;

/**
 * The account of a leader's channel: what becomes of its messages waits here a moment, and goes
 * into the group's log with that of all others ({@link LedgerBatcher}).
 */
final class BatchedAccount implements ChannelAccount {
  private final LedgerBatcher batcher;
  private final long topic;
  private final long channel;

  /** What cannot be read here, which others have. */
  private final MissingMessages missing;

  @GuardedBy("this")
  private PendingRecords pending = new PendingRecords();

  /** As the batcher counts {@link #pending}. */
  @GuardedBy("this")
  private int pendingBytes;

  @GuardedBy("this")
  private long epoch;

  /** Whether the batcher knows that there is something here. */
  @GuardedBy("this")
  private boolean queued;

  /**
   * @param topic the topic's number
   * @param channel the channel's
   * @param epoch the channel's
   */
  BatchedAccount(
      LedgerBatcher batcher, long topic, long channel, long epoch, MissingMessages missing) {
    this.batcher = batcher;
    this.topic = topic;
    this.channel = channel;
    this.epoch = epoch;
    this.missing = missing;
  }

  @Override
  public void finish(OrdinalRanges ranges) {
    synchronized (this) {
      added(pending.finish(ranges));
    }
  }

  @Override
  public void deliver(OrdinalRanges ranges) {
    synchronized (this) {
      added(pending.deliver(ranges));
    }
  }

  @Override
  public void hold(List<HeldMessage> messages) {
    synchronized (this) {
      added(pending.hold(messages));
    }
  }

  @GuardedBy("this")
  private void added(int bytes) {
    pendingBytes += bytes;
    batcher.added(this, bytes, !queued);
    queued = true;
  }

  @Override
  public boolean isShared() {
    return true;
  }

  /** It is one disk that lost it: finished in the log it would be gone from all. */
  @Override
  public long lost(long ordinal, long end) {
    return missing.lost(ordinal, end);
  }

  @Override
  public boolean isLost(long ordinal) {
    return missing.has(ordinal);
  }

  @Override
  public boolean readCopy(long ordinal, MessageView to) {
    return missing.take(ordinal, to);
  }

  @Override
  public void begin(long newEpoch) {
    missing.clear();
    synchronized (this) {
      epoch = newEpoch;
      pending = new PendingRecords();
      batcher.over(pendingBytes);
      pendingBytes = 0;
    }
  }

  /**
   * Takes out what waits here. Batcher's thread.
   *
   * @return bytes, to be given to {@link LedgerBatcher#over} once they are in the log
   */
  int takeTo(PendingRecords.Sink to) {
    PendingRecords taken;
    int bytes;
    long takenEpoch;
    synchronized (this) {
      taken = pending;
      bytes = pendingBytes;
      takenEpoch = epoch;
      pending = new PendingRecords();
      pendingBytes = 0;
      queued = false;
    }
    taken.writeTo(to, topic, channel, takenEpoch);
    return bytes;
  }

  @Override
  public boolean isCongested() {
    return batcher.isFull();
  }

  @Override
  public void close() {
    missing.clear();
  }

  /** Returns when all that was recorded is in the log of a majority. */
  @Override
  public void force() throws IOException {
    batcher.force();
  }
}
