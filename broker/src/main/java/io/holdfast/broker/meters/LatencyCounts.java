package io.holdfast.broker.meters;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Counts durations in fixed buckets, as a Prometheus histogram wants them. Recording costs one or
 * two atomic additions and allocates nothing, so that hot paths can afford it. Thread-safe; a
 * snapshot taken meanwhile may lack the latest values.
 */
public final class LatencyCounts {
  /** What a disk, a loop or a publish takes: 50 us to 10 s. */
  @SuppressWarnings("MutablePublicArray") // nobody writes to it
  public static final double[] SHORT_SECONDS = {
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
    2.5, 5, 10
  };

  /** What a message waits and is worked on: 1 ms to an hour. */
  @SuppressWarnings("MutablePublicArray") // nobody writes to it
  public static final double[] LONG_SECONDS = {
    0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600
  };

  private static final double NS_PER_S = 1e9;
  private static final int STRIPES = 4;

  private final double[] boundsSeconds;
  private final long[] boundsNs;

  /**
   * A count per bound, one for what is above all, and at last the sum in ns; once for each stripe.
   */
  private final AtomicLongArray[] stripes;

  /** One for a single writer at a time, see {@link #recordOwned}. */
  public static LatencyCounts owned(double[] boundsSeconds) {
    return new LatencyCounts(boundsSeconds, 1);
  }

  /** One that threads write to at the same time: they seldom meet at a counter. */
  public static LatencyCounts shared(double[] boundsSeconds) {
    return new LatencyCounts(boundsSeconds, STRIPES);
  }

  /**
   * @param boundsSeconds rising upper bounds of the buckets; a value equal to one is in its bucket
   * @param count of stripes, a power of 2
   */
  private LatencyCounts(double[] boundsSeconds, int count) {
    this.boundsSeconds = boundsSeconds;
    boundsNs = new long[boundsSeconds.length];
    for (int i = 0; i < boundsNs.length; i++) {
      boundsNs[i] = Math.round(boundsSeconds[i] * NS_PER_S);
    }
    stripes = new AtomicLongArray[count];
    for (int i = 0; i < count; i++) {
      stripes[i] = new AtomicLongArray(boundsNs.length + 2);
    }
  }

  /** Counts one duration in ns; a negative one (a clock was set back) counts as 0. */
  public void record(long ns) {
    record(ns, 1);
  }

  /** Counts {@code times} operations that took so many ns each. */
  public void record(long ns, int times) {
    long positiveNs = Math.max(0, ns);
    AtomicLongArray counts = stripes[(int) Thread.currentThread().getId() & stripes.length - 1];
    counts.addAndGet(bucket(positiveNs), times);
    counts.addAndGet(boundsNs.length + 1, positiveNs * times);
  }

  /**
   * As {@link #record(long)}, where a lock keeps others from writing: no atomic addition, which for
   * each message would pull the counter from one processor to the other.
   */
  public void recordOwned(long ns) {
    long positiveNs = Math.max(0, ns);
    AtomicLongArray counts = stripes[0];
    int bucket = bucket(positiveNs);
    int sum = boundsNs.length + 1;
    counts.setOpaque(bucket, counts.getPlain(bucket) + 1);
    counts.setOpaque(sum, counts.getPlain(sum) + positiveNs);
  }

  private int bucket(long ns) {
    int bucket = 0;
    while (bucket < boundsNs.length && ns > boundsNs[bucket]) {
      bucket++;
    }
    return bucket;
  }

  /** The upper bounds in s, without the infinite one. */
  public double[] boundsSeconds() {
    return boundsSeconds.clone();
  }

  /** Returns how many were in each bucket by itself; the last one is above all bounds. */
  public long[] bucketCounts() {
    long[] result = new long[boundsNs.length + 1];
    for (int i = 0; i < result.length; i++) {
      for (AtomicLongArray counts : stripes) {
        result[i] += counts.get(i);
      }
    }
    return result;
  }

  /** Returns how many durations were counted. */
  public long count() {
    long sum = 0;
    for (AtomicLongArray counts : stripes) {
      for (int i = 0; i <= boundsNs.length; i++) {
        sum += counts.get(i);
      }
    }
    return sum;
  }

  /**
   * Estimates a quantile as Prometheus does: values are taken as evenly spread within their bucket,
   * those above all bounds as the highest bound.
   *
   * @param bucketCounts of this histogram, or the difference of two of them
   * @param quantile 0 to 1
   * @return seconds, null when nothing was counted
   */
  public Double quantileSeconds(long[] bucketCounts, double quantile) {
    long total = 0;
    for (long count : bucketCounts) {
      total += count;
    }
    if (total <= 0) {
      return null;
    }
    double rank = quantile * total;
    double below = 0;
    for (int i = 0; i < boundsSeconds.length; i++) {
      if (below + bucketCounts[i] >= rank && bucketCounts[i] > 0) {
        double from = i == 0 ? 0 : boundsSeconds[i - 1];
        return from + (boundsSeconds[i] - from) * (rank - below) / bucketCounts[i];
      }
      below += bucketCounts[i];
    }
    return boundsSeconds[boundsSeconds.length - 1];
  }

  /** Sum of all durations in s. */
  public double sumSeconds() {
    long ns = 0;
    for (AtomicLongArray counts : stripes) {
      ns += counts.get(boundsNs.length + 1);
    }
    return ns / NS_PER_S;
  }
}
