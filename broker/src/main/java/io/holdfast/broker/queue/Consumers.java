package io.holdfast.broker.queue;

import java.util.Collection;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The consumers of a channel: who may come, and how much all of them take. The channel's lock
 * guards changes; any thread reads.
 */
final class Consumers {
  private final String limitText;
  private final int max;
  private final CopyOnWriteArrayList<Consumer> all = new CopyOnWriteArrayList<>();

  /** Whether none may come any more: the channel is about to be deleted for want of consumers. */
  private volatile boolean closed;

  private volatile boolean peeking;

  /**
   * @param channel as the text of the limit names it
   * @param max 0 for no limit
   */
  Consumers(String channel, int max) {
    limitText = "consumers for " + channel + " exceeds limit of " + max;
    this.max = max;
  }

  /**
   * Adds a consumer.
   *
   * @throws BrokerException when there are as many as may be
   */
  void add(Consumer client) throws BrokerException {
    if (max > 0 && all.size() >= max) {
      throw new BrokerException(limitText);
    }
    all.add(client);
  }

  /** Removes a consumer; returns whether it was there. */
  boolean remove(Consumer client) {
    return all.remove(client);
  }

  /** The consumers; a live view. */
  Collection<Consumer> all() {
    return all;
  }

  /**
   * Who is served where messages go out one at a time: the one that came first, until it is gone,
   * or takes no more and has nothing in flight; null for none.
   */
  Consumer served() {
    for (Consumer client : all) {
      if (client.isSubscribed() || client.inFlight().size() > 0) {
        return client;
      }
    }
    return null;
  }

  boolean isEmpty() {
    return all.isEmpty();
  }

  /** Messages that they have room for. */
  long demand() {
    long sum = 0;
    for (Consumer client : all) {
      sum += Math.max(0, client.readyRoom());
    }
    return sum;
  }

  /**
   * Takes none from now on, unless there are some.
   *
   * @return false when there are
   */
  boolean close() {
    closed = all.isEmpty();
    return closed;
  }

  /** Takes some again. */
  void reopen() {
    closed = false;
  }

  boolean isClosed() {
    return closed;
  }

  /** Whether they only look, so that the topic keeps what it would keep without them. */
  boolean isPeeking() {
    return peeking;
  }

  /** Before anybody finds the channel. */
  void setPeeking(boolean on) {
    peeking = on;
  }
}
