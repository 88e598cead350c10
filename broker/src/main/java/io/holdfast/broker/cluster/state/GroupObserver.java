package io.holdfast.broker.cluster.state;

import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.values.CarriedMessage;
import java.util.List;

/**
 * Told what entries have done to a group's topics: the leader's. All but {@link #filesRemoved} on
 * the apply thread, holding the topic's lock; must not block, and must not fail.
 */
public interface GroupObserver {
  /** A topic was made; it has no channels and keeps what comes. */
  default void topicCreated(ReplicatedTopic topic) {}

  /** A topic was deleted with its channels; its journal is closed. */
  default void topicDeleted(ReplicatedTopic topic) {}

  /** A channel was made; unless the topic is paused, it keeps nothing back any more. */
  default void channelCreated(ReplicatedTopic topic, ReplicatedChannel channel) {}

  /** A channel was deleted; with the last one the topic keeps what comes. */
  default void channelDeleted(ReplicatedTopic topic, ReplicatedChannel channel) {}

  /**
   * Messages were appended; the batch has their ordinals, and its section only until the return.
   */
  default void published(ReplicatedTopic topic, Batch batch) {}

  /** A topic was paused, or goes on and keeps nothing back any more, unless it has no channels. */
  default void topicPaused(ReplicatedTopic topic, boolean paused) {}

  /** A channel was paused, or goes on. */
  default void channelPaused(ReplicatedTopic topic, ReplicatedChannel channel, boolean paused) {}

  /**
   * What a topic kept back was dropped, or the oldest of it: see {@link ReplicatedTopic#keptFrom}.
   */
  default void topicEmptied(ReplicatedTopic topic) {}

  /**
   * All that a channel had was dropped, but for dead letters.
   *
   * @param floor below this ordinal
   */
  default void channelEmptied(ReplicatedTopic topic, ReplicatedChannel channel, long floor) {}

  /**
   * A channel begins anew; {@link ReplicatedChannel#state} is another one.
   *
   * @param first its first message
   */
  default void rewound(ReplicatedTopic topic, ReplicatedChannel channel, long first) {}

  /**
   * What is set by hand has changed.
   *
   * @param channel null when it is the topic's own
   */
  default void policyChanged(ReplicatedTopic topic, ReplicatedChannel channel) {}

  /** Ordinals from (inclusive) to (exclusive) were passed over: no message has them. */
  default void skipped(ReplicatedTopic topic, long from, long to) {}

  /** Messages have copies in the journal: their own records may go. */
  default void carried(ReplicatedTopic topic, List<CarriedMessage> messages) {}

  /** Files of the topic's journal went: cursors are to let go of them. Housekeeping, no lock. */
  default void filesRemoved(ReplicatedTopic topic) {}
}
