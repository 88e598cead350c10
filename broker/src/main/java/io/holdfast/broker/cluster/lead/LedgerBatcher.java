package io.holdfast.broker.cluster.lead;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.broker.cluster.engine.Proposal;
import io.holdfast.broker.cluster.state.LedgerEntry;
import io.holdfast.broker.queue.SharedLogException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts what becomes of the messages of all channels of a group into the group's log: what comes in
 * 5 ms, or 64 KiB, makes an entry. One is under way at a time; one that was not committed is
 * proposed again as it is, before anything that came later, as long as the term lasts. With the
 * term all that waits is forgotten: then it happened to nobody's knowledge, and is delivered again.
 *
 * <p>Has a thread of its own. For one term.
 */
final class LedgerBatcher {
  private static final Logger LOG = LoggerFactory.getLogger(LedgerBatcher.class);

  private static final long MAX_WAIT_NS = TimeUnit.MILLISECONDS.toNanos(5);
  static final int ENTRY_BYTES = 64 << 10;

  /** With so much that waits, nothing more is delivered. */
  static final int MAX_PENDING_BYTES = 16 * ENTRY_BYTES;

  /** Before an entry is proposed again: at first, and at most. */
  private static final long MIN_AGAIN_NS = TimeUnit.MILLISECONDS.toNanos(5);

  private static final long MAX_AGAIN_NS = TimeUnit.MILLISECONDS.toNanos(200);
  private static final long MAX_FORCE_S = 10;

  /** Proposes an entry in the term. */
  interface Proposer {
    /** As {@code ClusterGroup.propose}. */
    void propose(ByteBuffer entry, Proposal proposal);
  }

  private final Proposer proposer;
  private final LongSupplier wallNs;
  private final Thread thread;

  /** Accounts that have something, each once. */
  private final Queue<BatchedAccount> accounts = new ConcurrentLinkedQueue<>();

  /** What waits in accounts, or is under way. */
  private final AtomicLong pendingBytes = new AtomicLong();

  /** Whether nothing is to be delivered, whatever waits. */
  private volatile boolean isHeld;

  /** Rounds that have begun to gather; what was recorded before is in one of them. */
  @GuardedBy("this")
  private long begun;

  @GuardedBy("this")
  private final List<Flush> flushes = new ArrayList<>();

  @GuardedBy("this")
  private boolean ended;

  /** Somebody waits until a round is through. */
  private record Flush(long round, CompletableFuture<Void> done) {}

  /**
   * Begins.
   *
   * @param group for the thread's name
   * @param wallNs ns since 1970
   */
  LedgerBatcher(int group, Proposer proposer, LongSupplier wallNs) {
    this.proposer = proposer;
    this.wallNs = wallNs;
    thread = new Thread(this::run, "ledger-batcher-" + group);
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  // ---------------------------------------------------------------- accounts (channel's lock)

  /**
   * Something is to be recorded.
   *
   * @param isFirst whether the account had nothing before
   */
  void added(BatchedAccount account, int bytes, boolean isFirst) {
    if (isFirst) {
      accounts.add(account);
    }
    long before = pendingBytes.getAndAdd(bytes);
    if (before == 0 || (before < ENTRY_BYTES && before + bytes >= ENTRY_BYTES)) {
      LockSupport.unpark(thread);
    }
  }

  /** So much is in the log, or counts for nothing any more. */
  void over(int bytes) {
    pendingBytes.addAndGet(-bytes);
  }

  /** Whether nothing more is to be delivered: so much waits, or it is {@link #hold held}. */
  boolean isFull() {
    return isHeld || pendingBytes.get() >= MAX_PENDING_BYTES;
  }

  /** Has nothing more delivered, or again what is to be. */
  void hold(boolean isOn) {
    isHeld = isOn;
  }

  /**
   * Has all that was recorded until now go into the log at once.
   *
   * @return done when it is committed; fails with a {@link SharedLogException} when the term ends
   */
  CompletableFuture<Void> flush() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    synchronized (this) {
      if (ended) {
        done.completeExceptionally(lost());
        return done;
      }
      flushes.add(new Flush(begun + 1, done));
    }
    LockSupport.unpark(thread);
    return done;
  }

  /** As {@link #flush}, and waits. Workers. */
  void force() throws IOException {
    try {
      flush().get(MAX_FORCE_S, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw lost(e);
    } catch (TimeoutException e) {
      throw lost(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw lost(e);
    }
  }

  private static SharedLogException lost() {
    return new SharedLogException("leader lost, outcome unknown", true);
  }

  private static SharedLogException lost(Exception cause) {
    SharedLogException lost = lost();
    lost.initCause(cause);
    return lost;
  }

  /** The term is over: all that waits is forgotten. Does not wait. */
  void stop() {
    List<Flush> waiting;
    synchronized (this) {
      ended = true;
      waiting = new ArrayList<>(flushes);
      flushes.clear();
    }
    waiting.forEach(flush -> flush.done().completeExceptionally(lost()));
    LockSupport.unpark(thread);
  }

  private synchronized boolean isEnded() {
    return ended;
  }

  private synchronized boolean isFlushed() {
    return !flushes.isEmpty();
  }

  // ---------------------------------------------------------------- the thread

  private void run() {
    while (!isEnded()) {
      if (awaitRecords()) {
        round();
      }
    }
  }

  /** Waits until there is enough for an entry, or it has waited long enough. */
  private boolean awaitRecords() {
    while (pendingBytes.get() == 0 && !isFlushed()) {
      if (isEnded()) {
        return false;
      }
      LockSupport.park(this);
    }
    long untilNs = System.nanoTime() + MAX_WAIT_NS;
    long leftNs = MAX_WAIT_NS;
    while (leftNs > 0 && pendingBytes.get() < ENTRY_BYTES && !isFlushed() && !isEnded()) {
      LockSupport.parkNanos(this, leftNs);
      leftNs = untilNs - System.nanoTime();
    }
    return !isEnded();
  }

  private void round() {
    long number;
    synchronized (this) {
      number = ++begun;
    }
    Sender sender = new Sender();
    int bytes = 0;
    // Those that come meanwhile are for the next round.
    List<BatchedAccount> gathered = new ArrayList<>();
    for (BatchedAccount each = accounts.poll(); each != null; each = accounts.poll()) {
      gathered.add(each);
    }
    for (BatchedAccount account : gathered) {
      bytes += account.takeTo(sender);
    }
    sender.send();
    over(bytes);
    if (!isEnded()) {
      flushed(number);
    }
  }

  private void flushed(long number) {
    List<Flush> done = new ArrayList<>();
    synchronized (this) {
      for (Flush flush : flushes) {
        if (flush.round() <= number) {
          done.add(flush);
        }
      }
      flushes.removeAll(done);
    }
    done.forEach(flush -> flush.done().complete(null));
  }

  /** Fills entries and sees each one through before the next. */
  private final class Sender implements PendingRecords.Sink {
    private final LedgerEntry entry = new LedgerEntry();

    @Override
    public LedgerEntry entry() {
      return entry;
    }

    @Override
    public void added() {
      if (entry.bytes() >= ENTRY_BYTES) {
        send();
      }
    }

    /** Returns when what was filled in is committed, or the term has ended. */
    void send() {
      if (!entry.isEmpty()) {
        ByteBuffer bytes = entry.toEntry(wallNs.getAsLong());
        entry.clear();
        long againNs = MIN_AGAIN_NS;
        while (!isEnded() && !isCommitted(bytes)) {
          LockSupport.parkNanos(this, againNs);
          againNs = Math.min(2 * againNs, MAX_AGAIN_NS);
        }
      }
    }

    private boolean isCommitted(ByteBuffer bytes) {
      Outcome outcome = new Outcome();
      proposer.propose(bytes.duplicate(), outcome);
      while (!outcome.isKnown && !isEnded()) {
        LockSupport.park(this);
      }
      return outcome.isApplied;
    }
  }

  /** What became of an entry. */
  private final class Outcome implements Proposal {
    private volatile boolean isApplied;
    private volatile boolean isKnown;

    @Override
    public void applied(long index) {
      isApplied = true;
      known();
    }

    @Override
    public void refused(String reason) {
      LOG.debug("{}: {}", thread.getName(), reason);
      known();
    }

    @Override
    public void unknown(String reason) {
      // Once more does no harm: it says the same.
      LOG.debug("{}: {}", thread.getName(), reason);
      known();
    }

    private void known() {
      isKnown = true;
      LockSupport.unpark(thread);
    }
  }
}
