package io.holdfast.broker.queue;

/**
 * Who gets a channel's messages: how many it takes, what it asked for, and how it is told that
 * there are some. It fetches them by {@link Channel#poll} when it is woken.
 */
public interface Consumer {
  /** Whether it takes messages at all: after SUB and before CLS. Any thread. */
  boolean isSubscribed();

  /** How many messages it may have in flight, its RDY. Any thread. */
  long readyCount();

  /** How many more messages it takes now; negative when RDY was lowered. Any thread. */
  default long readyRoom() {
    return isSubscribed() ? readyCount() - inFlight().size() : 0;
  }

  /** Its messages in flight, always the same list. The channel's lock guards what is in it. */
  InFlightQueue inFlight();

  /** Whether the channel will wake it. Any thread. */
  boolean isWaiting();

  /** The channel will wake it, or does so. The channel's lock guards it. */
  void setWaiting(boolean waits);

  /** How long a message may stay in flight without an answer, ns. Any thread. */
  long msgTimeoutNs();

  /** Whether it asked for that timeout, so that no policy changes it. Any thread. */
  default boolean askedMsgTimeout() {
    return true;
  }

  /** Percentage of the messages that it wants, 0 for all. Any thread. */
  int sampleRate();

  /** How long a message may wait for others to be sent with, ns; 0 for not at all. Any thread. */
  long maxHoldNs();

  /** The zone it is in, empty when it did not say. Any thread. */
  String topologyZone();

  /** The region it is in, empty when it did not say. Any thread. */
  String topologyRegion();

  /** Has it poll soon: a hint, which may come for nothing. Any thread; does not block. */
  void wake();

  /**
   * Has something run later. Any thread.
   *
   * @param delayNs ns from now
   * @return false when it will not run, as the broker stops
   */
  boolean runLater(Runnable task, long delayNs);

  /** Its channel is gone: ends its connection, soon. Any thread; does not block. */
  void close();
}
