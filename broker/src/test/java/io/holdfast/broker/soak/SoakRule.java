package io.holdfast.broker.soak;

import io.holdfast.broker.soak.Delivery.Session;
import io.holdfast.broker.soak.SoakTopic.Published;
import io.holdfast.broker.system.support.Frame;

/**
 * What a policy, or an administrator's action, changes in what a channel owes and must not do.
 * Asked under the lock of its {@link ChannelAudit}; changed by other threads, too. Without any rule
 * the channel owes everything, once.
 */
interface SoakRule {
  /**
   * What is wrong with a delivery that was just read; null when nothing is.
   *
   * @param before the message's last delivery; null at its first
   */
  default String objection(Delivery before, Published published, Frame.Msg frame, Session session) {
    return null;
  }

  /** A delivery was taken note of. */
  default void delivered(Delivery message) {}

  /** A consumer's connection has ended; what it had not read will never be. */
  default void sessionEnded() {}

  /** Whether the message may come as if for the first time, though it came and was finished. */
  default boolean mayComeAnew(Delivery last) {
    return false;
  }

  /** Whether it is certain to come again, though it was finished. */
  default boolean isOwedAgain(Delivery last) {
    return false;
  }

  /**
   * Whether nothing more of it is owed, though nobody finished it.
   *
   * @param last null when it never came
   */
  default boolean mayBeGone(String key, Published published, Delivery last) {
    return false;
  }

  /** Whether a message may be stored under two ids. */
  default boolean mayBeStoredTwice() {
    return false;
  }

  /** For how long a message is held back after a REQ that asked for so much. */
  default int requeueDelayMs(int attempts, int askedMs) {
    return askedMs;
  }
}
