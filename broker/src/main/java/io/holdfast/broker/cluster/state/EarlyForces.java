package io.holdfast.broker.cluster.state;

import io.holdfast.storage.files.Reasons;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.Closeable;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the journals of a group forced piece by piece as they grow, so that a snapshot has little
 * left to force at once: the log's own forces, and who waits for them, would wait behind it. On a
 * thread that ends when nothing is written.
 */
final class EarlyForces implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(EarlyForces.class);

  /** So much of a journal is a piece: a force of the log waits for one of them at most. */
  static final long PIECE_BYTES = 4 << 20;

  private static final long KEPT_S = 10;

  /** One force after the other; of each topic at most one waits. */
  private final ThreadPoolExecutor thread;

  /** Begins when something is appended. */
  EarlyForces(int group) {
    thread =
        new ThreadPoolExecutor(
            1,
            1,
            KEPT_S,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            new DefaultThreadFactory("group-" + group + "-force", true));
    thread.allowCoreThreadTimeOut(true);
  }

  /** So many bytes were appended to a topic's journal. Apply thread. */
  void appended(ReplicatedTopic topic, int bytes) {
    if (!topic.unforced().isDue(bytes)) {
      return;
    }
    try {
      thread.execute(() -> force(topic));
    } catch (RejectedExecutionException e) {
      LOG.debug("closed", e);
    }
  }

  private static void force(ReplicatedTopic topic) {
    topic.unforced().begins();
    try {
      topic.journal().force();
    } catch (IOException e) {
      // Noted where it failed: nothing more is appended, and the group stops here.
      LOG.debug("{}: {}", topic.journal(), Reasons.of(e));
    }
  }

  /** Nothing is being forced, or waits for it, when this returns. Apply thread. */
  void settle() {
    try {
      CompletableFuture.runAsync(() -> {}, thread).join();
    } catch (RejectedExecutionException e) {
      LOG.debug("closed", e);
    }
  }

  @Override
  public void close() {
    thread.getQueue().clear();
    settle();
    thread.shutdown();
  }

  /** How much of a journal was appended since it was last forced early. */
  static final class Unforced {
    /** The apply thread's. */
    private long bytes;

    private volatile boolean isAsked;

    /** Adds to it; whether it is to be forced, and nobody was asked for it yet. */
    private boolean isDue(int more) {
      bytes += more;
      if (bytes < PIECE_BYTES || isAsked) {
        return false;
      }
      bytes = 0;
      isAsked = true;
      return true;
    }

    private void begins() {
      isAsked = false;
    }
  }
}
