package io.holdfast.broker.config;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * How one kind of option is read, checked and shown. Values are held as: {@code String}, {@code
 * Boolean}, {@code Long} (numbers, bytes), {@code Long} nanoseconds (durations), an enum constant,
 * or a {@code List}.
 */
abstract class OptionType {
  /** Reads a flag's value. Empty = not of this type. */
  abstract Optional<Object> parseFlag(String text);

  /** Reads a value of the TOML file as nsqd does. Empty = not of this type. */
  abstract Optional<Object> parseToml(JsonNode node);

  /** Says what values are accepted; follows the words "accepted is". */
  abstract String accepted();

  /** Returns whether a value of this type is within its bounds. */
  boolean inBounds(Object value) {
    return true;
  }

  /**
   * Returns the value in the shape {@code /config} shows: a String, or something Jackson writes.
   */
  Object toConfig(Object value) {
    return value;
  }

  /** Returns the value as a flag would be written. */
  String format(Object value) {
    return String.valueOf(value);
  }

  /** Returns whether the flag may stand alone, meaning true. */
  boolean isBoolFlag() {
    return false;
  }

  /** Returns whether repeated flags add up to one list. */
  boolean isList() {
    return false;
  }

  /** Any text. */
  static OptionType string() {
    return text("text", value -> true);
  }

  /**
   * Text with a rule.
   *
   * @param accepted what is accepted, for messages
   * @param rule whether a value is within bounds
   */
  static OptionType text(String accepted, Predicate<String> rule) {
    return new TextType(accepted, rule);
  }

  /** A number that whoever uses it checks: as it was given, in the file with or without quotes. */
  static OptionType unchecked() {
    return new UncheckedNumber();
  }

  /** A boolean; an integer in the file is inverted (0 = true) as in nsqd. */
  static OptionType bool() {
    return new BoolType();
  }

  /** One of an enum's constants. */
  static <E extends Enum<E>> OptionType choice(
      String accepted,
      Function<String, Optional<E>> parse,
      Function<E, Object> toConfig,
      Function<E, String> format) {
    return new ChoiceType<>(accepted, parse, toConfig, format, false);
  }

  /** As {@link #choice}, and the bare flag means true. */
  static <E extends Enum<E>> OptionType boolChoice(
      String accepted,
      Function<String, Optional<E>> parse,
      Function<E, Object> toConfig,
      Function<E, String> format) {
    return new ChoiceType<>(accepted, parse, toConfig, format, true);
  }

  private static final class UncheckedNumber extends OptionType {
    @Override
    Optional<Object> parseFlag(String text) {
      return Optional.of(text);
    }

    @Override
    Optional<Object> parseToml(JsonNode node) {
      return node.isValueNode() ? Optional.of(node.asText()) : Optional.empty();
    }

    @Override
    Object toConfig(Object value) {
      String text = (String) value;
      return text.matches("[0-9]{1,9}") ? (Object) Long.valueOf(text) : text;
    }

    @Override
    String accepted() {
      return "a number";
    }
  }

  private static final class TextType extends OptionType {
    private final String accepted;
    private final Predicate<String> rule;

    TextType(String accepted, Predicate<String> rule) {
      this.accepted = accepted;
      this.rule = rule;
    }

    @Override
    Optional<Object> parseFlag(String text) {
      return Optional.of(text);
    }

    @Override
    Optional<Object> parseToml(JsonNode node) {
      return node.isTextual() ? Optional.of(node.textValue()) : Optional.empty();
    }

    @Override
    boolean inBounds(Object value) {
      return rule.test((String) value);
    }

    @Override
    String accepted() {
      return accepted;
    }
  }

  private static final class BoolType extends OptionType {
    @Override
    Optional<Object> parseFlag(String text) {
      return GoValues.parseBool(text).map(Object.class::cast);
    }

    @Override
    Optional<Object> parseToml(JsonNode node) {
      if (node.isIntegralNumber()) {
        return Optional.of(node.bigIntegerValue().signum() == 0);
      }
      return node.isBoolean() || node.isTextual() ? parseFlag(node.asText()) : Optional.empty();
    }

    @Override
    String accepted() {
      return "true or false";
    }

    @Override
    boolean isBoolFlag() {
      return true;
    }
  }

  private static final class ChoiceType<E extends Enum<E>> extends OptionType {
    private final String accepted;
    private final Function<String, Optional<E>> parse;
    private final Function<E, Object> toConfig;
    private final Function<E, String> format;
    private final boolean boolFlag;

    ChoiceType(
        String accepted,
        Function<String, Optional<E>> parse,
        Function<E, Object> toConfig,
        Function<E, String> format,
        boolean boolFlag) {
      this.accepted = accepted;
      this.parse = parse;
      this.toConfig = toConfig;
      this.format = format;
      this.boolFlag = boolFlag;
    }

    @Override
    Optional<Object> parseFlag(String text) {
      return parse.apply(text).map(Object.class::cast);
    }

    @Override
    Optional<Object> parseToml(JsonNode node) {
      return node.isValueNode() ? parseFlag(node.asText()) : Optional.empty();
    }

    @Override
    String accepted() {
      return accepted;
    }

    @Override
    @SuppressWarnings("unchecked") // only parse makes this option's values
    Object toConfig(Object value) {
      return toConfig.apply((E) value);
    }

    @Override
    @SuppressWarnings("unchecked") // only parse makes this option's values
    String format(Object value) {
      return format.apply((E) value);
    }

    @Override
    boolean isBoolFlag() {
      return boolFlag;
    }
  }
}
