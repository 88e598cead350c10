package io.holdfast.tools.bench.suite;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All runs of a suite, and what they come to. One thread. */
final class SuiteResults {
  /**
   * One run.
   *
   * @param workload its name
   * @param broker its name
   * @param round from 0
   * @param readings what was measured; empty when it failed
   * @param counted whether it is the one of its round: others were disturbed
   * @param failure null when all went well
   */
  record Run(
      String workload,
      String broker,
      int round,
      List<Reading> readings,
      boolean counted,
      String failure) {}

  /**
   * The rounds of one reading.
   *
   * @param sorted ascending, at least one
   */
  record Spread(double[] sorted) {
    double median() {
      int middle = sorted.length / 2;
      return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    double least() {
      return sorted[0];
    }

    double most() {
      return sorted[sorted.length - 1];
    }

    static Spread of(List<Double> values) {
      double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
      return new Spread(sorted);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Spread spread && Arrays.equals(sorted, spread.sorted);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(sorted);
    }

    @Override
    public String toString() {
      return Arrays.toString(sorted);
    }
  }

  /**
   * One reading of a workload, for all brokers that have it.
   *
   * @param workload its name
   * @param reading of any run: name, direction and whether it is a headline
   * @param byBroker in the order of the command line
   */
  record Line(String workload, Reading reading, Map<String, Spread> byBroker) {
    /**
     * How a broker compares with another.
     *
     * @return its median over the base's; NaN when one is missing or the base is about 0
     */
    double ratio(String base, String broker) {
      Spread of = byBroker.get(broker);
      Spread to = byBroker.get(base);
      return of == null || to == null || Math.abs(to.median()) < 0.001
          ? Double.NaN
          : of.median() / to.median();
    }

    /**
     * The same, turned so that more is better.
     *
     * @return 2 means twice as good; NaN when unknown or neither way is good
     */
    double gain(String base, String broker) {
      double ratio = ratio(base, broker);
      return switch (reading.better()) {
        case MORE -> ratio;
        case LESS -> ratio < 0.001 ? Double.NaN : 1 / ratio;
        case NEITHER -> Double.NaN;
      };
    }
  }

  private final List<String> brokers;
  private final List<Run> runs = new ArrayList<>();

  /**
   * @param brokers names; ratios are to the first
   */
  SuiteResults(List<String> brokers) {
    this.brokers = List.copyOf(brokers);
  }

  void add(Run run) {
    runs.add(run);
  }

  List<String> brokers() {
    return brokers;
  }

  String base() {
    return brokers.get(0);
  }

  List<Run> runs() {
    return List.copyOf(runs);
  }

  List<Run> failed() {
    return runs.stream().filter(run -> run.failure() != null).toList();
  }

  /** All readings of all workloads, medians over the counted runs. */
  List<Line> lines() {
    Map<String, Map<String, List<Double>>> values = new LinkedHashMap<>();
    Map<String, Line> heads = new LinkedHashMap<>();
    for (Run run : runs) {
      if (!run.counted()) {
        continue;
      }
      for (Reading reading : run.readings()) {
        String key = run.workload() + "/" + reading.name();
        heads.putIfAbsent(key, new Line(run.workload(), reading, Map.of()));
        values
            .computeIfAbsent(key, k -> new LinkedHashMap<>())
            .computeIfAbsent(run.broker(), k -> new ArrayList<>())
            .add(reading.value());
      }
    }
    List<Line> lines = new ArrayList<>();
    heads.forEach(
        (key, head) -> {
          Map<String, Spread> spreads = new LinkedHashMap<>();
          values.get(key).forEach((broker, list) -> spreads.put(broker, Spread.of(list)));
          lines.add(new Line(head.workload(), head.reading(), spreads));
        });
    return lines;
  }
}
