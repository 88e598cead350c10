package io.holdfast.broker.cluster.forward;

import io.holdfast.broker.cluster.lead.LeaderTopics;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.PublishListener;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** The topics of one group as this node leads them, each call for one term. Nothing blocks. */
public interface LedTopics {
  /** Whether this node leads in a term, and all topics are made. */
  boolean isServing(long term);

  /** Whether there is a topic that is led here in a term. */
  boolean has(long term, String topic);

  /**
   * Has a topic made.
   *
   * @return done when there is one; fails with a {@link BrokerException} when there is not to be
   *     one, with anything else when it may be tried again
   */
  CompletableFuture<Void> create(long term, String topic);

  /**
   * Publishes, in this term or not at all.
   *
   * @param listener told what became of it, perhaps before this returns
   * @throws BrokerException when it is refused for good; nobody is told then
   */
  void publish(
      long term,
      String topic,
      ByteBuffer section,
      int count,
      long deferMs,
      PublishListener listener)
      throws BrokerException;

  /**
   * Those of a group's leader.
   *
   * @param leader the present one: a group may be made anew; null while there is none
   */
  static LedTopics of(Supplier<LeaderTopics> leader) {
    return new LedByLeader(leader);
  }
}
