package io.holdfast.broker.tls;

/** A TLS file that cannot be used; the message is one line and names the file. */
public final class TlsException extends Exception {
  TlsException(String message, Throwable cause) {
    super(message, cause);
  }
}
