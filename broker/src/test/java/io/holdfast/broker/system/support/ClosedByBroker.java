package io.holdfast.broker.system.support;

/** The broker closed the connection where an answer was expected. */
public final class ClosedByBroker extends AssertionError {
  private static final long serialVersionUID = 1;

  ClosedByBroker(Throwable cause) {
    super("connection closed by the broker", cause);
  }
}
