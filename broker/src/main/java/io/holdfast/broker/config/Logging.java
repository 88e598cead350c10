package io.holdfast.broker.config;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import java.util.List;
import org.slf4j.ILoggerFactory;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.slf4j.MarkerFactory;

/**
 * Applies log-level, log-prefix and log-format, at start and at run time. Lines go to standard
 * error (logback.xml); the libraries' loggers stay at WARN whatever the level. Callable from any
 * thread.
 */
public final class Logging {
  /**
   * Marks the entry that ends the broker: {@code log.error(Logging.FATAL, ...)}. SLF4J has no such
   * level.
   */
  public static final Marker FATAL = MarkerFactory.getMarker("FATAL");

  /** Written by {@link #configure}, read by every thread that logs. */
  private static volatile String prefix = "[nsqd] ";

  private Logging() {}

  /** Applies the options' log level, prefix and format. */
  public static void configure(Options options) {
    prefix = options.logPrefix();
    if (options.logFormat() == LogFormat.JSON) {
      writeJson();
    }
    setLevel(options.logLevel());
  }

  private static void writeJson() {
    LoggerContext context = context();
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    if (root.getAppender("STDERR") instanceof QueuedStderrAppender appender) {
      JsonLines encoder = new JsonLines();
      encoder.setContext(context);
      encoder.start();
      appender.setEncoder(encoder);
    }
  }

  /**
   * Sets the least severe level that is logged, from now on.
   *
   * @param level anything less severe is dropped; with {@link LogLevel#FATAL} only entries marked
   *     {@link #FATAL} remain
   */
  public static void setLevel(LogLevel level) {
    LoggerContext context = context();
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    context.getTurboFilterList().removeIf(OnlyFatal.class::isInstance);
    if (level == LogLevel.FATAL) {
      context.addTurboFilter(new OnlyFatal());
    }
    root.setLevel(level == LogLevel.FATAL ? Level.ERROR : Level.toLevel(level.name()));
  }

  /**
   * As {@link #setLevel(LogLevel)}, by name.
   *
   * @param name debug, info, warn, error or fatal in any case
   * @throws IllegalArgumentException for any other name
   */
  public static void setLevel(String name) {
    setLevel(
        LogLevel.parse(name)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "bad log level "
                            + GoValues.quote(name)
                            + ": accepted is "
                            + NsqdOptions.LOG_LEVEL.accepted())));
  }

  /** Makes control characters of a text visible, so that it is one line on a terminal. */
  public static String visible(String text) {
    return GoValues.oneLine(text);
  }

  static String prefix() {
    return prefix;
  }

  static boolean isFatal(List<Marker> markers) {
    return markers != null && markers.contains(FATAL);
  }

  private static LoggerContext context() {
    ILoggerFactory factory = LoggerFactory.getILoggerFactory();
    if (factory instanceof LoggerContext context) {
      return context;
    }
    throw new IllegalStateException("logging needs logback, found " + factory.getClass().getName());
  }

  /** Drops every entry not marked {@link #FATAL}. */
  private static final class OnlyFatal extends TurboFilter {
    @Override
    public FilterReply decide(
        Marker marker, Logger logger, Level level, String format, Object[] params, Throwable t) {
      return FATAL.equals(marker) ? FilterReply.NEUTRAL : FilterReply.DENY;
    }
  }
}
