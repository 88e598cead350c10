package io.holdfast.broker.config;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import org.slf4j.ILoggerFactory;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

/**
 * Sets logback up for the process; apart from {@link Logging}, which is there without logback, too.
 */
public final class LogbackSetup {
  /** Not where the logback of a program would find it that the broker is embedded in. */
  private static final String CONFIGURATION = "io/holdfast/broker/logback.xml";

  private static final String CONFIGURATION_FILE = "logback.configurationFile";

  private LogbackSetup() {}

  /** Has logback begin as the broker wants it. Before SLF4J does anything. */
  public static void begin() {
    if (System.getProperty(CONFIGURATION_FILE) == null) {
      System.setProperty(CONFIGURATION_FILE, CONFIGURATION);
    }
  }

  static void writeJson() {
    LoggerContext context = context();
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    if (root.getAppender("STDERR") instanceof QueuedStderrAppender appender) {
      JsonLines encoder = new JsonLines();
      encoder.setContext(context);
      encoder.start();
      appender.setEncoder(encoder);
    }
  }

  static void setLevel(LogLevel level) {
    LoggerContext context = context();
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    context.getTurboFilterList().removeIf(OnlyFatal.class::isInstance);
    if (level == LogLevel.FATAL) {
      context.addTurboFilter(new OnlyFatal());
    }
    root.setLevel(level == LogLevel.FATAL ? Level.ERROR : Level.toLevel(level.name()));
  }

  private static LoggerContext context() {
    ILoggerFactory factory = LoggerFactory.getILoggerFactory();
    if (factory instanceof LoggerContext context) {
      return context;
    }
    throw new IllegalStateException("logging needs logback, found " + factory.getClass().getName());
  }

  /** Drops every entry not marked {@link Logging#FATAL}. */
  private static final class OnlyFatal extends TurboFilter {
    @Override
    public FilterReply decide(
        Marker marker, Logger logger, Level level, String format, Object[] params, Throwable t) {
      return Logging.FATAL.equals(marker) ? FilterReply.NEUTRAL : FilterReply.DENY;
    }
  }
}
