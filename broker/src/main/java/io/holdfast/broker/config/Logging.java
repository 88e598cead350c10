package io.holdfast.broker.config;

import java.util.List;
import org.slf4j.Marker;
import org.slf4j.MarkerFactory;

/**
 * Applies log-level, log-prefix and log-format, at start and at run time. Lines go to standard
 * error (see {@link LogbackProvider}); the libraries' loggers stay at WARN whatever the level.
 * Callable from any thread.
 */
public final class Logging {
  /**
   * Marks the entry that ends the broker: {@code log.error(Logging.FATAL, ...)}. SLF4J has no such
   * level.
   */
  public static final Marker FATAL = MarkerFactory.getMarker("FATAL");

  /** Marks a line that is an event, too, although it is no warning. */
  public static final Marker NOTED = MarkerFactory.getMarker("NOTED");

  /** Whether the process's logging is the broker's own: that of others is left alone. */
  private static volatile boolean isOwn;

  /** Written by {@link #configure}, read by every thread that logs. */
  private static volatile String prefix = "[nsqd] ";

  private Logging() {}

  /** Applies the options' log level, prefix and format. */
  public static void configure(Options options) {
    isOwn = true;
    prefix = options.logPrefix();
    if (options.logFormat() == LogFormat.JSON) {
      LogbackSetup.writeJson();
    }
    setLevel(options.logLevel());
  }

  /**
   * Sets the least severe level that is logged, from now on; nothing before {@link #configure}.
   *
   * @param level anything less severe is dropped; with {@link LogLevel#FATAL} only entries marked
   *     {@link #FATAL} remain
   */
  public static void setLevel(LogLevel level) {
    if (isOwn) {
      LogbackSetup.setLevel(level);
    }
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
}
