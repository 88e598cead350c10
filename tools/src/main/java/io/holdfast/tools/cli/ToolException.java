package io.holdfast.tools.cli;

/**
 * A failure the user is to read as one line: the message is printed, and the process exits with
 * {@link ExitCode#FAILURE} unless it is about usage. The message names what failed and, where there
 * is one, the way out.
 */
public final class ToolException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final int exitCode;

  /**
   * @param message one line, no trailing newline
   */
  public ToolException(String message) {
    this(message, null);
  }

  /**
   * @param message one line, no trailing newline
   * @param cause logged at DEBUG only
   */
  public ToolException(String message, Throwable cause) {
    this(message, cause, ExitCode.FAILURE);
  }

  private ToolException(String message, Throwable cause, int exitCode) {
    super(message, cause);
    this.exitCode = exitCode;
  }

  /**
   * An option or argument that makes no sense, found after parsing.
   *
   * @param message one line, no trailing newline
   * @return exits with {@link ExitCode#USAGE}
   */
  public static ToolException usage(String message) {
    return new ToolException(message, null, ExitCode.USAGE);
  }

  /**
   * Data that cannot be read at all, for commands whose exit code 1 means something else.
   *
   * @param message one line, no trailing newline
   * @param cause logged at DEBUG only
   * @return exits with {@link ExitCode#USAGE}
   */
  public static ToolException unreadable(String message, Throwable cause) {
    return new ToolException(message, cause, ExitCode.USAGE);
  }

  /**
   * @return what the process exits with
   */
  public int exitCode() {
    return exitCode;
  }

  /**
   * Words for an exception whose message alone may be empty or only a host name.
   *
   * @param e any exception
   * @return one line that says what happened
   */
  public static String describe(Throwable e) {
    String message = e.getMessage();
    if (e instanceof java.net.UnknownHostException) {
      return "unknown host " + message;
    }
    if (e instanceof java.net.SocketTimeoutException) {
      return "timed out" + (message == null ? "" : " (" + message + ")");
    }
    if (e instanceof java.nio.file.NoSuchFileException) {
      return message + ": no such file";
    }
    if (e instanceof java.nio.file.AccessDeniedException) {
      return message + ": permission denied";
    }
    if (message == null || message.isBlank()) {
      return e.getCause() == null ? e.getClass().getSimpleName() : describe(e.getCause());
    }
    if (e instanceof java.nio.file.FileAlreadyExistsException) {
      return message + ": exists already";
    }
    if (e instanceof java.nio.file.NotDirectoryException) {
      return message + ": not a directory";
    }
    if (e instanceof ToolException) {
      return message;
    }
    return message.lines().findFirst().orElse(message).strip();
  }
}
