package io.holdfast.broker.http;

import io.holdfast.broker.metrics.Metrics;
import io.netty.handler.codec.http.HttpHeaderNames;
import java.io.IOException;
import java.util.Locale;

/** GET /metrics. Stateless. */
final class MetricsHandler {
  private static final String OPEN_METRICS = "application/openmetrics-text";

  private final Metrics metrics;

  MetricsHandler(Metrics metrics) {
    this.metrics = metrics;
  }

  /** Reads all figures, hence on a worker. */
  HttpReply metrics(ApiRequest request) throws IOException {
    Metrics.Format format = format(request.header(HttpHeaderNames.ACCEPT));
    return Gzip.ifAccepted(request, HttpReply.bytes(format.contentType(), metrics.scrape(format)));
  }

  /**
   * OpenMetrics for who asks for it before anything else, else Prometheus' text: also for any kind,
   * for no Accept and for a strange one.
   *
   * @param accept null for none
   */
  static Metrics.Format format(String accept) {
    double openMetrics = 0;
    double others = 0;
    for (String range : (accept == null ? "" : accept).split(",", -1)) {
      String[] parts = range.toLowerCase(Locale.ROOT).split(";", -1);
      double quality = Accepts.quality(parts);
      if (parts[0].trim().equals(OPEN_METRICS)) {
        openMetrics = Math.max(openMetrics, quality);
      } else if (parts[0].trim().equals("text/plain")) {
        others = Math.max(others, quality);
      }
    }
    return openMetrics > 0 && openMetrics >= others
        ? Metrics.Format.OPEN_METRICS
        : Metrics.Format.TEXT;
  }
}
