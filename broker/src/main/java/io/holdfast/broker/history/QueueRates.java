package io.holdfast.broker.history;

import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.Topic;
import java.util.Collection;
import java.util.IdentityHashMap;

/**
 * What each topic and channel took in a second, over the last interval; of all of them, so that a
 * list can be sorted by it. What is deleted is forgotten; made again it begins anew. Thread-safe.
 */
public final class QueueRates {
  private static final double NS_PER_S = 1e9;

  private static final class Counted {
    private long messages;
    private Double rate;
    private long round;
  }

  /** By topic or channel, the object: one that was made again is another. Guarded by this. */
  private final IdentityHashMap<Object, Counted> all = new IdentityHashMap<>();

  // Guarded by this.
  private long round;
  private long lastNs;

  /** To be called at regular intervals, not on an event loop. */
  synchronized void record(Collection<Topic> topics, long nowNs) {
    double seconds = Math.max(1e-3, (nowNs - lastNs) / NS_PER_S);
    round++;
    for (Topic topic : topics) {
      record(topic, topic.messageCount(), seconds);
      for (Channel channel : topic.channels()) {
        record(channel, channel.figures().messageCount(), seconds);
      }
    }
    all.values().removeIf(counted -> counted.round != round); // deleted
    lastNs = nowNs;
  }

  private void record(Object queue, long messages, double seconds) {
    Counted counted = all.get(queue);
    if (counted == null) {
      counted = new Counted();
      all.put(queue, counted);
    } else {
      counted.rate = Series.rate(counted.messages, messages, seconds);
    }
    counted.messages = messages;
    counted.round = round;
  }

  /** Messages a second; null as long as it is not known. */
  public Double of(Topic topic) {
    return find(topic);
  }

  /** The same of a channel. */
  public Double of(Channel channel) {
    return find(channel);
  }

  private synchronized Double find(Object queue) {
    Counted counted = all.get(queue);
    return counted == null ? null : counted.rate;
  }
}
