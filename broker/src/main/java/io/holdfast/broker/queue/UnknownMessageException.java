package io.holdfast.broker.queue;

/** Somebody names a message that the topic never gave out. */
public final class UnknownMessageException extends BrokerException {
  private static final long serialVersionUID = 1L;

  /**
   * @param topic that did not
   */
  public UnknownMessageException(String topic) {
    super("no message of TOPIC(" + topic + ") ever had that id");
  }
}
