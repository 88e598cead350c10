package io.holdfast.broker.queue;

/** A consumer that is a client of this broker, as whoever passes it on to another one sees it. */
public interface Subscriber extends Consumer {
  /** Who it is. Any thread. */
  SubscriberInfo info();

  /**
   * What it answered a message with, which was taken at first, has come to nothing. Its own thread.
   *
   * @param command FIN, REQ or TOUCH
   * @param why not {@link Outcome#OK}
   */
  void failed(String command, long id, Outcome why);
}
