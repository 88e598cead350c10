package io.holdfast.broker.queue;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;

/**
 * What a consumer has subscribed to: gives it messages and takes its answers. A channel, or what
 * stands for one that is somewhere else. For the consumer's own thread, if nothing else is said.
 */
public interface MessageSource {
  String topicName();

  String name();

  /** Whether it has ended. Any thread. */
  boolean isExiting();

  /** Whether it has ended here because another broker has it now. Any thread. */
  default boolean isElsewhere() {
    return false;
  }

  /** How long a message may stay in flight to a consumer, ns. Any thread. */
  default long msgTimeoutNs(Consumer client) {
    return client.msgTimeoutNs();
  }

  /** How long a message may stay in flight with any number of TOUCHes, ns. Any thread. */
  default long maxMsgTimeoutNs() {
    return Long.MAX_VALUE;
  }

  /** Adds a consumer; it must be ready for wake-ups. */
  void addClient(Consumer client) throws BrokerException;

  /**
   * Takes a consumer away; what it has in flight comes back at once.
   *
   * @return whether it was the last one
   */
  boolean removeClient(Consumer client);

  /**
   * How many messages may be given to a consumer now, negative or 0 for none. Any thread.
   *
   * @return what its RDY says, if not more is known
   */
  default long room(Consumer client) {
    return client.readyRoom();
  }

  /** Gives out messages, see {@link Channel#poll}. */
  int poll(Consumer client, int max, DeliverySink out, int maxBytes) throws IOException;

  /** Passes on a wake-up that a consumer could not use. */
  void wakeAnother();

  /** Giving out messages failed. */
  void readFailed(IOException cause);

  /** See {@link Channel#finishMessages}. */
  void finishMessages(Consumer client, long[] ids, int count, Outcome[] outcomes);

  /** See {@link Channel#requeueMessage}. */
  Outcome requeueMessage(Consumer client, long id, long delayMs);

  /** See {@link Channel#touchMessage}. */
  Outcome touchMessage(Consumer client, long id);

  /** The consumer has another RDY. */
  default void readyChanged(Consumer client) {}

  /**
   * The consumer takes no more messages from now on.
   *
   * @return done when it will be given none any more; null when that is so now
   */
  default CompletableFuture<Void> stopped(Consumer client) {
    wakeAnother();
    return null;
  }

  /**
   * The consumer was told that its channel is gone ({@link Consumer#close}).
   *
   * @return whether this goes on all the same
   */
  default boolean outlives() {
    return false;
  }

  /**
   * What the consumer answers is not taken as fast as it comes.
   *
   * @return done when it may go on, on any thread; null when it may now
   */
  default CompletableFuture<Void> behind() {
    return null;
  }
}
