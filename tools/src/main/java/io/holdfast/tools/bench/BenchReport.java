package io.holdfast.tools.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.holdfast.tools.bench.load.LoadResult;
import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.client.BrokerAddress;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;

/**
 * What a mode of {@code bench} measured, as text, as JSON and as HdrHistogram files.
 *
 * @param mode name of the mode
 * @param options as given
 * @param shape as the mode has it
 * @param brokers that were measured
 * @param result of the run
 * @param clientCpuUs CPU time of this process per message published and consumed, us
 */
record BenchReport(
    String mode,
    BenchOptions options,
    BenchShape shape,
    List<BrokerAddress> brokers,
    LoadResult result,
    double clientCpuUs) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final double[] PERCENTILES = {50, 90, 99, 99.9, 99.99};

  void printText(PrintStream out) {
    out.printf(
        Locale.ROOT,
        "bench %s: %s, %d %s, %d B bodies",
        mode,
        brokers.stream().map(BrokerAddress::toString).collect(Collectors.joining(" ")),
        options.topics(),
        options.topics() == 1 ? "topic" : "topics",
        options.size());
    if (shape.publish()) {
      out.printf(
          Locale.ROOT,
          ", %s on %d %s",
          options.batch() == 1 ? "PUB" : "MPUB of " + options.batch(),
          options.conns(),
          options.conns() == 1 ? "connection" : "connections");
      if (shape.rate() > 0) {
        out.print(", " + Quantities.grouped(shape.rate()) + " msg/s offered");
      }
    }
    if (shape.consume()) {
      out.print(", " + options.consumers(shape, brokers) + " consuming");
      if (shape.channels() > 1) {
        out.print(" on " + shape.channels() + " channels");
      }
    }
    out.println();
    out.println();
    out.printf(
        Locale.ROOT, "%-12s %14s %10s %12s %10s%n", "", "messages", "seconds", "msg/s", "MB/s");
    flow(out, "published", result.published());
    flow(out, "consumed", result.consumed());
    out.println();
    latencies(out);
    out.printf(Locale.ROOT, "client CPU %.2f us per message%n", clientCpuUs);
    note(out, result.lost(), "message", " published but not consumed");
    note(out, result.foreign(), "message", " of other runs consumed (left over in the topic)");
    note(out, result.redelivered(), "message", " delivered again");
    note(out, result.refusedFins(), "FIN", " refused");
  }

  private void flow(PrintStream out, String name, LoadResult.Flow flow) {
    if (flow != null) {
      out.printf(
          Locale.ROOT,
          "%-12s %14s %10.2f %12s %10.1f%n",
          name,
          Quantities.grouped(flow.messages()),
          flow.seconds(),
          Quantities.grouped(flow.perSecond()),
          flow.perSecond() * options.size() / 1e6);
    }
  }

  private void latencies(PrintStream out) {
    boolean any = hasLatency(result.published()) || hasLatency(result.consumed());
    if (any) {
      out.printf(Locale.ROOT, "%-12s", "latency");
      for (double percentile : PERCENTILES) {
        out.printf(Locale.ROOT, " %10s", "p" + trimmed(percentile));
      }
      out.printf(Locale.ROOT, " %10s%n", "max");
      latency(out, "to OK", result.published());
      latency(out, "end to end", result.consumed());
      out.println();
    }
  }

  private static void latency(PrintStream out, String name, LoadResult.Flow flow) {
    if (hasLatency(flow)) {
      out.printf(Locale.ROOT, "%-12s", name);
      for (double percentile : PERCENTILES) {
        out.printf(
            Locale.ROOT,
            " %10s",
            Quantities.latency(flow.latencyNs().getValueAtPercentile(percentile)));
      }
      out.printf(Locale.ROOT, " %10s%n", Quantities.latency(flow.latencyNs().getMaxValue()));
    }
  }

  private static boolean hasLatency(LoadResult.Flow flow) {
    return flow != null && flow.latencyNs() != null && flow.latencyNs().getTotalCount() > 0;
  }

  private static void note(PrintStream out, long count, String thing, String what) {
    if (count > 0) {
      out.println(Quantities.count(count, thing) + what);
    }
  }

  String json() {
    ObjectNode json = JSON.createObjectNode();
    json.put("mode", mode);
    json.set("brokers", JSON.valueToTree(brokers.stream().map(BrokerAddress::toString).toList()));
    json.put("topics", options.topics());
    json.put("channels", shape.channels());
    json.put("size_bytes", options.size());
    json.put("batch", options.batch());
    json.put("pub_conns", shape.publish() ? options.conns() : 0);
    json.put("sub_conns", options.consumers(shape, brokers));
    if (shape.rate() > 0) {
      json.put("offered_per_second", (double) shape.rate());
    }
    json.set("published", flowJson(result.published(), "latency_to_ok_us"));
    json.set("consumed", flowJson(result.consumed(), "latency_end_to_end_us"));
    json.put("lost", result.lost());
    json.put("foreign", result.foreign());
    json.put("redelivered", result.redelivered());
    json.put("refused_fins", result.refusedFins());
    json.put("client_cpu_us_per_message", rounded(clientCpuUs));
    json.set("failures", JSON.valueToTree(result.failures()));
    return json.toString();
  }

  private ObjectNode flowJson(LoadResult.Flow flow, String latencyName) {
    if (flow == null) {
      return null;
    }
    ObjectNode json = JSON.createObjectNode();
    json.put("messages", flow.messages());
    json.put("seconds", rounded(flow.seconds()));
    json.put("msgs_per_second", rounded(flow.perSecond()));
    json.put("mb_per_second", rounded(flow.perSecond() * options.size() / 1e6));
    if (hasLatency(flow)) {
      ObjectNode latency = json.putObject(latencyName);
      for (double percentile : PERCENTILES) {
        latency.put(
            "p" + trimmed(percentile),
            rounded(flow.latencyNs().getValueAtPercentile(percentile) / 1e3));
      }
      latency.put("max", rounded(flow.latencyNs().getMaxValue() / 1e3));
      latency.put("mean", rounded(flow.latencyNs().getMean() / 1e3));
      latency.put("count", flow.latencyNs().getTotalCount());
    }
    return json;
  }

  /**
   * Writes the histograms.
   *
   * @param file {@code *.hlog}: HdrHistogram's log, else its percentile distribution in us
   * @throws IOException when the file cannot be written
   */
  void writeHdr(Path file) throws IOException {
    try (PrintStream out =
        new PrintStream(Files.newOutputStream(file), false, StandardCharsets.UTF_8)) {
      if (file.toString().endsWith(".hlog")) {
        HistogramLogWriter writer = new HistogramLogWriter(out);
        writer.outputComment("holdfast-tools bench " + mode);
        writer.outputLogFormatVersion();
        writer.outputLegend();
        logged(writer, result.published(), "to-ok");
        logged(writer, result.consumed(), "end-to-end");
      } else {
        LoadResult.Flow shown =
            hasLatency(result.consumed()) ? result.consumed() : result.published();
        if (hasLatency(shown)) {
          shown.latencyNs().outputPercentileDistribution(out, 1000.0);
        }
      }
      if (out.checkError()) {
        throw new IOException(file + ": cannot be written");
      }
    }
  }

  private static void logged(HistogramLogWriter writer, LoadResult.Flow flow, String tag) {
    if (hasLatency(flow)) {
      Histogram histogram = flow.latencyNs().copy();
      histogram.setTag(tag);
      writer.outputIntervalHistogram(0, flow.seconds(), histogram, 1_000_000.0);
    }
  }

  private static String trimmed(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }

  private static double rounded(double value) {
    return Math.round(value * 1000) / 1000.0;
  }
}
