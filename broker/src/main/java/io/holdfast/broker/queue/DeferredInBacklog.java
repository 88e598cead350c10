package io.holdfast.broker.queue;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.topic.BackendQueue;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Finds the messages that are not due yet in a backlog that a channel was given at one go, so that
 * they are deferred ones before a consumer has read so far. In short turns, each under the
 * channel's lock; reads the disk, so not on an event loop.
 */
final class DeferredInBacklog {
  /** For how long whoever gives a channel a backlog looks through it. */
  private static final long FIRST_NS = TimeUnit.MILLISECONDS.toNanos(50);

  /**
   * Turns that this is in any case: also where the machine is busy, little is looked at at once.
   */
  private static final int FIRST_TURNS = 16;

  /** For how long each housekeeping goes on with that. */
  private static final long NEXT_NS = TimeUnit.MILLISECONDS.toNanos(20);

  /** Messages looked at without letting go of the lock. */
  private static final int MAX_SEEN = 256;

  private static final long NOT_FULL = -1;

  private final Object lock;
  private final ChannelSettings settings;
  private final BackendQueue backend;

  @GuardedBy("lock")
  private final ReadyMessages ready;

  private final ChannelLedger ledger;
  private final ChannelScan timing;

  @GuardedBy("lock")
  private final MaybeDeferred unseen = new MaybeDeferred();

  /** The first message in a turn that there was no room for. */
  @GuardedBy("lock")
  private long full;

  /**
   * @param lock the channel's
   */
  DeferredInBacklog(
      Object lock,
      ChannelSettings settings,
      BackendQueue backend,
      ReadyMessages ready,
      ChannelLedger ledger,
      ChannelScan timing) {
    this.lock = lock;
    this.settings = settings;
    this.backend = backend;
    this.ready = ready;
    this.ledger = ledger;
    this.timing = timing;
  }

  /**
   * For how long a message of the journal is still deferred: whatever the clock said then and says
   * now, no longer than was asked for.
   *
   * @return ms; 0 or less when it is due
   */
  static long delayMs(MessageView message, long nowMs, ChannelSettings settings) {
    long dueMs = TimeUnit.NANOSECONDS.toMillis(message.timestampNs()) + message.deferMs();
    return Math.min(Math.min(dueMs - nowMs, message.deferMs()), settings.maxReqTimeoutMs());
  }

  /** The channel has these messages from now on; they are looked at later. */
  void mayBeIn(MaybeDeferred ordinals) {
    synchronized (lock) {
      unseen.addAll(ordinals);
    }
  }

  /** As {@link #mayBeIn(MaybeDeferred)}, from (inclusive) to (exclusive). */
  void mayBeIn(long from, long to) {
    synchronized (lock) {
      unseen.add(from, to);
    }
  }

  /** Whether there is more to look at. */
  boolean isSearching() {
    synchronized (lock) {
      return !unseen.isEmpty();
    }
  }

  /** Looks for such messages after the channel was given some, so that they count at once. */
  void findFirst() {
    find(FIRST_TURNS, FIRST_NS);
  }

  /** Goes on with that. Housekeeping thread. */
  void findNext() {
    find(1, NEXT_NS);
  }

  /** For so long, or at least so many turns, or until there is nothing more to look at. */
  private void find(int minTurns, long maxNs) {
    long startNs = System.nanoTime();
    boolean more = true;
    for (int i = 0; more && (i < minTurns || System.nanoTime() - startNs < maxNs); i++) {
      synchronized (lock) {
        more = !ledger.isClosed() && findSome();
      }
    }
  }

  /** Returns whether there is more to look at, and room for it. */
  @GuardedBy("lock")
  @SuppressWarnings("GuardedBy") // the backend calls back at once, under the lock
  private boolean findSome() {
    long nowMs = settings.clock().wallMs();
    List<HeldMessage> held = new ArrayList<>();
    full = NOT_FULL;
    try {
      int left = MAX_SEEN;
      while (left > 0 && full == NOT_FULL && !unseen.isEmpty() && ready.mayHold(1)) {
        long from = unseen.from();
        long to = unseen.to();
        try {
          to = backend.takeDeferred(from, to, left, message -> take(message, nowMs, held));
        } finally {
          // What cannot be read is left to those who come to it, with the rest of the range.
          unseen.seenTo(full == NOT_FULL ? to : full);
        }
        left -= (int) Math.min(left, to - from);
      }
    } catch (IOException e) {
      ledger.failed(e);
    }
    if (!held.isEmpty()) {
      ledger.record(() -> backend.hold(held));
    }
    timing.watchDeferred();
    return !unseen.isEmpty() && ready.mayHold(1);
  }

  @GuardedBy("lock")
  private boolean take(MessageView view, long nowMs, List<HeldMessage> held) {
    long delayMs = delayMs(view, nowMs, settings);
    if (delayMs <= 0 || full != NOT_FULL) {
      return false;
    }
    if (!ready.mayHold(1)) {
      full = view.ordinal();
      return false;
    }
    Message message = Message.of(view);
    ready.defer(message, delayMs);
    held.add(HeldMessage.after(message, delayMs, nowMs));
    return true;
  }
}
