package io.holdfast.broker.cluster.lead;

import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** Asks the other nodes for messages that this one has lost. Thread-safe. */
public interface OtherNodes {
  /** There are none, so nobody has anything. */
  OtherNodes NONE =
      (topic, ordinal, max, told) -> {
        CompletableFuture.runAsync(() -> told.accept(Copies.ALL_LOST));
        return true;
      };

  /**
   * Asks for messages. Never blocks.
   *
   * @param topic the topic's number
   * @param ordinal of the first one
   * @param max how many at most
   * @param told once, by a thread that holds no lock; not at all when this returns false
   * @return false when there are too many requests under way
   */
  boolean read(long topic, long ordinal, int max, Consumer<Copies> told);
}
