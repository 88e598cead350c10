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
import org.slf4j.helpers.Reporter;

/**
 * Sets logback up for the process; apart from {@link Logging}, which is there without logback, too.
 */
public final class LogbackSetup {
  /** The name of the appender. */
  static final String STDERR = "STDERR";

  private static final String CONFIGURATION_FILE = "logback.configurationFile";

  /** What decides who leads in a cluster. */
  private static final String ENGINE = "com.alipay.sofa.jraft";

  /** What it says, twice a second, of a node that is away: the broker says that once. */
  private static final List<String> ENGINE_CONNECTIONS =
      List.of(
          ENGINE + ".core.Replicator",
          ENGINE + ".core.ReplicatorGroupImpl",
          ENGINE + ".rpc.impl.AbstractClientService");

  /**
   * How lines of it begin that are nothing but what an election, or a node that goes or comes,
   * brings.
   */
  private static final List<String> ENGINE_USUAL =
      List.of(
          "Fail to add a replicator",
          "Fail to add a learner replicator",
          "Fail to run ConfigurationChangeDone",
          "Node {} start the replicator failed",
          "Node {} start the learner replicator failed",
          "Node {} waitCaughtUp",
          "Fail to copy data",
          "Invalid conf entry");

  private LogbackSetup() {}

  /**
   * Has logback begin as the broker wants it, unless a configuration of the user's own is named.
   * Before SLF4J does anything.
   */
  public static void begin() {
    if (System.getProperty(CONFIGURATION_FILE) == null) {
      setIfAbsent(LoggerFactory.PROVIDER_PROPERTY_KEY, LogbackProvider.class.getName());
      // SLF4J would say on standard error that it was given a provider.
      setIfAbsent(Reporter.SLF4J_INTERNAL_VERBOSITY_KEY, "WARN");
    }
  }

  private static void setIfAbsent(String key, String value) {
    if (System.getProperty(key) == null) {
      System.setProperty(key, value);
    }
  }

  static void writeJson() {
    LoggerContext context = context();
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    if (root.getAppender(STDERR) instanceof QueuedStderrAppender appender) {
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
    // What it says of elections the broker says in its own words.
    boolean isDebug = level == LogLevel.DEBUG;
    context.getLogger(ENGINE).setLevel(isDebug ? Level.INFO : Level.ERROR);
    for (String name : ENGINE_CONNECTIONS) {
      context.getLogger(name).setLevel(isDebug ? Level.INFO : Level.OFF);
    }
    context.getTurboFilterList().removeIf(NoUsual.class::isInstance);
    if (!isDebug) {
      context.addTurboFilter(new NoUsual());
    }
  }

  private static LoggerContext context() {
    ILoggerFactory factory = LoggerFactory.getILoggerFactory();
    if (factory instanceof LoggerContext context) {
      return context;
    }
    throw new IllegalStateException("logging needs logback, found " + factory.getClass().getName());
  }

  /** Drops errors of the engine that are none to an operator: the broker says what they come of. */
  private static final class NoUsual extends TurboFilter {
    @Override
    public FilterReply decide(
        Marker marker, Logger logger, Level level, String format, Object[] params, Throwable t) {
      return level == Level.ERROR
              && format != null
              && logger.getName().startsWith(ENGINE)
              && ENGINE_USUAL.stream().anyMatch(format::startsWith)
          ? FilterReply.DENY
          : FilterReply.NEUTRAL;
    }
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
