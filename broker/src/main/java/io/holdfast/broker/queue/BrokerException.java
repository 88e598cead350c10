package io.holdfast.broker.queue;

import io.holdfast.broker.limits.OutOfMemoryExit;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;

/** A request that cannot be served now; the message is for the client, in one line. */
public class BrokerException extends Exception {
  private static final long serialVersionUID = 1L;

  /** For a reason of the broker's own, without a cause worth logging. */
  public BrokerException(String message) {
    super(message);
  }

  /** What made a future of this package fail, whatever wraps it. */
  public static BrokerException of(Throwable failure) {
    OutOfMemoryExit.check(failure);
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof BrokerException refused) {
      return refused;
    }
    // No worker takes anything: the broker stops.
    return cause instanceof RejectedExecutionException
        ? new BrokerException("exiting")
        : new BrokerException(cause.toString(), cause);
  }

  /** For a failure below; the caller logs the cause. */
  public BrokerException(String message, Throwable cause) {
    super(message, cause);
  }
}
