package io.holdfast.broker.queue;

/** Nobody leads a topic, as far as this broker knows, or not this one. */
public class NoLeaderException extends BrokerException {
  private static final long serialVersionUID = 1;

  /**
   * @param message for the client, in one line
   */
  public NoLeaderException(String message) {
    super(message);
  }
}
