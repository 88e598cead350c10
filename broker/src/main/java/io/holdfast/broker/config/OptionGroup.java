package io.holdfast.broker.config;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Collects the specs of one source of options, in the order they are described. */
final class OptionGroup {
  private final int firstIndex;
  private final List<OptionSpec> specs = new ArrayList<>();
  private String heading = "";

  OptionGroup(int firstIndex) {
    this.firstIndex = firstIndex;
  }

  /** Starts a heading of {@code --help}. */
  void heading(String text) {
    heading = text;
  }

  OptionSpec string(String flag, String defaultValue, String help) {
    return add(draft(flag, OptionType.string(), "", help), defaultValue);
  }

  OptionSpec text(
      String flag, String defaultValue, String accepted, Predicate<String> rule, String help) {
    return add(draft(flag, OptionType.text(accepted, rule), "", help), defaultValue);
  }

  OptionSpec bool(String flag, boolean defaultValue, String help) {
    return add(draft(flag, OptionType.bool(), "", help), defaultValue);
  }

  OptionSpec count(String flag, long defaultValue, long min, long max, String unit, String help) {
    return add(draft(flag, NumberType.count(min, max), unit, help), defaultValue);
  }

  OptionSpec bytes(String flag, long defaultValue, long min, long max, String help) {
    return add(draft(flag, NumberType.bytes(min, max), "bytes", help), defaultValue);
  }

  /** As {@link #bytes}; a value out of bounds becomes the nearest one within. */
  OptionSpec nearestBytes(String flag, long defaultValue, long min, long max, String help) {
    OptionType type = NumberType.bytes(min, max);
    return add(draft(flag, type, "bytes", help).orElse(((NumberType) type)::nearest), defaultValue);
  }

  /** As {@link #count}; a value out of bounds becomes the nearest one within. */
  OptionSpec nearestCount(
      String flag, long defaultValue, long min, long max, String unit, String help) {
    OptionType type = NumberType.count(min, max);
    return add(draft(flag, type, unit, help).orElse(((NumberType) type)::nearest), defaultValue);
  }

  /** As {@link #duration}; a value out of bounds becomes the default. */
  OptionSpec defaultedDuration(String flag, String defaultValue, String min, String help) {
    Object value = GoDuration.parse(defaultValue).orElseThrow();
    return add(
        draft(flag, NumberType.duration(min), "duration", help).orElse(given -> value), value);
  }

  OptionSpec duration(String flag, String defaultValue, String min, String help) {
    return add(
        draft(flag, NumberType.duration(min), "duration", help),
        GoDuration.parse(defaultValue).orElseThrow());
  }

  static OptionSpec.Draft draft(String flag, OptionType type, String unit, String help) {
    return new OptionSpec.Draft(flag, type, unit, help);
  }

  OptionSpec add(OptionSpec.Draft draft, Object defaultValue) {
    if (!draft.type().inBounds(defaultValue)) {
      throw new IllegalStateException("default out of bounds: " + defaultValue);
    }
    OptionSpec spec = new OptionSpec(firstIndex + specs.size(), heading, draft, defaultValue);
    specs.add(spec);
    return spec;
  }

  List<OptionSpec> specs() {
    return List.copyOf(specs);
  }
}
