package io.holdfast.broker.wire;

/**
 * A command that gets an error frame: "code text" (contract §1.3). Made without a stack trace,
 * since clients' mistakes are no events of the broker's.
 */
public final class ClientException extends Exception {
  private static final long serialVersionUID = 1L;

  private final boolean fatal;

  private ClientException(String message, boolean fatal) {
    super(message, null, false, false);
    this.fatal = fatal;
  }

  /**
   * An error after which the connection is closed.
   *
   * @param code such as E_INVALID
   * @param text with the offending bytes as ISO-8859-1 characters
   */
  public static ClientException fatal(String code, String text) {
    return new ClientException(code + " " + text, true);
  }

  /** An error after which the connection goes on. */
  public static ClientException error(String code, String text) {
    return new ClientException(code + " " + text, false);
  }

  /** Whether the connection is closed. */
  public boolean isFatal() {
    return fatal;
  }

  /** Refuses a command that has no place in the connection's state. */
  static void requireState(boolean isRight, String command) throws ClientException {
    if (!isRight) {
      throw fatal("E_INVALID", "cannot " + command + " in current state");
    }
  }
}
