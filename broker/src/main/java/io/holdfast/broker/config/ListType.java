package io.holdfast.broker.config;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Lists: a flag may be repeated and may hold several elements between commas; the file has an array
 * or one comma-separated string. Values are unmodifiable lists.
 */
abstract class ListType extends OptionType {
  private final String accepted;

  private ListType(String accepted) {
    this.accepted = accepted;
  }

  /**
   * Strings in the order given.
   *
   * @param accepted what is accepted, for messages
   * @param rule whether an element is within bounds
   */
  static ListType strings(String accepted, Predicate<String> rule) {
    return new StringList(accepted, rule);
  }

  /** Quantiles in (0, 1], largest first as nsqd shows them. */
  static ListType quantiles() {
    return new QuantileList();
  }

  /** Reads one element's text. */
  abstract Optional<Object> parseElement(String text);

  /** Reads one element of an array in the file. */
  abstract Optional<Object> parseElement(JsonNode node);

  abstract List<Object> sorted(List<Object> elements);

  /** Joins what several flags gave. */
  final Object concat(Object first, Object second) {
    List<Object> all = new ArrayList<>((List<?>) first);
    all.addAll((List<?>) second);
    return List.copyOf(sorted(all));
  }

  @Override
  final Optional<Object> parseFlag(String text) {
    List<Object> elements = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      Optional<Object> element = parseElement(part.strip());
      if (element.isEmpty()) {
        return Optional.empty();
      }
      elements.add(element.get());
    }
    return Optional.of(List.copyOf(sorted(elements)));
  }

  @Override
  final Optional<Object> parseToml(JsonNode node) {
    if (node.isTextual()) {
      return node.textValue().isEmpty() ? Optional.of(List.of()) : parseFlag(node.textValue());
    }
    if (!node.isArray()) {
      return Optional.empty();
    }
    List<Object> elements = new ArrayList<>();
    for (JsonNode child : node) {
      Optional<Object> element = parseElement(child);
      if (element.isEmpty()) {
        return Optional.empty();
      }
      elements.add(element.get());
    }
    return Optional.of(List.copyOf(sorted(elements)));
  }

  @Override
  final String accepted() {
    return accepted;
  }

  @Override
  final boolean isList() {
    return true;
  }

  @Override
  final String format(Object value) {
    return ((List<?>) value).stream().map(String::valueOf).collect(Collectors.joining(","));
  }

  private static final class StringList extends ListType {
    private final Predicate<String> rule;

    StringList(String accepted, Predicate<String> rule) {
      super(accepted);
      this.rule = rule;
    }

    @Override
    Optional<Object> parseElement(String text) {
      return Optional.of(text);
    }

    @Override
    Optional<Object> parseElement(JsonNode node) {
      return node.isTextual() ? Optional.of(node.textValue()) : Optional.empty();
    }

    @Override
    List<Object> sorted(List<Object> elements) {
      return elements;
    }

    @Override
    boolean inBounds(Object value) {
      return ((List<?>) value).stream().allMatch(element -> rule.test((String) element));
    }
  }

  private static final class QuantileList extends ListType {
    QuantileList() {
      super("quantiles above 0 and up to 1, such as 0.99,0.95");
    }

    @Override
    Optional<Object> parseElement(String text) {
      OptionalDouble number = GoValues.parseFraction(text);
      return number.isPresent() ? Optional.of(number.getAsDouble()) : Optional.empty();
    }

    @Override
    Optional<Object> parseElement(JsonNode node) {
      if (node.isNumber()) {
        return Optional.of(node.doubleValue());
      }
      return node.isTextual() ? parseElement(node.textValue()) : Optional.empty();
    }

    @Override
    List<Object> sorted(List<Object> elements) {
      List<Object> descending = new ArrayList<>(elements);
      descending.sort(Comparator.comparing(element -> -(Double) element));
      return descending;
    }

    @Override
    boolean inBounds(Object value) {
      return ((List<?>) value)
          .stream().map(element -> (Double) element).allMatch(q -> q > 0 && q <= 1);
    }
  }
}
