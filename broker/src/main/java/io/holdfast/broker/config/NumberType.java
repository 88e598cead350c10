package io.holdfast.broker.config;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;
import java.util.OptionalLong;

/** Whole numbers, byte sizes and durations: 64-bit values with an inclusive range. */
final class NumberType extends OptionType {
  private static final long MS_NS = 1_000_000L;

  private enum Kind {
    COUNT,
    BYTES,
    DURATION
  }

  private final Kind kind;
  private final long min;
  private final long max;

  private NumberType(Kind kind, long min, long max) {
    this.kind = kind;
    this.min = min;
    this.max = max;
  }

  /** A whole number from min to max, both included. */
  static OptionType count(long min, long max) {
    return new NumberType(Kind.COUNT, min, max);
  }

  /** Bytes from min to max, both included; suffixes such as KiB and MB are accepted. */
  static OptionType bytes(long min, long max) {
    return new NumberType(Kind.BYTES, min, max);
  }

  /** A duration of at least min; bounds in Go syntax. No longer than Go can hold (292 years). */
  static OptionType duration(String min) {
    return new NumberType(Kind.DURATION, GoDuration.parse(min).orElseThrow(), Long.MAX_VALUE);
  }

  @Override
  Optional<Object> parseFlag(String text) {
    return box(
        kind == Kind.DURATION ? GoDuration.parse(text) : orSize(GoValues.parseFlagInt(text), text));
  }

  @Override
  Optional<Object> parseToml(JsonNode node) {
    if (node.isIntegralNumber() && node.canConvertToLong()) {
      return fromInteger(node.longValue());
    }
    if (!node.isTextual()) {
      return Optional.empty();
    }
    String text = node.textValue();
    return box(
        kind == Kind.DURATION
            ? GoDuration.parse(text)
            : orSize(GoValues.parseDecimalInt(text), text));
  }

  private Optional<Object> fromInteger(long value) {
    if (kind != Kind.DURATION) {
      return Optional.of(value);
    }
    boolean fits = Math.abs(value) <= Long.MAX_VALUE / MS_NS && value != Long.MIN_VALUE;
    return fits ? Optional.of(value * MS_NS) : Optional.empty();
  }

  private OptionalLong orSize(OptionalLong number, String text) {
    return number.isPresent() || kind != Kind.BYTES ? number : GoValues.parseByteSize(text);
  }

  private static Optional<Object> box(OptionalLong value) {
    return value.isPresent() ? Optional.of(value.getAsLong()) : Optional.empty();
  }

  @Override
  boolean inBounds(Object value) {
    long number = (Long) value;
    return number >= min && number <= max;
  }

  /** The bound that is nearest to a value out of bounds. */
  Object nearest(Object value) {
    return Math.max(min, Math.min(max, (Long) value));
  }

  @Override
  String accepted() {
    return switch (kind) {
      case COUNT -> "a whole number, " + range(Long.toString(min), Long.toString(max));
      case BYTES ->
          "bytes such as 65536 or 64KiB, " + range(Long.toString(min), Long.toString(max));
      case DURATION ->
          "a duration such as 250ms, 1.5s or 1h30m, " + range(GoDuration.format(min), "");
    };
  }

  private String range(String from, String to) {
    return max == Long.MAX_VALUE ? from + " or more" : from + " to " + to;
  }

  @Override
  String format(Object value) {
    return kind == Kind.DURATION ? GoDuration.format((Long) value) : String.valueOf(value);
  }
}
