package io.holdfast.broker.queue;

import io.holdfast.storage.values.HeldMessage.Mark;
import io.holdfast.storage.values.MessageRef;

/**
 * A message of a channel that was looked at, without its body.
 *
 * @param ordinal the topic's number of it
 * @param ref where it stands; null when it is found by its ordinal
 * @param attempts deliveries so far, with the present one
 * @param dueMs when it times out or becomes ready, ms since 1970; 0 for no time. Of a dead letter:
 *     when it died
 * @param mark whether it is dead, and why
 */
public record Waiting(long ordinal, MessageRef ref, int attempts, long dueMs, Mark mark) {
  /** Which messages of a channel. */
  public enum State {
    READY,
    IN_FLIGHT,
    DEFERRED,
    DEAD
  }

  /** A message that lives. */
  Waiting(long ordinal, MessageRef ref, int attempts, long dueMs) {
    this(ordinal, ref, attempts, dueMs, Mark.NONE);
  }

  static Waiting of(Message message, long dueMs) {
    return new Waiting(message.ordinal(), message.copy(), message.attempts(), dueMs);
  }

  /** A dead letter. */
  static Waiting dead(Message message, long diedMs, Mark mark) {
    return new Waiting(message.ordinal(), message.copy(), message.attempts(), diedMs, mark);
  }
}
