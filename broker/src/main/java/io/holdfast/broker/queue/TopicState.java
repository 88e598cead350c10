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
  final Object lock;

  /**
   * Where changes go before they are made, as other brokers share the topic; null for a topic of
   * this broker alone.
   */
  final TopicLog log;

  /** Whether messages are kept back from the channels until it goes on. Both locks. */
  volatile boolean paused;

  /** Whether it is being deleted or the broker stops. Both locks. */
  volatile boolean exiting;

  /** Whether the broker is about to stop: no more messages, no more channels. Both locks. */
  volatile boolean draining;

  /** Whether its directory is gone. Admin lock. */
  volatile boolean deleted;

  /** Of a topic of this broker alone. */
  TopicState() {
    this(new Object(), null);
  }

  /**
   * @param lock held while something is appended to the journal
   * @param log null for none
   */
  TopicState(Object lock, TopicLog log) {
    this.lock = lock;
    this.log = log;
  }

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
