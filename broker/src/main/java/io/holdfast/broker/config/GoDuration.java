package io.holdfast.broker.config;

import java.math.BigInteger;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Durations as Go writes them: {@code 1h30m}, {@code 250ms}, {@code -1.5s}. Values are nanoseconds.
 */
public final class GoDuration {
  private static final long US_NS = 1_000L;
  private static final long MS_NS = 1_000_000L;
  private static final long SECOND_NS = 1_000_000_000L;
  private static final long MINUTE_NS = 60 * SECOND_NS;
  private static final long HOUR_NS = 60 * MINUTE_NS;

  /** Both micro signs: U+00B5 is what keyboards give, U+03BC what some editors turn it into. */
  private static final Map<String, Long> UNIT_NS =
      Map.of(
          "ns", 1L, "us", US_NS, "\u00b5s", US_NS, "\u03bcs", US_NS, "ms", MS_NS, "s", SECOND_NS,
          "m", MINUTE_NS, "h", HOUR_NS);

  /** No sensible duration is longer; keeps the arithmetic on hostile input short. */
  private static final int MAX_LENGTH = 100;

  private GoDuration() {}

  /**
   * Parses an optional sign and one or more numbers, each with a unit ({@code ns us ms s m h}); a
   * fraction finer than a nanosecond is cut off. A bare {@code 0} needs no unit.
   *
   * @param text what the user wrote, not null
   * @return nanoseconds (may be negative), or empty if it is no duration or outside 64 bits
   */
  public static OptionalLong parse(String text) {
    if (text.length() > MAX_LENGTH) {
      return OptionalLong.empty();
    }
    boolean negative = text.startsWith("-");
    int pos = negative || text.startsWith("+") ? 1 : 0;
    if (text.substring(pos).equals("0")) {
      return OptionalLong.of(0);
    }
    if (pos == text.length()) {
      return OptionalLong.empty();
    }
    BigInteger total = BigInteger.ZERO;
    while (pos < text.length()) {
      int wholeEnd = skipDigits(text, pos);
      String whole = text.substring(pos, wholeEnd);
      String fraction = "";
      pos = wholeEnd;
      if (pos < text.length() && text.charAt(pos) == '.') {
        int fractionEnd = skipDigits(text, pos + 1);
        fraction = text.substring(pos + 1, fractionEnd);
        pos = fractionEnd;
      }
      int unitEnd = pos;
      while (unitEnd < text.length()
          && !isDigit(text.charAt(unitEnd))
          && text.charAt(unitEnd) != '.') {
        unitEnd++;
      }
      Long unitNs = UNIT_NS.get(text.substring(pos, unitEnd));
      if (unitNs == null || (whole.isEmpty() && fraction.isEmpty())) {
        return OptionalLong.empty();
      }
      BigInteger unit = BigInteger.valueOf(unitNs);
      // "1.5" of a unit is 15 units over 10: no rounding but the final cut.
      total =
          total.add(
              new BigInteger("0" + whole + fraction)
                  .multiply(unit)
                  .divide(BigInteger.TEN.pow(fraction.length())));
      pos = unitEnd;
    }
    BigInteger signed = negative ? total.negate() : total;
    return signed.bitLength() < Long.SIZE
        ? OptionalLong.of(signed.longValue())
        : OptionalLong.empty();
  }

  /**
   * Formats like Go's {@code Duration.String}: {@code 1h2m3s}, {@code 1.5s}, {@code 2.2ms}, {@code
   * 0s}.
   *
   * @param durationNs nanoseconds, may be negative
   * @return the text, which {@link #parse} reads back to the same value
   */
  public static String format(long durationNs) {
    if (durationNs == 0) {
      return "0s";
    }
    String sign = durationNs < 0 ? "-" : "";
    // Long.MIN_VALUE has no positive counterpart, hence unsigned arithmetic on the magnitude.
    long magnitudeNs = durationNs < 0 ? -durationNs : durationNs;
    if (Long.compareUnsigned(magnitudeNs, SECOND_NS) < 0) {
      if (magnitudeNs < US_NS) {
        return sign + magnitudeNs + "ns";
      }
      return magnitudeNs < MS_NS
          ? sign + decimal(magnitudeNs, US_NS) + "\u00b5s"
          : sign + decimal(magnitudeNs, MS_NS) + "ms";
    }
    long totalMinutes = Long.divideUnsigned(magnitudeNs, MINUTE_NS);
    String seconds = decimal(Long.remainderUnsigned(magnitudeNs, MINUTE_NS), SECOND_NS) + "s";
    if (totalMinutes == 0) {
      return sign + seconds;
    }
    long hours = totalMinutes / 60;
    return sign + (hours == 0 ? "" : hours + "h") + totalMinutes % 60 + "m" + seconds;
  }

  private static String decimal(long valueNs, long unitNs) {
    String whole = Long.toString(valueNs / unitNs);
    long restNs = valueNs % unitNs;
    if (restNs == 0) {
      return whole;
    }
    // unitNs + rest has a leading 1 that keeps the fraction's zeros.
    String fraction = Long.toString(unitNs + restNs).substring(1);
    int end = fraction.length();
    while (fraction.charAt(end - 1) == '0') {
      end--;
    }
    return whole + "." + fraction.substring(0, end);
  }

  private static int skipDigits(String text, int from) {
    int pos = from;
    while (pos < text.length() && isDigit(text.charAt(pos))) {
      pos++;
    }
    return pos;
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }
}
