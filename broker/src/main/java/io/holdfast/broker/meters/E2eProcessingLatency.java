package io.holdfast.broker.meters;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.LongSupplier;
import org.HdrHistogram.Histogram;

/**
 * Percentiles of the time from publish to FIN over a sliding window (contract §8,
 * e2e-processing-latency-*).
 *
 * <p>The window is cut into {@value #SLICES} histograms, the oldest of which is emptied and reused
 * as time goes on: a figure covers between three quarters and the whole of the window. Values are
 * exact to 1 %. A channel that finishes nothing does no work; its old slices are emptied when
 * looked at.
 *
 * <p>Safe for use by any thread: its own monitor, a leaf in the lock order, guards all fields, so
 * that statistics need no channel's lock.
 */
public class E2eProcessingLatency {
  /** What channels share when no percentile is configured: keeps nothing, costs nothing. */
  public static final E2eProcessingLatency NONE = new None();

  private static final int SLICES = 4;
  private static final int SIGNIFICANT_DIGITS = 2;

  /** One microsecond in ns: finer differences are of no interest and would cost memory. */
  private static final long LOWEST_NS = 1_000;

  /** A year in ns; longer ones count as this, so that a histogram's size stays bounded. */
  private static final long HIGHEST_NS = 365L * 24 * 3600 * 1_000_000_000L;

  private final double[] quantiles;
  private final long sliceNs;
  private final LongSupplier nanoClock;
  private final Histogram[] slices = new Histogram[SLICES];
  private int current;
  private long currentStartNs;

  private E2eProcessingLatency(double[] quantiles, long windowNs, LongSupplier nanoClock) {
    this.quantiles = quantiles;
    this.sliceNs = Math.max(1, windowNs / SLICES);
    this.nanoClock = nanoClock;
    this.currentStartNs = nanoClock.getAsLong();
  }

  /**
   * @param quantiles each in (0,1] (e2e-processing-latency-percentile); empty gives {@link #NONE}
   * @param windowNs length of the window in ns (e2e-processing-latency-window-time)
   * @param nanoClock monotonic, usually {@link System#nanoTime}
   * @throws IllegalArgumentException for a quantile out of range
   */
  public static E2eProcessingLatency create(
      double[] quantiles, long windowNs, LongSupplier nanoClock) {
    for (double quantile : quantiles) {
      if (!(quantile > 0 && quantile <= 1)) {
        throw new IllegalArgumentException("percentile " + quantile + " is not in (0,1]");
      }
    }
    return quantiles.length == 0
        ? NONE
        : new E2eProcessingLatency(quantiles.clone(), windowNs, nanoClock);
  }

  /**
   * One finished message.
   *
   * @param nanos publish to FIN in ns; negative (a clock was set back) counts as 0
   */
  public synchronized void record(long nanos) {
    rotate();
    if (slices[current] == null) {
      slices[current] = newHistogram();
    }
    slices[current].recordValue(Math.min(Math.max(nanos, 0), HIGHEST_NS));
  }

  /** The window's figures now. */
  public E2eLatency snapshot() {
    return merged(List.of(this));
  }

  /**
   * The figures of all {@code channels} together, which is what a topic shows: taken over all their
   * messages, not an average of percentiles. All must have been created with the same quantiles.
   * Without channels, or when none is configured: count 0 and null.
   */
  public static E2eLatency merged(Collection<E2eProcessingLatency> channels) {
    double[] quantiles = null;
    Histogram sum = newHistogram();
    for (E2eProcessingLatency channel : channels) {
      if (channel != NONE) {
        quantiles = channel.quantiles;
        channel.addTo(sum);
      }
    }
    if (quantiles == null) {
      return new E2eLatency(0, null);
    }
    List<E2eLatency.Percentile> percentiles = new ArrayList<>(quantiles.length);
    for (double quantile : quantiles) {
      percentiles.add(
          new E2eLatency.Percentile(quantile, sum.getValueAtPercentile(quantile * 100.0)));
    }
    return new E2eLatency(sum.getTotalCount(), List.copyOf(percentiles));
  }

  private synchronized void addTo(Histogram sum) {
    rotate();
    for (Histogram slice : slices) {
      if (slice != null && slice.getTotalCount() > 0) {
        sum.add(slice);
      }
    }
  }

  private void rotate() {
    long passed = (nanoClock.getAsLong() - currentStartNs) / sliceNs;
    for (long i = Math.min(passed, SLICES); i > 0; i--) {
      current = (current + 1) % SLICES;
      if (slices[current] != null) {
        slices[current].reset();
      }
    }
    currentStartNs += passed * sliceNs;
  }

  private static Histogram newHistogram() {
    Histogram histogram = new Histogram(LOWEST_NS, 2 * LOWEST_NS, SIGNIFICANT_DIGITS);
    histogram.setAutoResize(true);
    return histogram;
  }

  private static final class None extends E2eProcessingLatency {
    private None() {
      super(new double[0], SLICES, () -> 0);
    }

    @Override
    public void record(long nanos) {
      // Nobody asked for percentiles.
    }
  }
}
