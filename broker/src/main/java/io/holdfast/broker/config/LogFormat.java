package io.holdfast.broker.config;

import java.util.Locale;
import java.util.Optional;

/** How log lines look. */
public enum LogFormat {
  /** As nsqd's. */
  TEXT,
  /** One JSON object a line. */
  JSON;

  /** Returns the name as flags and file write it. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Reads a format in any case.
   *
   * @return the format, empty if unknown
   */
  public static Optional<LogFormat> parse(String text) {
    for (LogFormat format : values()) {
      if (format.name().equalsIgnoreCase(text)) {
        return Optional.of(format);
      }
    }
    return Optional.empty();
  }
}
