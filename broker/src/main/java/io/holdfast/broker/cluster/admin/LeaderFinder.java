package io.holdfast.broker.cluster.admin;

import io.holdfast.broker.queue.NoLeaderException;
import java.util.concurrent.CompletableFuture;

/** Knows who leads a topic. Thread-safe; nothing blocks. */
public interface LeaderFinder {
  /**
   * Who leads the topics among which one of this name is or would be, this node as soon as they
   * answer; waits for one.
   *
   * @param untilNs of {@link System#nanoTime}
   * @return fails with a {@link NoLeaderException} when that is over or nobody will ever be known
   */
  CompletableFuture<String> leaderOf(String topic, long untilNs);

  /** The term in which this node leads the topic and it answers; 0 for none. */
  long servingTerm(String topic);
}
