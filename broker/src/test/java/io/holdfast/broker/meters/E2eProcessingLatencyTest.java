package io.holdfast.broker.meters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class E2eProcessingLatencyTest {
  private static final double[] QUANTILES = {0.99, 0.5, 1.0};
  private static final long WINDOW_NS = 400;

  private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 100); // Wraps on the way.

  private E2eProcessingLatency create() {
    return E2eProcessingLatency.create(QUANTILES, WINDOW_NS, now::get);
  }

  @Test
  void shouldShowConfiguredPercentilesInTheirOrder() {
    E2eProcessingLatency latency = create();
    for (int ms = 1; ms <= 1000; ms++) {
      latency.record(ms * 1_000_000L);
    }
    E2eLatency figures = latency.snapshot();
    assertEquals(1000, figures.count());
    double[] expectedMs = {990, 500, 1000};
    for (int i = 0; i < 3; i++) {
      assertEquals(QUANTILES[i], figures.percentiles().get(i).quantile());
      assertEquals(
          expectedMs[i] * 1e6,
          (double) figures.percentiles().get(i).value(),
          expectedMs[i] * 1e6 * 0.01);
    }
  }

  @Test
  void shouldForgetWhatLeftTheWindow() {
    E2eProcessingLatency latency = create();
    latency.record(1_000_000);
    now.addAndGet(300);
    latency.record(2_000_000);
    assertEquals(2, latency.snapshot().count());
    now.addAndGet(100);
    assertEquals(1, latency.snapshot().count());
    now.addAndGet(10 * WINDOW_NS);
    assertEquals(
        new E2eLatency(
            0,
            List.of(
                new E2eLatency.Percentile(0.99, 0),
                new E2eLatency.Percentile(0.5, 0),
                new E2eLatency.Percentile(1.0, 0))),
        latency.snapshot());
  }

  @Test
  void shouldMergeMessagesRatherThanPercentiles() {
    E2eProcessingLatency few = create();
    E2eProcessingLatency many = create();
    few.record(1_000_000_000);
    for (int i = 0; i < 99; i++) {
      many.record(1_000_000);
    }
    E2eLatency merged = E2eProcessingLatency.merged(List.of(few, many, E2eProcessingLatency.NONE));
    assertEquals(100, merged.count());
    assertEquals(1e6, (double) merged.percentiles().get(0).value(), 1e4);
    assertEquals(1e9, (double) merged.percentiles().get(2).value(), 1e7);
  }

  @Test
  void shouldTakeAnyValue() {
    E2eProcessingLatency latency = create();
    latency.record(-5);
    latency.record(0);
    latency.record(Long.MAX_VALUE);
    assertEquals(3, latency.snapshot().count());
  }

  @Test
  void shouldCostNothingWhenNoneIsConfigured() {
    E2eProcessingLatency none = E2eProcessingLatency.create(new double[0], 1, now::get);
    assertSame(E2eProcessingLatency.NONE, none);
    none.record(5);
    assertEquals(0, none.snapshot().count());
    assertNull(none.snapshot().percentiles());
    assertNull(E2eProcessingLatency.merged(List.of()).percentiles());
    assertThrows(
        IllegalArgumentException.class,
        () -> E2eProcessingLatency.create(new double[] {1.5}, 1, now::get));
  }
}
