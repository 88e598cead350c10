package io.holdfast.broker.policy;

/** A policy that cannot be: what is wrong, in one line for the user. */
public final class BadPolicyException extends Exception {
  private static final long serialVersionUID = 1L;

  BadPolicyException(String message) {
    super(message, null, false, false);
  }
}
