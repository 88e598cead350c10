package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.forward.LedTopics;
import io.holdfast.broker.cluster.lead.LeaderTopics;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.PublishListener;
import io.holdfast.broker.queue.SharedLogException;
import io.holdfast.broker.queue.Topics;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * The topics of a group that are led on this node, for publishes of all nodes; they are made as all
 * others are, with their channels. Thread-safe.
 */
final class GroupLedTopics implements LedTopics {
  private final LedTopics present;
  private final Topics topics;

  /**
   * @param leading the leader's side of whatever runs; gives null while nothing does
   * @param topics all of the broker
   */
  GroupLedTopics(Supplier<LeaderTopics> leading, Topics topics) {
    present = LedTopics.of(leading);
    this.topics = topics;
  }

  @Override
  public boolean isServing(long term) {
    return present.isServing(term);
  }

  @Override
  public boolean has(long term, String topic) {
    return present.has(term, topic) && topics.existing(topic) != null;
  }

  @Override
  public CompletableFuture<Void> create(long term, String topic) {
    CompletableFuture<Void> made = new CompletableFuture<>();
    topics
        .later(topic)
        .whenComplete(
            (created, failure) -> {
              if (failure == null) {
                made.complete(null);
              } else if (isServing(term)) {
                made.completeExceptionally(BrokerException.of(failure));
              } else {
                made.completeExceptionally(
                    new SharedLogException("no leader for topic " + topic, false));
              }
            });
    return made;
  }

  @Override
  public void publish(
      long term, String topic, ByteBuffer section, int count, long deferMs, PublishListener told)
      throws BrokerException {
    present.publish(term, topic, section, count, deferMs, told);
  }
}
