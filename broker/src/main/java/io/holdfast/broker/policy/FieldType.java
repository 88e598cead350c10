package io.holdfast.broker.policy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.holdfast.broker.config.GoDuration;
import io.holdfast.broker.config.GoValues;
import io.holdfast.broker.policy.ChannelPolicy.Backoff;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Predicate;

/**
 * How one kind of value is read, checked and shown. Values are held as {@code Long} (numbers,
 * bytes, nanoseconds), {@code Boolean}, {@code String} or {@link Backoff}. Immutable.
 */
abstract class FieldType {
  private static final long MS_NS = 1_000_000L;

  private final String accepted;

  private FieldType(String accepted) {
    this.accepted = accepted;
  }

  /** What values are accepted; follows the words "accepted is". */
  final String accepted() {
    return accepted;
  }

  /** Reads a value of JSON or TOML, strict about its type. Empty = not accepted. */
  abstract Optional<Object> read(JsonNode node);

  /** Reads what {@link #text} wrote. Empty = not accepted, or not any more. */
  Optional<Object> parse(String text) {
    return read(TextNode.valueOf(text));
  }

  /** The value as text, one way for each. */
  String text(Object value) {
    return String.valueOf(value);
  }

  /** The value as JSON has it. */
  Object shown(Object value) {
    return text(value);
  }

  /** Whole numbers, both bounds included. */
  static FieldType count(long min, long max) {
    return new NumberType(range(Long.toString(min), Long.toString(max), max), min, max, false);
  }

  /** Bytes, 0 or more: a number, or text with a unit. */
  static FieldType size() {
    return new NumberType(
        "bytes such as 65536, \"64KB\" or \"64MiB\", 0 or more", 0, Long.MAX_VALUE, true);
  }

  /** Durations, both bounds included, ns. */
  static FieldType duration(long minNs, long maxNs) {
    return new DurationType(minNs, maxNs);
  }

  static FieldType bool() {
    return new BoolType();
  }

  /** One of some words. */
  static FieldType words(String... words) {
    return new TextType(String.join(" or ", words), List.of(words)::contains);
  }

  /** Text with a rule. */
  static FieldType text(String accepted, Predicate<String> rule) {
    return new TextType(accepted, rule);
  }

  /** {@code MIN..MAX} within 1 ms and a bound, ns; empty for none. */
  static FieldType backoff(long maxNs) {
    return new BackoffType(maxNs);
  }

  private static String range(String from, String to, long max) {
    return max == Long.MAX_VALUE ? from + " or more" : from + " to " + to;
  }

  private static final class NumberType extends FieldType {
    private final long min;
    private final long max;
    private final boolean hasUnits;

    NumberType(String accepted, long min, long max, boolean hasUnits) {
      super(accepted);
      this.min = min;
      this.max = max;
      this.hasUnits = hasUnits;
    }

    @Override
    Optional<Object> read(JsonNode node) {
      if (node.isIntegralNumber() && node.canConvertToLong()) {
        return inBounds(OptionalLong.of(node.longValue()));
      }
      return hasUnits && node.isTextual()
          ? inBounds(GoValues.parseByteSize(node.textValue()))
          : Optional.empty();
    }

    @Override
    Optional<Object> parse(String text) {
      return inBounds(GoValues.parseDecimalInt(text));
    }

    private Optional<Object> inBounds(OptionalLong number) {
      return number.stream()
          .filter(n -> n >= min && n <= max)
          .boxed()
          .map(Object.class::cast)
          .findFirst();
    }

    @Override
    Object shown(Object value) {
      return value;
    }
  }

  private static final class DurationType extends FieldType {
    private final long minNs;
    private final long maxNs;

    DurationType(long minNs, long maxNs) {
      super(
          "a duration such as 250ms, 1.5s or 1h30m, "
              + range(GoDuration.format(minNs), GoDuration.format(maxNs), maxNs));
      this.minNs = minNs;
      this.maxNs = maxNs;
    }

    @Override
    Optional<Object> read(JsonNode node) {
      OptionalLong ns = OptionalLong.empty();
      if (node.isTextual()) {
        ns = GoDuration.parse(node.textValue());
      } else if (node.isIntegralNumber()
          && node.canConvertToLong()
          && node.longValue() >= 0
          && node.longValue() <= Long.MAX_VALUE / MS_NS) {
        ns = OptionalLong.of(node.longValue() * MS_NS);
      }
      return ns.isPresent() && ns.getAsLong() >= minNs && ns.getAsLong() <= maxNs
          ? Optional.of(ns.getAsLong())
          : Optional.empty();
    }

    @Override
    String text(Object value) {
      return GoDuration.format((Long) value);
    }
  }

  private static final class BoolType extends FieldType {
    BoolType() {
      super("true or false");
    }

    @Override
    Optional<Object> read(JsonNode node) {
      return node.isBoolean() ? Optional.of(node.booleanValue()) : Optional.empty();
    }

    @Override
    Optional<Object> parse(String text) {
      return text.equals("true") || text.equals("false")
          ? Optional.of(text.equals("true"))
          : Optional.empty();
    }

    @Override
    Object shown(Object value) {
      return value;
    }
  }

  private static final class TextType extends FieldType {
    private final Predicate<String> rule;

    TextType(String accepted, Predicate<String> rule) {
      super(accepted);
      this.rule = rule;
    }

    @Override
    Optional<Object> read(JsonNode node) {
      return Optional.of(node)
          .filter(JsonNode::isTextual)
          .map(JsonNode::textValue)
          .filter(rule)
          .map(Object.class::cast);
    }
  }

  private static final class BackoffType extends FieldType {
    private static final String BETWEEN = "..";

    private final long maxNs;

    BackoffType(long maxNs) {
      super(
          "\"MIN..MAX\" such as \"1s..10m\", within 1ms to "
              + GoDuration.format(maxNs)
              + ", or \"\"");
      this.maxNs = maxNs;
    }

    @Override
    Optional<Object> read(JsonNode node) {
      if (!node.isTextual()) {
        return Optional.empty();
      }
      String text = node.textValue();
      if (text.isEmpty()) {
        return Optional.of(Backoff.NONE);
      }
      int dots = text.indexOf(BETWEEN);
      if (dots < 0) {
        return Optional.empty();
      }
      OptionalLong from = GoDuration.parse(text.substring(0, dots));
      OptionalLong to = GoDuration.parse(text.substring(dots + BETWEEN.length()));
      boolean isGood =
          from.isPresent()
              && to.isPresent()
              && from.getAsLong() >= MS_NS
              && from.getAsLong() <= to.getAsLong()
              && to.getAsLong() <= maxNs;
      return isGood
          ? Optional.of(new Backoff(toMs(from.getAsLong()), toMs(to.getAsLong())))
          : Optional.empty();
    }

    @Override
    String text(Object value) {
      Backoff backoff = (Backoff) value;
      return backoff.equals(Backoff.NONE)
          ? ""
          : shortest(backoff.minMs()) + BETWEEN + shortest(backoff.maxMs());
    }

    /** As people write it: a string comes back as it was set, {@code 10m} and not {@code 10m0s}. */
    private static String shortest(long ms) {
      return GoDuration.format(ms * MS_NS).replaceFirst("m0s$", "m").replaceFirst("h0m$", "h");
    }
  }

  /** Whole ms, rounded up: what is longer than nothing stays so. */
  static long toMs(long ns) {
    return ns / MS_NS + (ns % MS_NS > 0 ? 1 : 0);
  }
}
