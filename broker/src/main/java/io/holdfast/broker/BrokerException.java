package io.holdfast.broker;

/** A request that cannot be served now; the message is for the client, in one line. */
public class BrokerException extends Exception {
  private static final long serialVersionUID = 1L;

  /** For a reason of the broker's own, without a cause worth logging. */
  public BrokerException(String message) {
    super(message);
  }

  /** For a failure below; the caller logs the cause. */
  public BrokerException(String message, Throwable cause) {
    super(message, cause);
  }
}
