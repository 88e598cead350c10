package io.holdfast.broker.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class NumberFamilyTest {
  private static final List<Double> VALUES =
      Stream.concat(
              Stream.of(0.0, 1.0, 9_999_999.0, 1e7, 123_456_789_012.0, 0.25, 3.5),
              IntStream.range(1, 20).mapToObj(i -> (double) (i * i)))
          .toList();

  private static ExpositionFormatWriter library(Metrics.Format format) {
    return switch (format) {
      case TEXT -> PrometheusTextFormatWriter.create();
      case OPEN_METRICS -> OpenMetricsTextFormatWriter.create();
    };
  }

  @ParameterizedTest
  @EnumSource
  void shouldWriteWhatTheLibraryWrites(Metrics.Format format) throws IOException {
    for (NumberFamily<Double> family :
        List.of(
            Family.<Double>gauge("nsq_depth", "Messages that wait.", Double::doubleValue),
            Family.<Double>counter("nsq_messages", "Messages since start.", Double::doubleValue),
            Family.<Double>untyped("nsq_count", "What was there before.", Double::doubleValue))) {
      List<byte[]> labels =
          IntStream.range(0, VALUES.size())
              .mapToObj(
                  i -> NumberFamily.ascii("channel=\"c\",topic=\"" + (char) ('A' + i) + "\"} "))
              .toList();
      for (int i = 0; i < VALUES.size(); i++) {
        Labels of = Labels.of("topic", String.valueOf((char) ('A' + i)), "channel", "c");
        family.add(of, VALUES.get(i));
      }
      ByteArrayOutputStream expected = new ByteArrayOutputStream();
      library(format).write(expected, MetricSnapshots.of(family.snapshot()));
      ByteArrayOutputStream written = new ByteArrayOutputStream();
      family.write(format, labels, written);
      assertEquals(
          expected.toString(StandardCharsets.UTF_8).replace("# EOF\n", ""),
          written.toString(StandardCharsets.UTF_8));
    }
  }
}
