package io.holdfast.broker.history;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.holdfast.broker.config.Logging;
import java.io.Closeable;
import java.util.List;
import org.slf4j.ILoggerFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

/**
 * Makes an event of every line that the log gets at WARN and above or marked as {@link
 * Logging#NOTED}, so that whoever looks at the broker later need not have its log. Thread-safe.
 */
public final class NoticedLines extends AppenderBase<ILoggingEvent> implements Closeable {
  private final Events events;

  private NoticedLines(Events events) {
    this.events = events;
  }

  /** Begins to listen, until it is closed. */
  public static NoticedLines into(Events events) {
    NoticedLines lines = new NoticedLines(events);
    ILoggerFactory factory = LoggerFactory.getILoggerFactory();
    if (factory instanceof LoggerContext context) {
      lines.setContext(context);
      lines.start();
      context.getLogger(Logger.ROOT_LOGGER_NAME).addAppender(lines);
    }
    return lines;
  }

  @Override
  protected void append(ILoggingEvent line) {
    List<Marker> markers = line.getMarkerList();
    if (line.getLevel().isGreaterOrEqual(Level.WARN)
        || (markers != null && markers.contains(Logging.NOTED))) {
      events.noticed(line.getTimeStamp(), line.getLevel().toString(), line.getFormattedMessage());
    }
  }

  @Override
  public void close() {
    if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      context.getLogger(Logger.ROOT_LOGGER_NAME).detachAppender(this);
    }
    stop();
  }
}
