package io.holdfast.tools.cli;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Standard output whose errors cannot be overlooked. A {@link PrintStream} swallows them; over this
 * stream the first failed write ends the command with a {@link Failure}, and every later write and
 * flush fails with the same, so that nobody takes what was not written for written. Thread-safe.
 */
public final class CheckedOutput extends OutputStream {
  private static final int BUFFER_BYTES = 1 << 16;

  private final OutputStream to;

  // Guarded by this.
  private Failure failure;

  private CheckedOutput(OutputStream to) {
    this.to = to;
  }

  /**
   * Makes a buffered stream for commands to print to; they flush it where somebody waits.
   *
   * @param to where the bytes go
   * @return throws {@link Failure} from any write or flush once {@code to} has failed
   */
  public static PrintStream over(OutputStream to) {
    return new PrintStream(
        new BufferedOutputStream(new CheckedOutput(to), BUFFER_BYTES),
        false,
        StandardCharsets.UTF_8);
  }

  /** Standard output took no more. Not an {@link IOException}: a PrintStream would swallow it. */
  public static final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1;

    private Failure(IOException cause) {
      super("standard output: " + ToolException.describe(cause), cause);
    }

    /**
     * @return whether the reader of a pipe has left, as in {@code | head}: an end, not an error
     */
    public boolean readerLeft() {
      return getMessage().toLowerCase(Locale.ROOT).contains("broken pipe");
    }
  }

  /** What may fail. */
  private interface Write {
    void run() throws IOException;
  }

  private synchronized void checked(Write write) {
    if (failure == null) {
      try {
        write.run();
        return;
      } catch (IOException e) {
        failure = new Failure(e);
      }
    }
    throw failure;
  }

  @Override
  public void write(int b) {
    checked(() -> to.write(b));
  }

  @Override
  public void write(byte[] bytes, int offset, int count) {
    checked(() -> to.write(bytes, offset, count));
  }

  @Override
  public void flush() {
    checked(to::flush);
  }
}
