package io.holdfast.tools.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.holdfast.tools.Quantities;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;

/** A {@link BenchResult} as text, as JSON and as HdrHistogram files. Stateless. */
final class BenchReport {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final double[] PERCENTILES = {50, 90, 99, 99.9, 99.99};

  private BenchReport() {}

  static void printText(BenchResult result, PrintStream out) {
    out.printf(
        Locale.ROOT,
        "bench %s: %s, %d %s, %d B bodies%s%s%n%n",
        result.plan().mode(),
        String.join(" ", result.brokers()),
        result.topics().size(),
        result.topics().size() == 1 ? "topic" : "topics",
        result.size(),
        result.published() == null
            ? ""
            : ", "
                + (result.batch() == 1 ? "PUB" : "MPUB of " + result.batch())
                + " on "
                + result.pubConns()
                + (result.pubConns() == 1 ? " connection" : " connections")
                + (result.plan().ratePerSecond() > 0
                    ? ", " + Quantities.grouped(result.plan().ratePerSecond()) + " msg/s offered"
                    : ""),
        result.consumed() == null
            ? ""
            : ", "
                + result.subConns()
                + " consuming"
                + (result.plan().channels() > 1
                    ? " on " + result.plan().channels() + " channels"
                    : ""));
    out.printf("%-12s %14s %10s %12s %10s%n", "", "messages", "seconds", "msg/s", "MB/s");
    flow(out, "published", result.published(), result.size());
    flow(out, "consumed", result.consumed(), result.size());
    out.println();
    latencies(result, out);
    out.printf(Locale.ROOT, "client CPU %.2f us per message%n", result.clientCpuUsPerMessage());
    note(out, result.lost(), "message", " published but not consumed");
    note(out, result.foreign(), "message", " of other runs consumed (left over in the topic)");
    note(out, result.redelivered(), "message", " delivered again");
    note(out, result.refusedFins(), "FIN", " refused");
  }

  private static void flow(PrintStream out, String name, BenchResult.Flow flow, int size) {
    if (flow != null) {
      out.printf(
          Locale.ROOT,
          "%-12s %14s %10.2f %12s %10.1f%n",
          name,
          Quantities.grouped(flow.messages()),
          flow.seconds(),
          Quantities.grouped(flow.perSecond()),
          flow.perSecond() * size / 1e6);
    }
  }

  private static void latencies(BenchResult result, PrintStream out) {
    boolean any = hasLatency(result.published()) || hasLatency(result.consumed());
    if (any) {
      out.printf("%-12s", "latency");
      for (double percentile : PERCENTILES) {
        out.printf(Locale.ROOT, " %10s", "p" + trimmed(percentile));
      }
      out.printf(" %10s%n", "max");
      latency(out, "to OK", result.published());
      latency(out, "end to end", result.consumed());
      out.println();
    }
  }

  private static void latency(PrintStream out, String name, BenchResult.Flow flow) {
    if (hasLatency(flow)) {
      out.printf("%-12s", name);
      for (double percentile : PERCENTILES) {
        out.printf(" %10s", Quantities.latency(flow.latency().getValueAtPercentile(percentile)));
      }
      out.printf(" %10s%n", Quantities.latency(flow.latency().getMaxValue()));
    }
  }

  private static boolean hasLatency(BenchResult.Flow flow) {
    return flow != null && flow.latency() != null && flow.latency().getTotalCount() > 0;
  }

  private static void note(PrintStream out, long count, String thing, String what) {
    if (count > 0) {
      out.println(Quantities.count(count, thing) + what);
    }
  }

  static String json(BenchResult result) {
    ObjectNode json = JSON.createObjectNode();
    json.put("mode", result.plan().mode());
    json.set("brokers", JSON.valueToTree(result.brokers()));
    json.put("topics", result.topics().size());
    json.put("channels", result.plan().channels());
    json.put("size_bytes", result.size());
    json.put("batch", result.batch());
    json.put("pub_conns", result.pubConns());
    json.put("sub_conns", result.subConns());
    if (result.plan().ratePerSecond() > 0) {
      json.put("offered_per_second", result.plan().ratePerSecond());
    }
    json.set("published", flowJson(result.published(), result.size(), "latency_to_ok_us"));
    json.set("consumed", flowJson(result.consumed(), result.size(), "latency_end_to_end_us"));
    json.put("lost", result.lost());
    json.put("foreign", result.foreign());
    json.put("redelivered", result.redelivered());
    json.put("refused_fins", result.refusedFins());
    json.put("client_cpu_us_per_message", rounded(result.clientCpuUsPerMessage()));
    json.set("failures", JSON.valueToTree(result.failures()));
    return json.toString();
  }

  private static ObjectNode flowJson(BenchResult.Flow flow, int size, String latencyName) {
    if (flow == null) {
      return null;
    }
    ObjectNode json = JSON.createObjectNode();
    json.put("messages", flow.messages());
    json.put("seconds", rounded(flow.seconds()));
    json.put("msgs_per_second", rounded(flow.perSecond()));
    json.put("mb_per_second", rounded(flow.perSecond() * size / 1e6));
    if (hasLatency(flow)) {
      ObjectNode latency = json.putObject(latencyName);
      for (double percentile : PERCENTILES) {
        latency.put(
            "p" + trimmed(percentile),
            rounded(flow.latency().getValueAtPercentile(percentile) / 1e3));
      }
      latency.put("max", rounded(flow.latency().getMaxValue() / 1e3));
      latency.put("mean", rounded(flow.latency().getMean() / 1e3));
      latency.put("count", flow.latency().getTotalCount());
    }
    return json;
  }

  /**
   * Writes the histograms.
   *
   * @param result has at least one
   * @param file {@code *.hlog}: HdrHistogram's log, else its percentile distribution in us
   * @throws IOException when the file cannot be written
   */
  static void writeHdr(BenchResult result, Path file) throws IOException {
    try (PrintStream out =
        new PrintStream(Files.newOutputStream(file), false, StandardCharsets.UTF_8)) {
      if (file.toString().endsWith(".hlog")) {
        HistogramLogWriter writer = new HistogramLogWriter(out);
        writer.outputComment("holdfast-tools bench " + result.plan().mode());
        writer.outputLogFormatVersion();
        writer.outputLegend();
        logged(writer, result.published(), "to-ok");
        logged(writer, result.consumed(), "end-to-end");
      } else {
        BenchResult.Flow shown =
            hasLatency(result.consumed()) ? result.consumed() : result.published();
        if (hasLatency(shown)) {
          shown.latency().outputPercentileDistribution(out, 1000.0);
        }
      }
      if (out.checkError()) {
        throw new IOException(file + ": cannot be written");
      }
    }
  }

  private static void logged(HistogramLogWriter writer, BenchResult.Flow flow, String tag) {
    if (hasLatency(flow)) {
      Histogram histogram = flow.latency().copy();
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
