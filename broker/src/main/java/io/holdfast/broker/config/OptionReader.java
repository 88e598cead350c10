package io.holdfast.broker.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Reads options by their spec, each in its type. Immutable. */
abstract class OptionReader {
  private final OptionValues values;

  OptionReader(OptionValues values) {
    this.values = values;
  }

  final OptionValues values() {
    return values;
  }

  /** Returns whether flag or file gave this option, rather than the default. */
  boolean isGiven(OptionSpec spec) {
    return values.origin(spec).isGiven();
  }

  Origin origin(OptionSpec spec) {
    return values.origin(spec);
  }

  /** The value used, which may be another than the one given. */
  Object get(OptionSpec spec) {
    return spec.used(values.get(spec));
  }

  /** The value that flag or file gave, or the default. */
  Object given(OptionSpec spec) {
    return values.get(spec);
  }

  String text(OptionSpec spec) {
    return (String) get(spec);
  }

  final long number(OptionSpec spec) {
    return (Long) get(spec);
  }

  /** For options whose bounds lie within an int. */
  final int intOf(OptionSpec spec) {
    return Math.toIntExact(number(spec));
  }

  final long ms(OptionSpec spec) {
    return number(spec) / 1_000_000;
  }

  final boolean bool(OptionSpec spec) {
    return (Boolean) get(spec);
  }

  final Optional<Path> path(OptionSpec spec) {
    return text(spec).isEmpty() ? Optional.empty() : Optional.of(Path.of(text(spec)));
  }

  @SuppressWarnings("unchecked") // the option's type makes no other lists
  final List<String> strings(OptionSpec spec) {
    return (List<String>) get(spec);
  }

  @SuppressWarnings("unchecked") // the option's type makes no other lists
  final List<Double> doubles(OptionSpec spec) {
    return (List<Double>) get(spec);
  }
}
