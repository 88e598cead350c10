package io.holdfast.broker.cluster.lead;

import io.holdfast.broker.queue.Topic;

/** Told what a node leads. Any thread; must not block. */
public interface LeaderListener {
  /** Nobody. */
  LeaderListener NONE = new LeaderListener() {};

  /** A topic is led here from now on; it is complete, and others of the group may still be made. */
  default void led(Topic topic) {}

  /** A topic is not led here any more, or is deleted; it has ended. */
  default void withdrawn(Topic topic) {}

  /** All topics of the group are led here from now on. */
  default void serving(long term) {}

  /**
   * Who leads the group is known, or not any more.
   *
   * @param node null when none is known
   * @param term of the leader, or the newest one known
   */
  default void leaderIs(String node, long term) {}

  /**
   * A message of a topic cannot be read on this node's disk, and no other node gives it.
   *
   * @param ordinal of the message
   * @param allLost whether all other nodes have said that they cannot read it either; else one of
   *     them may have it, and might deliver it if it led
   */
  default void unreadable(String topic, long ordinal, boolean allLost) {}

  /**
   * A topic cannot be led here.
   *
   * @param reason in one line
   */
  default void failed(String topic, String reason) {}
}
