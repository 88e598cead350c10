package io.holdfast.broker.queue;

import io.holdfast.storage.values.MessageRef;

/**
 * A message of a channel that was looked at, without its body.
 *
 * @param ordinal the topic's number of it
 * @param ref where it stands; null when it is found by its ordinal
 * @param attempts deliveries so far, with the present one
 * @param dueMs when it times out or becomes ready, ms since 1970; 0 for no time
 */
public record Waiting(long ordinal, MessageRef ref, int attempts, long dueMs) {
  /** Which messages of a channel. */
  public enum State {
    READY,
    IN_FLIGHT,
    DEFERRED
  }

  static Waiting of(Message message, long dueMs) {
    return new Waiting(message.ordinal(), message.copy(), message.attempts(), dueMs);
  }
}
