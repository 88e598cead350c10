package io.holdfast.broker.cluster.admin;

import java.util.function.Consumer;

/** Answers what is asked of topics that are led here. */
@FunctionalInterface
public interface TopicRequests {
  /**
   * Answers a request. On an event loop: must not block.
   *
   * @param node where it was asked
   * @param told once, any thread, perhaps before this returns; must not block
   */
  void answer(String node, TopicRequest request, Consumer<TopicAnswer> told);
}
