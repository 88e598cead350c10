package io.holdfast.broker.cluster.state;

/**
 * Told which topics and channels a group has, on every node. Apply thread, mostly under the topic's
 * lock; what is told is to be seen in the state already. Must not block, and must not fail.
 */
public interface NamesWatch {
  /** Nobody is interested. */
  NamesWatch NONE = new NamesWatch() {};

  /** A topic was made. */
  default void topicCreated(String topic) {}

  /** A topic was deleted with its channels. */
  default void topicDeleted(String topic) {}

  /** A channel was made. */
  default void channelCreated(String topic, String channel) {}

  /** A channel was deleted. */
  default void channelDeleted(String topic, String channel) {}

  /** All may be other ones than before: a snapshot was loaded. */
  default void replaced() {}
}
