package io.holdfast.tools.cli;

import java.io.PrintStream;
import java.time.Duration;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * A bar on standard error for what takes long: bytes, rate, time left. Only where standard error is
 * a terminal and standard output, if it gets rows, is not. One thread; the bar draws by its own.
 */
public final class Progress {
  private static final long AFTER_NS = 2_000_000_000;
  private static final long INTERVAL_NS = 200_000_000;
  private static final int INTERVAL_MS = 500;
  private static final int WIDTH = 78;
  private static final long MB = 1_000_000;

  private final PrintStream err;
  private final boolean visible;
  private final String what;
  private final long afterNs;
  private final long startNs = System.nanoTime();
  private long totalBytes;
  private long doneBytes;
  private long lastNs = startNs;
  private ProgressBar bar;

  // Guarded by this.
  private boolean ended;

  /**
   * @param what a word for what is going on
   * @param rows whether rows go to standard output meanwhile
   */
  public Progress(ToolContext context, String what, boolean rows) {
    this(context.err(), what, Terminal.isErr() && !(rows && context.terminal()), AFTER_NS);
  }

  Progress(PrintStream err, String what, boolean visible, long afterNs) {
    this.err = err;
    this.what = what;
    this.visible = visible;
    this.afterNs = afterNs;
  }

  /** More work to come, bytes. */
  public void total(long bytes) {
    totalBytes += bytes;
  }

  /** All the work there is by what is known now, bytes. */
  public void expect(long bytes) {
    totalBytes = bytes;
  }

  /** Work finished since the last call, bytes. */
  public void done(long bytes) {
    doneBytes += bytes;
  }

  /**
   * Brings the bar up to date now and then.
   *
   * @param currentBytes done beyond {@link #done}
   * @param count for the reader: messages so far
   */
  public void show(long currentBytes, long count) {
    if (!visible) {
      return;
    }
    long nowNs = System.nanoTime();
    if (nowNs - startNs < afterNs || nowNs - lastNs < Math.min(INTERVAL_NS, afterNs)) {
      return;
    }
    lastNs = nowNs;
    long bytes = doneBytes + currentBytes;
    if (bar == null) {
      bar =
          new ProgressBarBuilder()
              .setTaskName(what)
              .setInitialMax(Math.max(totalBytes, bytes))
              .startsFrom(bytes, Duration.ofNanos(nowNs - startNs))
              .setStyle(ProgressBarStyle.ASCII)
              .setUnit(" MB", MB)
              .showSpeed()
              .setUpdateIntervalMillis(INTERVAL_MS)
              .setConsumer(new DelegatingProgressBarConsumer(this::draw, WIDTH))
              .build();
    }
    bar.maxHint(Math.max(totalBytes, bytes));
    bar.stepTo(bytes);
    bar.setExtraMessage(" " + Quantities.count(count, "message"));
  }

  private synchronized void draw(String line) {
    if (!ended) {
      err.print("\r" + line + "\033[K");
      err.flush();
    }
  }

  /** Makes room for a line of text; the bar comes back below it. */
  public synchronized void clear() {
    if (bar != null) {
      err.print("\r\033[K");
      err.flush();
    }
  }

  /** Takes the bar away for good. */
  public void end() {
    synchronized (this) {
      ended = true;
    }
    clear();
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
