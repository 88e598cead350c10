package io.holdfast.broker.config;

import java.util.Locale;
import java.util.Optional;

/** What a message has survived when the publisher gets its OK. */
public enum Durability {
  /** In the mapped journal file: survives the end of the process however it comes. */
  WRITTEN,
  /** On disk (fsync, one for all publishers waiting on it): survives a power cut too. */
  SYNCED;

  /** Returns the name as flags and file write it. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Reads a durability in any case.
   *
   * @return the durability, empty if unknown
   */
  public static Optional<Durability> parse(String text) {
    for (Durability durability : values()) {
      if (durability.name().equalsIgnoreCase(text)) {
        return Optional.of(durability);
      }
    }
    return Optional.empty();
  }
}
