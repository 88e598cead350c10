package io.holdfast.broker.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.broker.metrics.Metrics.Format;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MetricsHandlerTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "none",
      value = {
        "none | TEXT",
        "*/* | TEXT",
        "text/html | TEXT",
        "application/openmetrics-text | OPEN_METRICS",
        "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.2"
            + " | OPEN_METRICS",
        "application/openmetrics-text;q=0.4, text/plain;q=0.5 | TEXT",
        "application/openmetrics-text;q=0, text/plain;q=0 | TEXT",
        "application/openmetrics-text;q=x | TEXT",
      })
  void openMetricsIsForWhoPrefersIt(String accept, Format expected) {
    assertEquals(expected, MetricsHandler.format(accept));
  }
}
