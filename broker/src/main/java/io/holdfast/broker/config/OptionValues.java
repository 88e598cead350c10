package io.holdfast.broker.config;

import java.util.Arrays;
import java.util.List;

/** A value and an origin for every spec of the table. Immutable; {@link #with} copies. */
final class OptionValues {
  private final Object[] values;
  private final Origin[] origins;
  private final List<PolicyTable> policies;

  private OptionValues(Object[] values, Origin[] origins, List<PolicyTable> policies) {
    this.values = values;
    this.origins = origins;
    this.policies = policies;
  }

  static OptionValues defaults() {
    Object[] values = OptionTable.all().stream().map(OptionSpec::defaultValue).toArray();
    Origin[] origins = new Origin[values.length];
    Arrays.fill(origins, Origin.DEFAULT);
    return new OptionValues(values, origins, List.of());
  }

  Object get(OptionSpec spec) {
    return values[spec.index()];
  }

  Origin origin(OptionSpec spec) {
    return origins[spec.index()];
  }

  OptionValues with(OptionSpec spec, Object value, Origin origin) {
    OptionValues copy = new OptionValues(values.clone(), origins.clone(), policies);
    copy.values[spec.index()] = value;
    copy.origins[spec.index()] = origin;
    return copy;
  }

  /** The policies of the file, which are no options. */
  List<PolicyTable> policies() {
    return policies;
  }

  OptionValues withPolicies(List<PolicyTable> others) {
    return new OptionValues(values, origins, List.copyOf(others));
  }

  boolean sameValues(OptionValues other) {
    return Arrays.equals(values, other.values) && policies.equals(other.policies);
  }
}
