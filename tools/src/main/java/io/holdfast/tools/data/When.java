package io.holdfast.tools.data;

import io.holdfast.tools.cli.Quantities;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeParseException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Points in time, on the command line and in rows. */
final class When {
  private static final long NS_PER_S = 1_000_000_000;

  private When() {}

  /**
   * {@code 2026-11-22T20:00:00Z}, the same without Z in local time, {@code 2026-11-22}: its first
   * moment in local time, or {@code 10m}: ago.
   */
  static final class Converter implements ITypeConverter<Instant> {
    @Override
    public Instant convert(String value) {
      try {
        return Instant.parse(value);
      } catch (DateTimeParseException notAnInstant) {
        try {
          return LocalDateTime.parse(value).atZone(ZoneId.systemDefault()).toInstant();
        } catch (DateTimeParseException notLocal) {
          try {
            return LocalDate.parse(value).atStartOfDay(ZoneId.systemDefault()).toInstant();
          } catch (DateTimeParseException notADate) {
            // Then it is a duration.
          }
          try {
            return Instant.now().minus(new Quantities.Time().convert(value));
          } catch (TypeConversionException notADuration) {
            throw new TypeConversionException(
                "'"
                    + value
                    + "' is not a time such as 2026-11-22T20:00:00Z or 2026-11-22, or 10m for 10"
                    + " minutes ago");
          }
        }
      }
    }
  }

  /** A message's timestamp as text. */
  static String text(long timestampNs) {
    return instant(timestampNs).toString();
  }

  static Instant instant(long timestampNs) {
    return Instant.ofEpochSecond(
        Math.floorDiv(timestampNs, NS_PER_S), Math.floorMod(timestampNs, NS_PER_S));
  }

  static long ns(Instant instant) {
    return instant.getEpochSecond() * NS_PER_S + instant.getNano();
  }

  /** An age in the two largest units. */
  static String age(long ms) {
    long s = Math.max(0, ms) / 1000;
    if (s < 60) {
      return s + "s";
    }
    if (s < 3600) {
      return s / 60 + "m" + s % 60 + "s";
    }
    return s < 86_400
        ? s / 3600 + "h" + s % 3600 / 60 + "m"
        : s / 86_400 + "d" + s % 86_400 / 3600 + "h";
  }
}
