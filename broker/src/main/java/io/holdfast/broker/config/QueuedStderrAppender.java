package io.holdfast.broker.config;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import ch.qos.logback.core.encoder.Encoder;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Writes log lines to standard error on a thread of its own, so that nobody who logs waits for
 * whoever reads them. While that reader takes nothing, lines up to {@link #MAX_BYTES} are kept and
 * further ones counted; the count is a line of its own once there is room. At the end of the
 * process what is kept is written, within {@link #END_MS}.
 *
 * <p>The encoder is called by whichever thread logs.
 */
public final class QueuedStderrAppender extends UnsynchronizedAppenderBase<ILoggingEvent> {
  /** Kept at most; of it the last quarter is for warnings and errors. */
  static final int MAX_BYTES = 1024 * 1024;

  private static final int MAX_MINOR_BYTES = MAX_BYTES / 4 * 3;

  /** What a waiting line takes beside its bytes. */
  private static final int LINE_BYTES = 64;

  private static final long END_MS = 1000;

  private final BlockingQueue<byte[]> lines = new LinkedBlockingQueue<>();

  /** Of lines that are not written yet, with the one that is being written. */
  private final AtomicLong waitingBytes = new AtomicLong();

  private final AtomicLong dropped = new AtomicLong();
  private final OutputStream out;
  private volatile Encoder<ILoggingEvent> encoder;

  /** Made once in a process. */
  public QueuedStderrAppender() {
    this(new FileOutputStream(FileDescriptor.err));
  }

  QueuedStderrAppender(OutputStream out) {
    this.out = out;
  }

  /** Set before it starts, and once more for another format. */
  public void setEncoder(Encoder<ILoggingEvent> encoder) {
    this.encoder = encoder;
  }

  @Override
  public void start() {
    Thread writer = new Thread(this::write, "log");
    writer.setDaemon(true);
    writer.start();
    Runtime.getRuntime().addShutdownHook(new Thread(this::awaitWritten, "log-end"));
    super.start();
  }

  @Override
  protected void append(ILoggingEvent event) {
    boolean isMinor = !event.getLevel().isGreaterOrEqual(Level.WARN);
    byte[] line = encoder.encode(event);
    long bytes = (long) line.length + LINE_BYTES;
    if (waitingBytes.addAndGet(bytes) - bytes > (isMinor ? MAX_MINOR_BYTES : MAX_BYTES)) {
      waitingBytes.addAndGet(-bytes);
      dropped.incrementAndGet();
    } else {
      lines.add(line);
    }
  }

  private void write() {
    try {
      while (true) {
        byte[] line = lines.take();
        put(line);
        waitingBytes.addAndGet(-line.length - LINE_BYTES);
        long lost = waitingBytes.get() < MAX_MINOR_BYTES / 2 ? dropped.getAndSet(0) : 0;
        if (lost > 0) {
          put(encoder.encode(dropped(lost)));
        }
      }
    } catch (InterruptedException e) {
      addError("the log's thread was interrupted", e);
    }
  }

  private ILoggingEvent dropped(long count) {
    String text = count + " log lines were dropped here, as standard error was not read";
    Logger logger = ((LoggerContext) getContext()).getLogger(QueuedStderrAppender.class);
    return new LoggingEvent(
        QueuedStderrAppender.class.getName(), logger, Level.WARN, text, null, null);
  }

  private void put(byte[] line) {
    try {
      out.write(line);
    } catch (IOException e) {
      // Nobody is there any more: as with any stream of a process, its lines are lost.
      addError("standard error cannot be written", e);
    }
  }

  private void awaitWritten() {
    long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(END_MS);
    while (waitingBytes.get() > 0 && System.nanoTime() < endNs) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
  }
}
