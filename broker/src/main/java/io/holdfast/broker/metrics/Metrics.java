package io.holdfast.broker.metrics;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;

/**
 * The one registry: the broker's figures, and those of JVM and process by Micrometer's binders.
 * Thread-safe.
 */
public final class Metrics implements Closeable {
  private static final int FIRST_BYTES = 64 * 1024;

  private final BrokerCollector broker;

  /** null before {@link #begin}. */
  @GuardedBy("this")
  private Registry registry;

  @GuardedBy("this")
  private boolean isClosed;

  /** How the figures are written. */
  public enum Format {
    /** Prometheus' own text format, version 0.0.4. */
    TEXT("text/plain; version=0.0.4; charset=utf-8", PrometheusTextFormatWriter.create()),
    /** OpenMetrics 1.0.0. */
    OPEN_METRICS(
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
        OpenMetricsTextFormatWriter.create());

    private final String contentType;

    @SuppressWarnings("ImmutableEnumChecker") // writers have no state
    private final ExpositionFormatWriter writer;

    Format(String contentType, ExpositionFormatWriter writer) {
      this.contentType = contentType;
      this.writer = writer;
    }

    /** The value of the header. */
    public String contentType() {
      return contentType;
    }
  }

  /**
   * @param broker the broker's figures, read at each scrape
   */
  public Metrics(BrokerCollector broker) {
    this.broker = broker;
  }

  /**
   * Begins to watch the JVM, whose collections are counted from then on. That takes a tenth of a
   * second of a young process, so whoever starts has it done beside the start; else the first
   * scrape does it. Further calls do nothing.
   */
  public synchronized void begin() {
    if (registry == null && !isClosed) {
      registry = new Registry(broker);
    }
  }

  private synchronized PrometheusRegistry prometheus() {
    begin();
    return registry == null ? new PrometheusRegistry() : registry.prometheus;
  }

  /** Reads every figure now; visits all topics and channels, so not on an event loop. */
  public byte[] scrape(Format format) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(FIRST_BYTES);
    broker.writeEach(format, out);
    try {
      format.writer.write(out, prometheus().scrape());
    } catch (IOException e) {
      throw new IllegalStateException("writing into memory failed", e);
    }
    return out.toByteArray();
  }

  @Override
  public synchronized void close() {
    isClosed = true;
    if (registry != null) {
      registry.close();
    }
  }

  /** What is scraped but for the families of {@link BrokerCollector#writeEach}. */
  private static final class Registry implements Closeable {
    private final PrometheusRegistry prometheus = new PrometheusRegistry();
    private final PrometheusMeterRegistry micrometer =
        new PrometheusMeterRegistry(PrometheusConfig.DEFAULT, prometheus, Clock.SYSTEM);
    private final JvmGcMetrics gc = new JvmGcMetrics();

    Registry(BrokerCollector broker) {
      prometheus.register(broker);
      // promtool refuses the unit of the one and the name of system.cpu.count.
      micrometer.config().meterFilter(MeterFilter.denyNameStartsWith("process.cpu.time"));
      micrometer.config().meterFilter(MeterFilter.denyNameStartsWith("system."));
      new ClassLoaderMetrics().bindTo(micrometer);
      new JvmMemoryMetrics().bindTo(micrometer);
      gc.bindTo(micrometer);
      new JvmThreadMetrics().bindTo(micrometer);
      new ProcessorMetrics().bindTo(micrometer);
      new FileDescriptorMetrics().bindTo(micrometer);
      new UptimeMetrics().bindTo(micrometer);
    }

    @Override
    public void close() {
      gc.close();
      micrometer.close();
    }
  }
}
