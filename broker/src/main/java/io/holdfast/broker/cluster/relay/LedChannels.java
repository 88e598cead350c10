package io.holdfast.broker.cluster.relay;

import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.MessageSource;
import io.holdfast.broker.queue.NoLeaderException;
import java.util.concurrent.CompletableFuture;

/** The channels of the topics that are led on this node. Thread-safe; nothing here blocks. */
public interface LedChannels {
  /** Whether this node leads the group of a topic, and the group's topics answer. */
  boolean isLed(String topic);

  /**
   * A channel, made with its topic if need be; only where they are led.
   *
   * @param peeking see {@link io.holdfast.broker.queue.Topic#channel(String, boolean)}
   * @return done on any thread; fails with a {@link BrokerException}
   */
  CompletableFuture<? extends MessageSource> channel(String topic, String channel, boolean peeking);

  /** A consumer has left a channel. */
  void left(MessageSource channel);

  /** Whether it is worth trying again after a refusal, here or with another leader. */
  default boolean isPassing(String topic, BrokerException refusal) {
    return refusal instanceof NoLeaderException
        || "exiting".equals(refusal.getMessage())
        || !isLed(topic);
  }
}
