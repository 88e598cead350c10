package io.holdfast.tools.bench.suite;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.holdfast.tools.bench.suite.BarChart.Bar;
import io.holdfast.tools.bench.suite.SuiteResults.Line;
import io.holdfast.tools.bench.suite.SuiteResults.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Writes suite.md, suite.svg and suite.json. Stateless. */
final class SuiteReport {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private SuiteReport() {}

  /**
   * @param dir created when it is not there
   * @throws IOException when it cannot be written to
   */
  static void write(
      Path dir, Map<String, String> facts, SuiteResults results, List<String> disturbed)
      throws IOException {
    Files.createDirectories(dir);
    Files.writeString(dir.resolve("suite.md"), MarkdownReport.of(facts, results, disturbed));
    Files.writeString(dir.resolve("suite.svg"), chart(facts, results));
    Files.writeString(dir.resolve("suite.json"), json(facts, results) + "\n");
  }

  static String chart(Map<String, String> facts, SuiteResults results) {
    String where =
        facts.get("date")
            + ", commit "
            + facts.get("commit")
            + ", "
            + facts.get("cpu")
            + ", "
            + facts.get("cores")
            + " cores";
    return results.brokers().size() > 1 ? ratioChart(where, results) : rateChart(where, results);
  }

  private static String ratioChart(String where, SuiteResults results) {
    String base = results.base();
    List<String> others = results.brokers().subList(1, results.brokers().size());
    List<Bar> bars = new ArrayList<>();
    for (Line line : results.lines()) {
      for (String broker : others) {
        double gain = line.gain(base, broker);
        if (line.reading().headline() && !Double.isNaN(gain)) {
          String label = line.reading().name() + (others.size() > 1 ? ", " + broker : "");
          String text =
              MarkdownReport.number(line.byBroker().get(broker).median())
                  + " : "
                  + MarkdownReport.number(line.byBroker().get(base).median());
          bars.add(new Bar(line.workload(), label, gain, text));
        }
      }
    }
    return BarChart.ratios(
        "How many times better than " + base + ": " + String.join(", ", others), where, bars);
  }

  private static String rateChart(String where, SuiteResults results) {
    String broker = results.base();
    List<Bar> bars = new ArrayList<>();
    for (Line line : results.lines()) {
      if (line.reading().headline() && line.reading().name().endsWith("msg/s")) {
        double median = line.byBroker().get(broker).median();
        bars.add(
            new Bar(line.workload(), line.reading().name(), median, MarkdownReport.number(median)));
      }
    }
    return BarChart.values("Messages per second: " + broker, where, bars);
  }

  static String json(Map<String, String> facts, SuiteResults results) throws IOException {
    ObjectNode json = JSON.createObjectNode();
    json.set("facts", JSON.valueToTree(facts));
    json.set("brokers", JSON.valueToTree(results.brokers()));
    ArrayNode lines = json.putArray("medians");
    for (Line line : results.lines()) {
      ObjectNode node = lines.addObject();
      node.put("workload", line.workload());
      node.put("reading", line.reading().name());
      node.put("better", line.reading().better().name());
      node.put("headline", line.reading().headline());
      ObjectNode medians = node.putObject("by_broker");
      line.byBroker().forEach((broker, spread) -> medians.put(broker, spread.median()));
      for (String broker : results.brokers().subList(1, results.brokers().size())) {
        double ratio = line.ratio(results.base(), broker);
        if (!Double.isNaN(ratio)) {
          node.withObject("/ratio").put(broker, ratio);
        }
      }
    }
    ArrayNode runs = json.putArray("runs");
    for (Run run : results.runs()) {
      ObjectNode node = runs.addObject();
      node.put("workload", run.workload());
      node.put("broker", run.broker());
      node.put("round", run.round());
      node.put("counted", run.counted());
      node.put("failure", run.failure());
      ObjectNode readings = node.putObject("readings");
      run.readings().forEach(reading -> readings.put(reading.name(), reading.value()));
    }
    return JSON.writeValueAsString(json);
  }
}
