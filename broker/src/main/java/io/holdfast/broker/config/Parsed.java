package io.holdfast.broker.config;

/**
 * What the arguments ask for. {@code Main} runs, or prints and exits; nothing else exits the
 * process.
 */
public sealed interface Parsed {
  /** Start the broker with these options, which are valid. */
  record Run(Options options) implements Parsed {}

  /**
   * Print to standard output and exit.
   *
   * @param text lines, without a final line break
   * @param exitCode 0
   */
  record Print(String text, int exitCode) implements Parsed {}

  /**
   * Print to standard error and exit; nothing has been started.
   *
   * @param message one line that names the value and what is accepted
   * @param exitCode 2 for a bad flag, 1 for everything else (contract §8)
   */
  record Fail(String message, int exitCode) implements Parsed {
    static final String PROGRAM = "holdfast: ";

    /** Of something that is no flag: exit code 1. */
    public static Fail of(String reason) {
      return new Fail(PROGRAM + GoValues.oneLine(reason), BadOptionException.BAD_REST);
    }

    /** Returns the message without the program's name. */
    public String reason() {
      return message.startsWith(PROGRAM) ? message.substring(PROGRAM.length()) : message;
    }
  }
}
