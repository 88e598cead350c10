package io.holdfast.broker.cluster.forward;

import io.holdfast.broker.cluster.lead.LeaderTopics;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.PublishListener;
import io.holdfast.broker.queue.SharedLogException;
import io.holdfast.broker.queue.Topic;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** The topics of a group as its {@link LeaderTopics} has them. */
final class LedByLeader implements LedTopics {
  private final Supplier<LeaderTopics> leader;

  LedByLeader(Supplier<LeaderTopics> leader) {
    this.leader = leader;
  }

  @Override
  public boolean isServing(long term) {
    LeaderTopics now = leader.get();
    return now != null && now.isServing(term);
  }

  @Override
  public boolean has(long term, String topic) {
    return topic(term, topic) != null;
  }

  private Topic topic(long term, String name) {
    LeaderTopics now = leader.get();
    return now == null ? null : now.topic(term, name);
  }

  @Override
  public CompletableFuture<Void> create(long term, String topic) {
    LeaderTopics now = leader.get();
    return now == null
        ? CompletableFuture.failedFuture(new SharedLogException(noLeader(topic), false))
        : now.create(term, topic);
  }

  @Override
  public void publish(
      long term, String name, ByteBuffer section, int count, long deferMs, PublishListener listener)
      throws BrokerException {
    Topic topic = topic(term, name);
    if (topic == null) {
      listener.onRefused(noLeader(name));
      return;
    }
    try {
      topic.putMessages(section, count, deferMs, 0, listener);
    } catch (BrokerException e) {
      if (!topic.isExiting()) {
        throw e;
      }
      // Deleted, or the term is over: there may be another one.
      listener.onRefused(noLeader(name));
    }
  }

  private static String noLeader(String topic) {
    return "no leader for topic " + topic;
  }
}
