package io.holdfast.broker.queue;

/**
 * Where a topic is in its life, and the two locks for what changes in it. Any thread reads.
 *
 * <p>{@link #admin} serialises creating and deleting channels and the like, which work on
 * directories; it is taken first. {@link #lock} guards the journal's appends, and publishes against
 * such changes.
 */
final class TopicState {
  final Object admin = new Object();
  final Object lock = new Object();

  /** Whether messages are kept back from the channels until it goes on. Both locks. */
  volatile boolean paused;

  /** Whether it is being deleted or the broker stops. Both locks. */
  volatile boolean exiting;

  /** Whether the broker is about to stop: no more messages, no more channels. Both locks. */
  volatile boolean draining;

  /** Whether its directory is gone. Admin lock. */
  volatile boolean deleted;

  /**
   * It begins to end. Under the admin lock.
   *
   * @return false when it has ended: the directory may be another topic's of the same name by now
   */
  boolean beginExit(boolean deleting) {
    synchronized (lock) {
      if (deleted || (exiting && !deleting)) {
        return false;
      }
      exiting = true;
      return true;
    }
  }

  /** It does not end after all. Under the admin lock. */
  void cancelExit() {
    synchronized (lock) {
      exiting = false;
    }
  }

  /** Whether neither messages nor channels are taken. */
  boolean isEnding() {
    return exiting || draining;
  }
}
