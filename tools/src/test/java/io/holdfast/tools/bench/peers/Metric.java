package io.holdfast.tools.bench.peers;

import java.util.Locale;

/** What is read off a run, and how it is written. */
enum Metric {
  PUBLISH("publish", Unit.RATE),
  PUBLISH_CPU("publish", Unit.CPU),
  SINGLE("publish, a command each", Unit.RATE),
  SINGLE_CPU("publish, a command each", Unit.CPU),
  DRAIN("drain", Unit.RATE),
  DRAIN_CPU("drain", Unit.CPU),
  BOTH("both at once", Unit.RATE),
  BOTH_CPU("both at once", Unit.CPU),
  WAITING("50 waiting", Unit.RATE),
  WAITING_P99("50 waiting, p99 to OK", Unit.TIME),
  WAITING_CPU("50 waiting", Unit.CPU),
  P50("5k/s, p50", Unit.TIME),
  P99("5k/s, p99", Unit.TIME),
  OPEN_CPU("5k/s", Unit.CPU);

  /** Of which kind a number is. */
  enum Unit {
    RATE("msg/s", true),
    TIME("ms", false),
    CPU("us of CPU per message", false);

    private final String label;
    private final boolean moreIsBetter;

    Unit(String label, boolean moreIsBetter) {
      this.label = label;
      this.moreIsBetter = moreIsBetter;
    }

    String label() {
      return label;
    }
  }

  private final String label;
  private final Unit unit;

  Metric(String label, Unit unit) {
    this.label = label;
    this.unit = unit;
  }

  String label() {
    return label;
  }

  Unit unit() {
    return unit;
  }

  /** How many times better a value is than another; above 1 is better. */
  double gain(double value, double than) {
    return unit.moreIsBetter ? value / than : than / value;
  }

  /** Three digits, with k or M for rates. */
  static String shown(Unit unit, double value) {
    if (unit == Unit.RATE && value >= 999_500) {
      return three(value / 1e6) + "M";
    }
    if (unit == Unit.RATE && value >= 1000) {
      return three(value / 1e3) + "k";
    }
    return three(value);
  }

  private static String three(double value) {
    String format = value >= 99.95 ? "%.0f" : value >= 9.995 ? "%.1f" : "%.2f";
    return String.format(Locale.ROOT, format, value);
  }
}
