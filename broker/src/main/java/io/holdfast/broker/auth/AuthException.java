package io.holdfast.broker.auth;

/**
 * No auth server gave a usable answer; the client gets {@code E_AUTH_FAILED AUTH failed} (contract
 * §1.7). The message is for the log only.
 */
public final class AuthException extends Exception {
  AuthException(String message) {
    super(message);
  }
}
