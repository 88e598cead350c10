package io.holdfast.broker.config;

import java.util.Arrays;

/** A value and an origin for every spec of the table. Immutable; {@link #with} copies. */
final class OptionValues {
  private final Object[] values;
  private final Origin[] origins;

  private OptionValues(Object[] values, Origin[] origins) {
    this.values = values;
    this.origins = origins;
  }

  static OptionValues defaults() {
    Object[] values = OptionTable.all().stream().map(OptionSpec::defaultValue).toArray();
    Origin[] origins = new Origin[values.length];
    Arrays.fill(origins, Origin.DEFAULT);
    return new OptionValues(values, origins);
  }

  Object get(OptionSpec spec) {
    return values[spec.index()];
  }

  Origin origin(OptionSpec spec) {
    return origins[spec.index()];
  }

  OptionValues with(OptionSpec spec, Object value, Origin origin) {
    OptionValues copy = new OptionValues(values.clone(), origins.clone());
    copy.values[spec.index()] = value;
    copy.origins[spec.index()] = origin;
    return copy;
  }

  boolean sameValues(OptionValues other) {
    return Arrays.equals(values, other.values);
  }
}
