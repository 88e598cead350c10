package io.holdfast.broker.http;

import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.NoLeaderException;
import io.holdfast.broker.queue.RefusedException;
import io.holdfast.broker.queue.SharedLogException;
import io.holdfast.broker.queue.TopicFullException;

/**
 * An answer other than 200, thrown by a handler. Carries no stack trace: it is an answer, not a
 * fault.
 */
final class HttpError extends Exception {
  private static final long serialVersionUID = 1L;

  private final int status;
  private final boolean isUndone;

  /**
   * @param status HTTP status
   * @param code what {@code {"message":"CODE"}} says
   */
  HttpError(int status, String code) {
    this(status, code, false);
  }

  private HttpError(int status, String code, boolean isUndone) {
    super(code, null, false, false);
    this.status = status;
    this.isUndone = isUndone;
  }

  static HttpError badRequest(String code) {
    return new HttpError(400, code);
  }

  static HttpError notFound(String code) {
    return new HttpError(404, code);
  }

  static HttpError tooLarge(String code) {
    return new HttpError(413, code);
  }

  /** Topic closing, broker closing or a disk error: nsqd has one code for all (contract §5). */
  static HttpError exiting() {
    return new HttpError(503, "EXITING");
  }

  /** A publish or a creation that did not work: why is worth telling, unless it is the end. */
  static HttpError failed(BrokerException cause) {
    if (cause instanceof TopicFullException) {
      return new HttpError(429, cause.getMessage());
    }
    if (cause instanceof NoLeaderException) {
      return new HttpError(503, cause.getMessage(), true);
    }
    if (cause.getCause() instanceof SharedLogException failure) {
      return failed(failure);
    }
    return cause instanceof RefusedException ? new HttpError(503, cause.getMessage()) : exiting();
  }

  /** A change that those who share a topic have not agreed on, or nobody knows. */
  static HttpError failed(SharedLogException cause) {
    return new HttpError(503, cause.getMessage(), !cause.isUnknown());
  }

  /** Whether certainly nothing was done, and another node may be able to. */
  boolean isUndone() {
    return isUndone;
  }

  int status() {
    return status;
  }
}
