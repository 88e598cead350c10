package io.holdfast.broker.config;

/** Stops loading; becomes {@link Parsed.Fail} before it leaves {@link OptionsLoader}. */
final class BadOptionException extends Exception {
  /** Exit code for a bad flag (contract §8). */
  static final int BAD_FLAG = 2;

  /** Exit code for everything else that is wrong (contract §8). */
  static final int BAD_REST = 1;

  private static final long serialVersionUID = 1L;

  private final int exitCode;

  BadOptionException(int exitCode, String message) {
    super(message);
    this.exitCode = exitCode;
  }

  int exitCode() {
    return exitCode;
  }
}
