package io.holdfast.broker.tls;

import java.nio.file.Path;

/** A TLS file that cannot be used; the message is one line and names the file. */
public final class TlsException extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient Path file;

  TlsException(String message, Path file, Throwable cause) {
    super(message, cause);
    this.file = file;
  }

  /** The file that cannot be used; null when it is none's fault. */
  public Path file() {
    return file;
  }
}
