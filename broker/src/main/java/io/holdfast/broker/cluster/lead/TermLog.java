package io.holdfast.broker.cluster.lead;

import io.holdfast.broker.cluster.engine.ClusterGroup;
import io.holdfast.broker.cluster.engine.Proposal;
import io.holdfast.broker.cluster.state.Origin;
import io.holdfast.broker.queue.SharedLogException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** A group's log, as its leader proposes to it in one term. Thread-safe. */
final class TermLog {
  /** A leader that cannot commit finds out that it is none long before. */
  private static final long MAX_WAIT_S = 10;

  /** How long a change is tried that the group does not take for now, and how often. */
  private static final long MAX_REFUSED_S = 5;

  private static final long AGAIN_MS = 20;

  private final ClusterGroup group;
  private final long term;
  private final LeaderPlace place;
  private final AtomicLong sequence;
  private final LongSupplier wallNs;
  private volatile boolean over;

  /**
   * @param sequence counts this node's own publishes downwards, over all terms of this start
   * @param wallNs ns since 1970
   */
  TermLog(
      ClusterGroup group, long term, LeaderPlace place, AtomicLong sequence, LongSupplier wallNs) {
    this.group = group;
    this.term = term;
    this.place = place;
    this.sequence = sequence;
    this.wallNs = wallNs;
  }

  /** ns since 1970. */
  long nowNs() {
    return wallNs.getAsLong();
  }

  /** Of one more publish command of the leader's own; never one that somebody sent on. */
  Origin nextOrigin() {
    return new Origin(place.node(), place.start(), sequence.decrementAndGet());
  }

  void propose(ByteBuffer entry, Proposal proposal) {
    group.propose(term, entry, proposal);
  }

  /**
   * Proposes something again and again while the group does not take it for now. Never blocks.
   *
   * @param applied told on the apply thread when it was; not at all when the term ends before
   */
  void insist(Supplier<ByteBuffer> entry, Runnable applied) {
    propose(
        entry.get(),
        new Proposal() {
          @Override
          public void applied(long index) {
            applied.run();
          }

          @Override
          public void refused(String reason) {
            if (!over && ClusterGroup.isForNow(reason)) {
              CompletableFuture.delayedExecutor(AGAIN_MS, TimeUnit.MILLISECONDS)
                  .execute(() -> insist(entry, applied));
            }
          }

          @Override
          public void unknown(String reason) {
            // The term is over.
          }
        });
  }

  /** The term is over: what is proposed from now on is refused by the group. */
  void end() {
    over = true;
  }

  /**
   * What a client is told when something was refused.
   *
   * @param reason the group's
   */
  String refusal(String topic, String reason) {
    return over ? "no leader for topic " + topic : "topic " + topic + ": " + reason;
  }

  /** What a client is told when nobody knows what became of it. */
  static String unknown(String topic) {
    return "leader of topic " + topic + " lost, outcome unknown";
  }

  /**
   * Proposes something and waits until it was done here; while too much is under way, or the
   * leadership is handed over, it waits for that, too. Workers.
   *
   * @param topic what is said of it in errors
   * @throws SharedLogException when it was not done, or nobody knows
   */
  void change(String topic, ByteBuffer entry) throws IOException {
    long beganNs = System.nanoTime();
    while (true) {
      AtomicReference<String> refusal = new AtomicReference<>("");
      try {
        await(topic, changeLater(topic, entry.duplicate(), refusal::set));
        return;
      } catch (SharedLogException e) {
        boolean isLate = System.nanoTime() - beganNs > TimeUnit.SECONDS.toNanos(MAX_REFUSED_S);
        if (!ClusterGroup.isForNow(refusal.get()) || over || isLate) {
          throw e;
        }
      }
      try {
        TimeUnit.MILLISECONDS.sleep(AGAIN_MS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new SharedLogException(refusal(topic, "interrupted"), false);
      }
    }
  }

  private static void await(String topic, CompletableFuture<Void> done) throws IOException {
    try {
      done.get(MAX_WAIT_S, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof SharedLogException failure) {
        throw new SharedLogException(failure.getMessage(), failure.isUnknown());
      }
      throw new IOException(e.getCause());
    } catch (TimeoutException e) {
      throw new SharedLogException(unknown(topic), true);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SharedLogException(unknown(topic), true);
    }
  }

  /**
   * As {@link #change}, without waiting.
   *
   * @return done on the apply thread; fails with a {@link SharedLogException}
   */
  CompletableFuture<Void> changeLater(String topic, ByteBuffer entry) {
    return changeLater(topic, entry, reason -> {});
  }

  private CompletableFuture<Void> changeLater(
      String topic, ByteBuffer entry, Consumer<String> refusal) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    propose(
        entry,
        new Proposal() {
          @Override
          public void applied(long index) {
            done.complete(null);
          }

          @Override
          public void refused(String reason) {
            refusal.accept(reason);
            done.completeExceptionally(new SharedLogException(refusal(topic, reason), false));
          }

          @Override
          public void unknown(String reason) {
            done.completeExceptionally(new SharedLogException(TermLog.unknown(topic), true));
          }
        });
    return done;
  }
}
