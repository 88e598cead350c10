package io.holdfast.tools.bench.suite;

import io.holdfast.tools.bench.suite.Reading.Better;
import java.util.ArrayList;
import java.util.List;

/** The numbers of one run, in the order in which they were added. */
final class Readings {
  /** Name of the reading that says how much else went on. */
  static final String OTHER_CORES = "other cores";

  private final List<Reading> all = new ArrayList<>();

  Readings headline(String name, double value, Better better) {
    all.add(new Reading(name, value, better, true));
    return this;
  }

  Readings detail(String name, double value, Better better) {
    all.add(new Reading(name, value, better, false));
    return this;
  }

  Readings note(String name, double value) {
    return detail(name, value, Better.NEITHER);
  }

  List<Reading> all() {
    return List.copyOf(all);
  }

  /** CPU, in cores, that neither broker nor client used; 0 when it was not looked at. */
  double otherCores() {
    return all.stream()
        .filter(reading -> reading.name().equals(OTHER_CORES))
        .mapToDouble(Reading::value)
        .max()
        .orElse(0);
  }
}
