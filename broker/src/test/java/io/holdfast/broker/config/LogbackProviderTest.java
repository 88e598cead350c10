package io.holdfast.broker.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.core.status.NopStatusListener;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LogbackProviderTest {
  private final LogbackProvider provider = new LogbackProvider();
  private LoggerContext context;

  @BeforeEach
  void begin() {
    provider.initialize();
    context = (LoggerContext) provider.getLoggerFactory();
  }

  @AfterEach
  void end() {
    context.stop();
  }

  @Test
  void shouldWriteToStandardErrorFromInfoOn() {
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    assertEquals(Level.INFO, root.getLevel());
    var appender = assertInstanceOf(QueuedStderrAppender.class, root.getAppender("STDERR"));
    assertTrue(appender.isStarted() && context.isStarted());
  }

  @Test
  void shouldKeepLibrariesAndLogbackQuiet() {
    context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).setLevel(Level.DEBUG);
    assertEquals(Level.WARN, context.getLogger("io.netty.channel").getEffectiveLevel());
    assertEquals(Level.WARN, context.getLogger("net.openhft.chronicle").getEffectiveLevel());
    assertEquals(
        NopStatusListener.class,
        context.getStatusManager().getCopyOfStatusListenerList().get(0).getClass());
  }
}
