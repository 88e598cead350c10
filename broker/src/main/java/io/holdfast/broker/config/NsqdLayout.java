package io.holdfast.broker.config;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import ch.qos.logback.core.LayoutBase;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.TimeZone;
import java.util.concurrent.TimeUnit;

/**
 * One line per event as nsqd writes them: {@code [nsqd] 2026/11/22 19:30:00.123456 INFO: text}. A
 * throwable goes on the same line, each cause with its first frames, so that a log reader never
 * sees half an event. Called by whichever thread logs.
 */
public final class NsqdLayout extends LayoutBase<ILoggingEvent> {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy/MM/dd HH:mm:ss.SSSSSS", Locale.ROOT);

  /** The older kind of zone is there at once; ZoneId looks for further rules on the class path. */
  private static final TimeZone ZONE = TimeZone.getDefault();

  /** The logger of the audit trail: its lines begin with its name, so that they are found. */
  private static final String AUDIT = "audit";

  private static final int MAX_FRAMES = 6;
  private static final int MAX_CAUSES = 5;

  @Override
  public String doLayout(ILoggingEvent event) {
    StringBuilder line = new StringBuilder(160);
    line.append(Logging.prefix());
    TIME.formatTo(local(time(event)), line);
    line.append(' ').append(levelName(event)).append(": ");
    if (event.getLoggerName().equals(AUDIT)) {
      line.append("audit: ");
    }
    line.append(GoValues.oneLine(String.valueOf(event.getFormattedMessage())));
    appendThrowable(line, event.getThrowableProxy());
    return line.append(System.lineSeparator()).toString();
  }

  private static Instant time(ILoggingEvent event) {
    Instant instant = event.getInstant();
    return instant == null ? Instant.ofEpochMilli(event.getTimeStamp()) : instant;
  }

  private static LocalDateTime local(Instant time) {
    int offsetMs = ZONE.getOffset(time.toEpochMilli());
    return LocalDateTime.ofEpochSecond(
        time.getEpochSecond(),
        time.getNano(),
        ZoneOffset.ofTotalSeconds((int) TimeUnit.MILLISECONDS.toSeconds(offsetMs)));
  }

  private static String levelName(ILoggingEvent event) {
    if (Logging.isFatal(event.getMarkerList())) {
      return "FATAL";
    }
    return event.getLevel().equals(Level.WARN) ? "WARNING" : event.getLevel().toString();
  }

  private static void appendThrowable(StringBuilder line, IThrowableProxy throwable) {
    IThrowableProxy cause = throwable;
    for (int depth = 0; cause != null && depth < MAX_CAUSES; depth++) {
      line.append(depth == 0 ? " - " : ", caused by ").append(cause.getClassName());
      if (cause.getMessage() != null) {
        line.append(": ").append(GoValues.oneLine(cause.getMessage()));
      }
      appendFrames(line, cause);
      cause = cause.getCause();
    }
  }

  /** The innermost frames, at least one, else without those a cause shares with what it caused. */
  private static void appendFrames(StringBuilder line, IThrowableProxy throwable) {
    StackTraceElementProxy[] frames = throwable.getStackTraceElementProxyArray();
    int length = frames == null ? 0 : frames.length;
    int own = Math.min(length, Math.max(1, length - throwable.getCommonFrames()));
    for (int i = 0; i < Math.min(own, MAX_FRAMES); i++) {
      line.append(i == 0 ? " (" : " < ").append(frames[i].getStackTraceElement());
    }
    line.append(own > 0 ? ")" : "");
  }
}
