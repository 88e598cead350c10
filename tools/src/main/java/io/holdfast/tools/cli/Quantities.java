package io.holdfast.tools.cli;

import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Numbers with units on the command line, and the same back in reports. */
public final class Quantities {
  private static final Pattern NUMBER = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*([a-zA-Z]*)");

  private Quantities() {}

  /** A count: {@code 200}, {@code 10k}, {@code 2m}, {@code 1g} (powers of 1000). */
  public static final class Count implements ITypeConverter<Long> {
    @Override
    public Long convert(String value) {
      return scaled(value, 1000, "a count such as 200, 10k or 2m");
    }
  }

  /** A {@link Count} that is not 0: ending after nothing is no way to say "never". */
  public static final class AtLeastOne implements ITypeConverter<Long> {
    @Override
    public Long convert(String value) {
      long count = new Count().convert(value);
      if (count == 0) {
        throw new TypeConversionException("'" + value + "' is not at least 1");
      }
      return count;
    }
  }

  /** A size in bytes: {@code 200}, {@code 64k}, {@code 1m}, {@code 1g} (powers of 1024). */
  public static final class Bytes implements ITypeConverter<Long> {
    @Override
    public Long convert(String value) {
      return scaled(value.replaceAll("(?i)i?b$", ""), 1024, "a size such as 200, 64k or 1m");
    }
  }

  /** A duration: {@code 250ms}, {@code 5s}, {@code 2m}, {@code 1h}; a bare zero is fine too. */
  public static final class Time implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String value) {
      Matcher matcher = NUMBER.matcher(value);
      if (matcher.matches()) {
        double number = Double.parseDouble(matcher.group(1));
        double millis =
            switch (matcher.group(2)) {
              case "ms" -> 1;
              case "s" -> 1000;
              case "m" -> 60_000;
              case "h" -> 3_600_000;
              case "" -> number == 0 ? 1 : -1;
              default -> -1;
            };
        if (millis > 0 && number * millis <= Long.MAX_VALUE / 1e6) {
          return Duration.ofNanos(Math.round(number * millis * 1e6));
        }
      }
      throw new TypeConversionException(
          "'" + value + "' is not a duration such as 250ms, 5s, 2m or 1h");
    }
  }

  private static long scaled(String value, long unit, String expected) {
    Matcher matcher = NUMBER.matcher(value);
    if (matcher.matches()) {
      long factor =
          switch (matcher.group(2).toLowerCase(Locale.ROOT)) {
            case "" -> 1;
            case "k" -> unit;
            case "m" -> unit * unit;
            case "g" -> unit * unit * unit;
            default -> -1;
          };
      double result = Double.parseDouble(matcher.group(1)) * factor;
      if (factor > 0 && result <= Long.MAX_VALUE / 2d && result == Math.rint(result)) {
        return (long) result;
      }
    }
    throw new TypeConversionException("'" + value + "' is not " + expected);
  }

  /**
   * A count with thousands separators.
   *
   * @param value any number
   * @return for example {@code 1,234,567}
   */
  public static String grouped(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }

  /** As {@link #grouped(long)}, rounded. */
  public static String grouped(double value) {
    return grouped(Math.round(value));
  }

  /**
   * A number of things.
   *
   * @param count how many
   * @param thing what one of them is called; more get an s
   * @return for example {@code 1 message} or {@code 1,234 messages}
   */
  public static String count(long count, String thing) {
    return grouped(count) + " " + thing + (count == 1 ? "" : "s");
  }

  /**
   * A byte count in decimal units.
   *
   * @param bytes zero or more
   * @return for example {@code 12.3 MB}
   */
  public static String bytes(double bytes) {
    double value = bytes;
    String[] units = {"B", "kB", "MB", "GB", "TB"};
    int unit = 0;
    while (value >= 1000 && unit < units.length - 1) {
      value /= 1000;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  }

  /**
   * A latency in the unit that reads best.
   *
   * @param nanos ns
   * @return for example {@code 312 us} or {@code 4.51 ms}
   */
  public static String latency(double nanos) {
    if (nanos < 1e6) {
      return String.format(Locale.ROOT, "%.0f us", nanos / 1e3);
    }
    return nanos < 1e9
        ? String.format(Locale.ROOT, "%.2f ms", nanos / 1e6)
        : String.format(Locale.ROOT, "%.2f s", nanos / 1e9);
  }
}
