package io.holdfast.broker.config;

import java.math.BigInteger;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Booleans, integers, fractions and byte sizes as Go's flag package reads them, and quoting for
 * messages.
 */
public final class GoValues {
  private static final Set<String> TRUE = Set.of("1", "t", "T", "true", "TRUE", "True");
  private static final Set<String> FALSE = Set.of("0", "f", "F", "false", "FALSE", "False");

  private static final Pattern INTEGER =
      Pattern.compile(
          "([+-]?)(0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0(?:_?[0-7])+"
              + "|0|[1-9](?:_?[0-9])*)");
  private static final Pattern DECIMAL = Pattern.compile("[+-]?[0-9]+");
  private static final Pattern FRACTION =
      Pattern.compile("[+-]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?");
  private static final Pattern BYTE_SIZE = Pattern.compile("([0-9]+) ?([A-Za-z]+)");

  private static final Map<String, Long> BYTE_UNITS =
      Map.of(
          "b", 1L,
          "kb", 1_000L,
          "mb", 1_000_000L,
          "gb", 1_000_000_000L,
          "tb", 1_000_000_000_000L,
          "kib", 1L << 10,
          "mib", 1L << 20,
          "gib", 1L << 30,
          "tib", 1L << 40);

  /** Longer numbers do not fit 64 bits; keeps the arithmetic on hostile input short. */
  private static final int MAX_NUMBER_LENGTH = 100;

  private static final int MAX_QUOTED_LENGTH = 120;

  private GoValues() {}

  static Optional<Boolean> parseBool(String text) {
    if (TRUE.contains(text)) {
      return Optional.of(true);
    }
    return FALSE.contains(text) ? Optional.of(false) : Optional.empty();
  }

  /**
   * Reads an integer as a Go flag does: {@code 0x}, {@code 0b}, {@code 0o}, leading 0 = octal,
   * {@code _}.
   */
  static OptionalLong parseFlagInt(String text) {
    Matcher matcher = INTEGER.matcher(text);
    if (text.length() > MAX_NUMBER_LENGTH || !matcher.matches()) {
      return OptionalLong.empty();
    }
    String digits = matcher.group(2).replace("_", "").toLowerCase(Locale.ROOT);
    int radix = 10;
    int prefix = 0;
    if (digits.length() > 1 && digits.charAt(0) == '0') {
      prefix = Character.isDigit(digits.charAt(1)) ? 1 : 2;
      radix =
          switch (digits.charAt(1)) {
            case 'x' -> 16;
            case 'b' -> 2;
            default -> 8;
          };
    }
    BigInteger magnitude = new BigInteger(digits.substring(prefix), radix);
    return toLong(matcher.group(1).equals("-") ? magnitude.negate() : magnitude);
  }

  /**
   * Reads a decimal integer, as nsqd does for a number that its file holds as a string.
   *
   * @return empty for what is none, or outside 64 bits
   */
  public static OptionalLong parseDecimalInt(String text) {
    if (text.length() > MAX_NUMBER_LENGTH || !DECIMAL.matcher(text).matches()) {
      return OptionalLong.empty();
    }
    return toLong(new BigInteger(text));
  }

  static OptionalDouble parseFraction(String text) {
    if (text.length() > MAX_NUMBER_LENGTH || !FRACTION.matcher(text).matches()) {
      return OptionalDouble.empty();
    }
    return OptionalDouble.of(Double.parseDouble(text));
  }

  /**
   * Reads {@code 64KB} (1000s) or {@code 64KiB} (1024s), in any case; the unit must be there.
   *
   * @return bytes; empty for what is no size, or outside 64 bits
   */
  public static OptionalLong parseByteSize(String text) {
    Matcher matcher = BYTE_SIZE.matcher(text);
    if (text.length() > MAX_NUMBER_LENGTH || !matcher.matches()) {
      return OptionalLong.empty();
    }
    Long unit = BYTE_UNITS.get(matcher.group(2).toLowerCase(Locale.ROOT));
    if (unit == null) {
      return OptionalLong.empty();
    }
    return toLong(new BigInteger(matcher.group(1)).multiply(BigInteger.valueOf(unit)));
  }

  /** Quotes a user's text so that it stays one readable line whatever it holds. */
  public static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      if (i == MAX_QUOTED_LENGTH) {
        return quoted.append("\"...").toString();
      }
      appendVisible(quoted, text.charAt(i), true);
    }
    return quoted.append('"').toString();
  }

  /** Makes control characters visible, so that a message or log entry stays one line. */
  public static String oneLine(String text) {
    StringBuilder line = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      appendVisible(line, text.charAt(i), false);
    }
    return line.toString();
  }

  private static void appendVisible(StringBuilder out, char c, boolean quoting) {
    switch (c) {
      case '\n' -> out.append("\\n");
      case '\r' -> out.append("\\r");
      case '\t' -> out.append(quoting ? "\\t" : "\t");
      case '"', '\\' -> out.append(quoting ? "\\" : "").append(c);
      default -> {
        if (isInvisible(c)) {
          out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
        } else {
          out.append(c);
        }
      }
    }
  }

  /** What moves, colours or turns round what a terminal shows, or shows nothing at all. */
  private static boolean isInvisible(char c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          true;
      default -> false;
    };
  }

  private static OptionalLong toLong(BigInteger value) {
    return value.bitLength() < Long.SIZE
        ? OptionalLong.of(value.longValue())
        : OptionalLong.empty();
  }
}
