package io.holdfast.broker.queue;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.topic.BackendQueue;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.roaringbitmap.longlong.Roaring64Bitmap;

/**
 * How dead letters of a channel end: redriven or discarded by somebody, or published to a topic.
 * Takes the channel's lock itself, and none while it waits for the disk. Workers.
 */
final class DeadLetterSteps {
  /** How a dead letter ends by somebody. */
  private enum End {
    /** It is ready again, as if never delivered. */
    REDRIVE,
    /** It is finished. */
    DISCARD
  }

  /** Messages in one turn, so that deliveries go on. */
  private static final int STEP = 1000;

  /** How long somebody waits for those that are being published. */
  private static final long MAX_WAIT_NS = TimeUnit.SECONDS.toNanos(10);

  private static final long LOOK_AGAIN_MS = 100;

  private final Object lock;
  private final ChannelState state;
  private final GuidFactory guids;
  private final BackendQueue backend;

  @GuardedBy("lock")
  private final ReadyMessages ready;

  @GuardedBy("lock")
  private final DeadLetters dead;

  private final ChannelLedger ledger;

  @GuardedBy("lock")
  private final Wakeups wakeups;

  /**
   * @param lock the channel's
   */
  DeadLetterSteps(
      Object lock,
      ChannelState state,
      GuidFactory guids,
      BackendQueue backend,
      ReadyMessages ready,
      DeadLetters dead,
      ChannelLedger ledger,
      Wakeups wakeups) {
    this.lock = lock;
    this.state = state;
    this.guids = guids;
    this.backend = backend;
    this.ready = ready;
    this.dead = dead;
    this.ledger = ledger;
    this.wakeups = wakeups;
  }

  // ---------------------------------------------------------------- by somebody

  /** See {@link Channel#redrive}. */
  int redrive(long[] ids, int max) throws IOException {
    return forEach(ids, max, End.REDRIVE);
  }

  /** See {@link Channel#discard}. */
  int discard(long[] ids, int max) throws IOException {
    return forEach(ids, max, End.DISCARD);
  }

  /** Takes out dead letters; returns how many, and when that is on disk. */
  private int forEach(long[] ids, int max, End how) throws IOException {
    int count = 0;
    int left = max;
    synchronized (lock) {
      awaitMoving();
      // Not also those that die again meanwhile.
      left = Math.min(left, ids == null ? dead.size() : ids.length);
    }
    while (left > 0) {
      List<Consumer> wake = new ArrayList<>();
      int done;
      synchronized (lock) {
        awaitMoving();
        if (state.exiting) {
          throw new IOException("exiting");
        }
        done = step(ids, ids == null ? 0 : ids.length - left, Math.min(left, STEP), how);
        wakeups.next(ready.isEmpty() ? 0 : done, wake);
      }
      wake.forEach(Consumer::wake);
      count += done;
      left -= STEP;
    }
    if (count > 0) {
      backend.force();
    }
    return count;
  }

  @GuardedBy("lock")
  private int step(long[] ids, int from, int max, End how) throws IOException {
    int done = 0;
    for (int i = 0; i < max; i++) {
      Message message = ids == null ? dead.pollFirst() : dead.take(guids.ordinalOf(ids[from + i]));
      if (message != null) {
        end(message, how);
        done++;
      }
    }
    ledger.write();
    if (backend.isBehind()) {
      throw new IOException("the ledger cannot be written");
    }
    return done;
  }

  /**
   * Nothing is published until {@link #releaseMoves}; returns when nothing is being. Without the
   * locks that publishing needs.
   *
   * @throws IOException when that takes too long
   */
  void holdMoves() throws IOException {
    synchronized (lock) {
      awaitMoving();
      dead.setMoving(true);
    }
  }

  /** Dead letters are published again. */
  void releaseMoves() {
    synchronized (lock) {
      dead.setMoving(false);
      lock.notifyAll();
    }
  }

  @GuardedBy("lock")
  private void end(Message message, End how) {
    if (how == End.DISCARD) {
      ledger.finished(message.ordinal());
      return;
    }
    message.redrive();
    ready.requeue(message);
    ledger.cameBack(message, 0);
  }

  /** What is being published is about to be gone, or to stay: until then it is nobody else's. */
  @GuardedBy("lock")
  private void awaitMoving() throws IOException {
    long untilNs = System.nanoTime() + MAX_WAIT_NS;
    while (dead.isMoving()) {
      if (System.nanoTime() - untilNs > 0) {
        throw new IOException("dead letters are being published");
      }
      try {
        lock.wait(LOOK_AGAIN_MS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }
  }

  /** See {@link Channel#isDead}. */
  boolean isDead(long id) {
    synchronized (lock) {
      return dead.contains(guids.ordinalOf(id));
    }
  }

  // ---------------------------------------------------------------- to a topic

  /** How many are to be published. Any thread. */
  @SuppressWarnings("GuardedBy") // a volatile count
  int outCount() {
    return dead.outCount();
  }

  /**
   * Begins to publish some: nobody else takes them until {@link #moved}.
   *
   * @return empty for none; then nothing has begun
   */
  List<Waiting> beginMove(int max) {
    synchronized (lock) {
      if (state.exiting || dead.isMoving()) {
        return List.of();
      }
      List<Waiting> first = dead.firstOut(max);
      dead.setMoving(!first.isEmpty());
      return first;
    }
  }

  /** Those with these ordinals are where they belong now; the others stay. */
  void moved(Roaring64Bitmap ordinals) {
    synchronized (lock) {
      dead.setMoving(false);
      if (!ordinals.isEmpty() && !state.exiting) {
        dead.remove(ordinals::contains, ledger::finished);
        ledger.write();
      }
      lock.notifyAll();
    }
  }
}
