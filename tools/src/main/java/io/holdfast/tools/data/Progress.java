package io.holdfast.tools.data;

import io.holdfast.tools.Quantities;
import io.holdfast.tools.Terminal;
import io.holdfast.tools.ToolContext;
import java.io.PrintStream;

/**
 * A bar on standard error, when that is a terminal and standard output, if it gets rows, is not.
 * One thread.
 */
public final class Progress {
  private static final long INTERVAL_NS = 200_000_000;
  private static final int WIDTH = 30;

  private final PrintStream err;
  private final boolean visible;
  private final String what;
  private long totalBytes;
  private long doneBytes;
  private long lastNs;
  private boolean shown;

  /**
   * @param what a word for what is going on
   * @param rows whether rows go to standard output meanwhile
   */
  public Progress(ToolContext context, String what, boolean rows) {
    err = context.err();
    this.what = what;
    visible = Terminal.isErr() && !(rows && context.terminal());
    lastNs = System.nanoTime();
  }

  /** Work to come, bytes. */
  public void total(long bytes) {
    totalBytes += bytes;
  }

  /** Work finished since the last call, bytes. */
  public void done(long bytes) {
    doneBytes += bytes;
  }

  /**
   * Draws now and then.
   *
   * @param currentBytes done beyond {@link #done}
   * @param count for the reader: messages so far
   */
  public void show(long currentBytes, long count) {
    if (!visible) {
      return;
    }
    long nowNs = System.nanoTime();
    if (nowNs - lastNs < INTERVAL_NS) {
      return;
    }
    lastNs = nowNs;
    double part =
        totalBytes == 0 ? 0 : Math.min(1, (doneBytes + currentBytes) / (double) totalBytes);
    int filled = (int) (part * WIDTH);
    err.printf(
        "\r%s [%s%s] %3d %%  %s messages ",
        what,
        "#".repeat(filled),
        ".".repeat(WIDTH - filled),
        (int) (part * 100),
        Quantities.grouped(count));
    err.flush();
    shown = true;
  }

  /** Takes the bar away. */
  public void end() {
    if (shown) {
      err.print("\r\033[K");
      err.flush();
      shown = false;
    }
  }
}
