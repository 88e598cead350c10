package io.holdfast.tools.cli;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A point in time on the command line.
 *
 * @param text as it was given; null for a duration, which the broker counts back by its own clock
 * @param at the time by this machine's clock
 */
public record PastTime(String text, Instant at) {
  private static final Pattern DURATION = Pattern.compile("-?((?:\\d+(?:\\.\\d+)?(?:ms|s|m|h))+)");
  private static final Pattern PART = Pattern.compile("(\\d+(?:\\.\\d+)?)(ms|s|m|h)");
  private static final double MAX_MS = Duration.ofDays(36_500).toMillis();

  /** {@code 10m}, {@code 1h30m}: ago; or RFC 3339 such as {@code 2026-11-22T20:00:00Z}. */
  public static final class Converter implements ITypeConverter<PastTime> {
    @Override
    public PastTime convert(String value) {
      Matcher duration = DURATION.matcher(value);
      if (duration.matches()) {
        double ms = ms(duration.group(1));
        if (ms <= MAX_MS) {
          long micros = Math.round(ms * 1000);
          return new PastTime(null, Instant.now().minus(Duration.of(micros, ChronoUnit.MICROS)));
        }
      }
      try {
        return new PastTime(value, OffsetDateTime.parse(value).toInstant());
      } catch (DateTimeException e) {
        throw new TypeConversionException(
            "'"
                + value
                + "' is not a time such as 2026-11-22T20:00:00Z, or 10m for 10 minutes ago");
      }
    }

    private static double ms(String duration) {
      double ms = 0;
      Matcher part = PART.matcher(duration);
      while (part.find()) {
        double unit =
            switch (part.group(2)) {
              case "ms" -> 1;
              case "s" -> 1000;
              case "m" -> 60_000;
              default -> 3_600_000;
            };
        ms += Double.parseDouble(part.group(1)) * unit;
      }
      return ms;
    }
  }

  /** The time as a broker's {@code from=} has it. */
  public String place() {
    return text != null ? text : "-" + ChronoUnit.MICROS.between(at, Instant.now()) + "us";
  }

  /** Whether a message is older. */
  public boolean isAfter(long timestampNs) {
    return at.isAfter(Instant.EPOCH.plusNanos(timestampNs));
  }
}
