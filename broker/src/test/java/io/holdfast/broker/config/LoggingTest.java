package io.holdfast.broker.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

class LoggingTest {
  private final Logger log = LoggerFactory.getLogger("io.holdfast.broker.config.LoggingTest");

  @BeforeEach
  @AfterEach
  void restoreDefaults() {
    Logging.configure(Options.defaults());
  }

  private String layout(Level level, String text, Throwable throwable) {
    var event =
        new LoggingEvent(
            "", (ch.qos.logback.classic.Logger) log, level, text, throwable, new Object[0]);
    return new NsqdLayout().doLayout(event);
  }

  @Test
  void shouldWriteLinesAsNsqdDoes() {
    Logging.configure(Options.builder().set("log-prefix", "(a) ").build());
    String line = layout(Level.WARN, "TOPIC(t): two\nlines", null);
    assertTrue(
        line.matches(
            "\\(a\\) \\d{4}/\\d\\d/\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{6} WARNING: TOPIC\\(t\\):"
                + " two\\\\nlines\\R"),
        line);
  }

  @Test
  void shouldShowWhatATerminalWouldObey() {
    String line =
        layout(Level.INFO, "a\u001b[31mb\u009b2Jc\u202ed\u200be\u2028f\u007fg\rh\bü", null);
    assertTrue(
        line.endsWith(
            "INFO: a\\u001b[31mb\\u009b2Jc\\u202ed\\u200be\\u2028f\\u007fg\\rh\\u0008ü"
                + System.lineSeparator()),
        line);
  }

  @Test
  void shouldWriteAnObjectALineThatATerminalDoesNotObey() throws java.io.IOException {
    String text = "two\nlines \"a\\ \u001b[31m\u009b2J\u202e\u2028\u007fü\uD83D\uDE00\uD83D";
    var event =
        new LoggingEvent(
            "",
            (ch.qos.logback.classic.Logger) log,
            Level.WARN,
            text,
            new IllegalStateException("outer\nline"),
            new Object[0]);
    JsonLines lines = new JsonLines();
    lines.setContext((LoggerContext) LoggerFactory.getILoggerFactory());
    lines.start();
    String line = new String(lines.encode(event), java.nio.charset.StandardCharsets.UTF_8);
    assertTrue(line.endsWith("}\n") && line.indexOf('\n') == line.length() - 1, line);
    assertFalse(line.chars().anyMatch(c -> c != '\n' && Character.isISOControl(c)), line);
    assertTrue(line.contains("\\u202e\\u2028\\u007fü"), line);
    var json = new com.fasterxml.jackson.databind.ObjectMapper().readTree(line);
    assertEquals(text.replaceAll("\uD83D$", "?"), json.path("formattedMessage").asText());
    assertEquals("WARN", json.path("level").asText());
    assertEquals(log.getName(), json.path("loggerName").asText());
    assertTrue(json.path("timestamp").asLong() > 0);
    assertEquals("outer\nline", json.path("throwable").path("message").asText());
  }

  @Test
  void shouldKeepAThrowableAndItsCausesOnTheLine() {
    Exception e = new IllegalStateException("outer\nline", new java.io.IOException("disk"));
    String line = layout(Level.ERROR, "failed", e);
    assertTrue(
        line.contains(" ERROR: failed - java.lang.IllegalStateException: outer\\nline ("), line);
    assertTrue(line.contains(", caused by java.io.IOException: disk ("), line);
    assertEquals(1, line.lines().count());
  }

  @Test
  void shouldChangeTheLevelAtRunTime() {
    assertFalse(log.isDebugEnabled());
    Logging.setLevel("DEBUG");
    assertTrue(log.isDebugEnabled());
    assertFalse(LoggerFactory.getLogger("io.netty.channel").isInfoEnabled());
    assertFalse(LoggerFactory.getLogger("net.openhft.chronicle").isInfoEnabled());
    Logging.setLevel(LogLevel.ERROR);
    assertFalse(log.isWarnEnabled());
    assertTrue(log.isErrorEnabled());
    assertThrows(IllegalArgumentException.class, () -> Logging.setLevel("loud"));
  }

  @Test
  void shouldLetOnlyFatalThroughAtLevelFatal() {
    Logging.setLevel(LogLevel.FATAL);
    assertFalse(log.isErrorEnabled());
    assertTrue(log.isErrorEnabled(Logging.FATAL));
    Logging.setLevel(LogLevel.INFO);
    assertTrue(log.isInfoEnabled());
  }

  @Test
  void shouldKeepLogbackItselfSilent() {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    assertEquals(
        1,
        context.getStatusManager().getCopyOfStatusListenerList().stream()
            .filter(ch.qos.logback.core.status.NopStatusListener.class::isInstance)
            .count());
  }

  @Test
  void shouldNotAlarmOperatorsWithWhatTheEngineSaysOfElections() {
    ch.qos.logback.classic.Logger engine =
        (ch.qos.logback.classic.Logger)
            LoggerFactory.getLogger("com.alipay.sofa.jraft.core.NodeImpl");
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.setContext(engine.getLoggerContext());
    lines.start();
    engine.addAppender(lines);
    try {
      engine.warn("Node {} term {} start preVote.", "g", 1);
      engine.error("Fail to add a replicator, peer={}.", "10.0.0.1:4160");
      engine.error("Fail to run ConfigurationChangeDone, status: {}.", "Leader stepped down");
      engine.error("Corrupted log entry received from leader, index={}", 7);
      assertEquals(
          List.of("Corrupted log entry received from leader, index=7"),
          lines.list.stream().map(ILoggingEvent::getFormattedMessage).toList());
      Logging.setLevel(LogLevel.DEBUG);
      engine.error("Fail to add a replicator, peer={}.", "10.0.0.1:4160");
      assertEquals(2, lines.list.size());
    } finally {
      engine.detachAppender(lines);
    }
  }
}
