package io.holdfast.broker.http;

import io.holdfast.broker.metrics.Metrics;
import io.netty.handler.codec.http.HttpHeaderNames;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Locale;
import java.util.zip.GZIPOutputStream;

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
    byte[] text = metrics.scrape(format);
    return acceptsGzip(request.header(HttpHeaderNames.ACCEPT_ENCODING))
        ? HttpReply.bytes(format.contentType(), gzip(text)).with("Content-Encoding", "gzip")
        : HttpReply.bytes(format.contentType(), text);
  }

  /**
   * Whether gzip is named, and not with a quality of 0.
   *
   * @param acceptEncoding null for none
   */
  static boolean acceptsGzip(String acceptEncoding) {
    for (String coding : (acceptEncoding == null ? "" : acceptEncoding).split(",", -1)) {
      String[] parts = coding.toLowerCase(Locale.ROOT).split(";", -1);
      if (parts[0].trim().equals("gzip") && Accepts.quality(parts) > 0) {
        return true;
      }
    }
    return false;
  }

  private static byte[] gzip(byte[] text) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream(text.length / 8 + 64);
    try (GZIPOutputStream to = new GZIPOutputStream(out)) {
      to.write(text);
    }
    return out.toByteArray();
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
