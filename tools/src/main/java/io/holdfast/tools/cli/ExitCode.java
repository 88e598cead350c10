package io.holdfast.tools.cli;

/** What the process exits with. */
public final class ExitCode {
  /** The command did what it was asked. */
  public static final int OK = 0;

  /** The command failed. */
  public static final int FAILURE = 1;

  /** The command line makes no sense. */
  public static final int USAGE = 2;

  /** The command was cut short because the reader of its output left. */
  public static final int PIPE = 128 + 13;

  private ExitCode() {}
}
