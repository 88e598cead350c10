package io.holdfast.broker.cluster.forward;

import java.util.function.Consumer;

/** The way to whoever leads, this node included. */
interface LeaderLink {
  /**
   * Asks a node. Never blocks; those of one stream have to come in their order.
   *
   * @param told once: the answer, or {@link ForwardAnswer.Kind#LATER} when it was certainly not
   *     asked, or {@link ForwardAnswer.Kind#LOST}; any thread, perhaps before this returns
   */
  void ask(String node, ForwardRequest request, Consumer<ForwardAnswer> told);
}
