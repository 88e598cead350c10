package io.holdfast.tools.bench.suite;

import io.holdfast.tools.bench.suite.SuiteResults.Line;
import io.holdfast.tools.bench.suite.SuiteResults.Run;
import io.holdfast.tools.bench.suite.SuiteResults.Spread;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Results as Markdown: facts, the headline table, then everything. Stateless. */
final class MarkdownReport {
  private MarkdownReport() {}

  /**
   * @param facts about the machine
   * @param results at least one run
   * @param disturbed remarks about runs that shared the machine
   * @return the document
   */
  static String of(Map<String, String> facts, SuiteResults results, List<String> disturbed) {
    StringBuilder text = new StringBuilder(4096);
    text.append("# Benchmarks\n\n");
    text.append(
        "Medians (lowest .. highest) of alternating rounds, each with a fresh process and ");
    text.append("data directory.");
    if (results.brokers().size() > 1) {
      text.append(" Ratios are to ").append(results.base()).append('.');
    }
    text.append("\n\n");
    facts.forEach(
        (name, fact) -> text.append("- ").append(name).append(": ").append(fact).append('\n'));
    List<Line> lines = results.lines();
    text.append("\n## Summary\n\n");
    table(text, results, lines.stream().filter(line -> line.reading().headline()).toList());
    text.append("\n## All readings\n\n");
    table(text, results, lines);
    if (!disturbed.isEmpty()) {
      text.append("\n## Disturbed\n\nOther work used the machine during counted runs:\n\n");
      disturbed.forEach(remark -> text.append("- ").append(remark).append('\n'));
    }
    if (!results.failed().isEmpty()) {
      text.append("\n## Failed\n\n");
    }
    for (Run run : results.failed()) {
      text.append(
          String.format(
              Locale.ROOT,
              "- %s, %s, round %d: %s%n",
              run.workload(),
              run.broker(),
              run.round() + 1,
              run.failure()));
    }
    return text.toString();
  }

  /** The headline table alone. */
  static String summary(SuiteResults results) {
    StringBuilder text = new StringBuilder(1024);
    table(
        text, results, results.lines().stream().filter(line -> line.reading().headline()).toList());
    return text.toString();
  }

  private static void table(StringBuilder text, SuiteResults results, List<Line> lines) {
    List<String> brokers = results.brokers();
    List<String> others = brokers.subList(1, brokers.size());
    text.append("| workload | reading |");
    brokers.forEach(broker -> text.append(' ').append(cell(broker)).append(" |"));
    others.forEach(
        broker -> text.append(' ').append(cell(broker + " / " + results.base())).append(" |"));
    text.append("\n|---|---|").append("---|".repeat(brokers.size() + others.size())).append('\n');
    String last = "";
    for (Line line : lines) {
      boolean first = !line.workload().equals(last);
      last = line.workload();
      text.append("| ").append(first ? cell(last) : "");
      text.append(" | ").append(cell(line.reading().name())).append(" |");
      for (String broker : brokers) {
        text.append(' ').append(spread(line.byBroker().get(broker))).append(" |");
      }
      for (String broker : others) {
        double ratio = line.ratio(results.base(), broker);
        text.append(' ').append(Double.isNaN(ratio) ? "-" : two(ratio)).append(" |");
      }
      text.append('\n');
    }
  }

  private static String cell(String text) {
    return text.replace("|", "\\|");
  }

  private static String spread(Spread spread) {
    if (spread == null) {
      return "-";
    }
    return spread.sorted().length == 1
        ? number(spread.median())
        : number(spread.median())
            + " ("
            + number(spread.least())
            + " .. "
            + number(spread.most())
            + ")";
  }

  /** Three digits, or all of them before the point. */
  static String number(double value) {
    double size = Math.abs(value);
    String format = size >= 1000 ? "%,.0f" : size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : "%.2f";
    return String.format(Locale.ROOT, size > 0 && size < 1 ? "%.3f" : format, value);
  }

  private static String two(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }
}
