package io.holdfast.broker.queue;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.topic.BackendQueue;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;

/**
 * What a topic gives to a channel and takes from it again, under the topic's lock. Takes the
 * channel's lock itself.
 */
final class ChannelIntake {
  private final Object lock;
  private final BackendQueue backend;

  @GuardedBy("lock")
  private final ReadyMessages ready;

  @GuardedBy("lock")
  private final ChannelMessages messages;

  private final ChannelLedger ledger;
  private final ChannelScan timing;

  @GuardedBy("lock")
  private final Wakeups wakeups;

  /** Messages put since the start of the process. */
  @GuardedBy("lock")
  private long messageCount;

  /**
   * @param lock the channel's
   */
  ChannelIntake(
      Object lock,
      BackendQueue backend,
      ReadyMessages ready,
      ChannelMessages messages,
      ChannelLedger ledger,
      ChannelScan timing,
      Wakeups wakeups) {
    this.lock = lock;
    this.backend = backend;
    this.ready = ready;
    this.messages = messages;
    this.ledger = ledger;
    this.timing = timing;
    this.wakeups = wakeups;
  }

  /** Takes a batch, in journal order. */
  void put(Batch batch) throws IOException {
    Consumer wake = null;
    try {
      synchronized (lock) {
        try {
          messageCount += batch.count();
          ready.put(batch);
        } finally {
          wake = afterPut();
        }
      }
    } finally {
      Wakeups.wake(wake);
    }
  }

  /** The journal has messages up to an ordinal that the topic had kept back. */
  void extend(long endOrdinal) throws IOException {
    Consumer wake = null;
    try {
      synchronized (lock) {
        try {
          messageCount += ready.extend(endOrdinal);
        } finally {
          wake = afterPut();
        }
      }
    } finally {
      Wakeups.wake(wake);
    }
  }

  /** Also after a failure, as when the ledger has no room: what is here is to be delivered. */
  @GuardedBy("lock")
  private Consumer afterPut() {
    timing.watchDeferred();
    return wakeups.nextAfterPut();
  }

  /** Messages that wait: ready and deferred ones. */
  long waiting() {
    synchronized (lock) {
      return ready.depth() + ready.deferredCount();
    }
  }

  /**
   * Drops the oldest messages that wait, ready or deferred, until only so many do.
   *
   * @return which
   */
  OrdinalRanges dropOldest(long keep) {
    synchronized (lock) {
      return ready.dropOldest(keep, ledger);
    }
  }

  /** The topic has dropped what it kept back, up to an ordinal. */
  void skipTo(long ordinal) throws IOException {
    synchronized (lock) {
      ledger.recordDropped(() -> backend.skipTo(ordinal), messages);
    }
  }

  /** Messages put since the start of the process. */
  long messageCount() {
    synchronized (lock) {
      return messageCount;
    }
  }
}
