package io.holdfast.broker.queue;

import java.io.IOException;

/**
 * A change of a topic that other brokers share was not made, or nobody knows here whether it was.
 */
public final class SharedLogException extends IOException {
  private static final long serialVersionUID = 1;

  private final boolean unknown;

  /**
   * @param message for the client
   * @param unknown whether it may happen yet, or has
   */
  public SharedLogException(String message, boolean unknown) {
    super(message);
    this.unknown = unknown;
  }

  /** Whether it may happen yet, or has; else it never will. */
  public boolean isUnknown() {
    return unknown;
  }
}
