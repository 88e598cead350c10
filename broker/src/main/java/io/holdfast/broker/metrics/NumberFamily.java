package io.holdfast.broker.metrics;

import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.UnknownSnapshot;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A family whose samples are one number each. Used by one thread, for one scrape.
 *
 * <p>A few samples go through the library. The families that have one of every channel are written
 * here: of ten thousand channels the library's checks, and its quoting of the same labels for each
 * family, took three quarters of a scrape.
 *
 * @param <T> where the value comes from
 */
final class NumberFamily<T> extends Family<T> {
  private static final byte[] ZERO = ascii("0.0\n");

  /** Below this, a whole number is written as such; above as the library does, such as 1.0E7. */
  private static final double MAX_PLAIN = 1e7;

  private final Kind kind;
  private final String name;
  private final String help;
  private final Reader<T> reader;
  private final List<Labels> labels = new ArrayList<>();
  private double[] values = new double[16];

  /** What Prometheus is told of a family. */
  enum Kind {
    GAUGE,
    COUNTER,
    UNTYPED
  }

  NumberFamily(Kind kind, String name, String help, Reader<T> reader) {
    this.kind = kind;
    this.name = name;
    this.help = help;
    this.reader = reader;
  }

  @Override
  void add(Labels of, T from) {
    int count = labels.size();
    if (count == values.length) {
      values = Arrays.copyOf(values, 2 * count);
    }
    values[count] = reader.read(from);
    labels.add(of);
  }

  @Override
  MetricSnapshot snapshot() {
    if (labels.isEmpty()) {
      return null;
    }
    return switch (kind) {
      case GAUGE -> gauge();
      case COUNTER -> counter();
      case UNTYPED -> untyped();
    };
  }

  private MetricSnapshot gauge() {
    GaugeSnapshot.Builder builder = GaugeSnapshot.builder().name(name).help(help);
    for (int i = 0; i < labels.size(); i++) {
      builder.dataPoint(
          GaugeSnapshot.GaugeDataPointSnapshot.builder()
              .labels(labels.get(i))
              .value(values[i])
              .build());
    }
    return builder.build();
  }

  private MetricSnapshot counter() {
    CounterSnapshot.Builder builder = CounterSnapshot.builder().name(name).help(help);
    for (int i = 0; i < labels.size(); i++) {
      builder.dataPoint(
          CounterSnapshot.CounterDataPointSnapshot.builder()
              .labels(labels.get(i))
              .value(values[i])
              .build());
    }
    return builder.build();
  }

  private MetricSnapshot untyped() {
    UnknownSnapshot.Builder builder = UnknownSnapshot.builder().name(name).help(help);
    for (int i = 0; i < labels.size(); i++) {
      builder.dataPoint(
          UnknownSnapshot.UnknownDataPointSnapshot.builder()
              .labels(labels.get(i))
              .value(values[i])
              .build());
    }
    return builder.build();
  }

  /**
   * Writes the family as the library would.
   *
   * @param labelTexts one for each sample, in the order they were added: what stands in braces
   */
  void write(Metrics.Format format, List<byte[]> labelTexts, ByteArrayOutputStream out) {
    if (labelTexts.isEmpty()) {
      return;
    }
    boolean isOpen = format == Metrics.Format.OPEN_METRICS;
    String sample = kind == Kind.COUNTER ? name + "_total" : name;
    String family = isOpen ? name : sample;
    String type =
        switch (kind) {
          case GAUGE -> "gauge";
          case COUNTER -> "counter";
          case UNTYPED -> isOpen ? "unknown" : "untyped";
        };
    String typeLine = "# TYPE " + family + " " + type + "\n";
    String helpLine = "# HELP " + family + " " + help + "\n";
    out.writeBytes(ascii(isOpen ? typeLine + helpLine : helpLine + typeLine));
    byte[] start = ascii(sample + "{");
    for (int i = 0; i < labelTexts.size(); i++) {
      out.writeBytes(start);
      out.writeBytes(labelTexts.get(i));
      out.writeBytes(line(values[i]));
    }
  }

  private static byte[] line(double value) {
    if (value == 0) {
      return ZERO;
    }
    long whole = (long) value;
    return ascii(whole == value && Math.abs(value) < MAX_PLAIN ? whole + ".0\n" : value + "\n");
  }

  /** Names, help and numbers have nothing else. */
  static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
