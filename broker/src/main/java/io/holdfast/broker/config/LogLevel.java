package io.holdfast.broker.config;

import java.util.Locale;
import java.util.Optional;

/** Log levels of contract §8; {@code /config/log_level} shows {@link #number()}. */
public enum LogLevel {
  /** 1: per message and per connection detail. */
  DEBUG(1),
  /** 2: life cycle. */
  INFO(2),
  /** 3: something is wrong, the broker copes. */
  WARN(3),
  /** 4: something failed. */
  ERROR(4),
  /** 5: only what ends the broker. */
  FATAL(5);

  private final int number;

  LogLevel(int number) {
    this.number = number;
  }

  /** Returns 1 (debug) to 5 (fatal). */
  public int number() {
    return number;
  }

  /** Returns the name as flags and file write it, lower case. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Reads a level's name in any case.
   *
   * @return the level, empty if there is none of that name
   */
  public static Optional<LogLevel> parse(String text) {
    for (LogLevel level : values()) {
      if (level.name().equalsIgnoreCase(text)) {
        return Optional.of(level);
      }
    }
    return Optional.empty();
  }
}
