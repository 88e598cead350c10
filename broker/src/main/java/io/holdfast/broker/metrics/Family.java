package io.holdfast.broker.metrics;

import io.holdfast.broker.meters.LatencyCounts;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;

/**
 * One metric family while its samples are gathered. Used by one thread, for one scrape.
 *
 * @param <T> where the value comes from
 */
abstract class Family<T> {
  /** Reads a number. */
  interface Reader<T> {
    /** Returns the value now. */
    double read(T from);
  }

  /** Adds a sample of {@code from}. */
  abstract void add(Labels labels, T from);

  /** The family, null when there is nothing in it. */
  abstract MetricSnapshot snapshot();

  /** A value that goes up and down. */
  static <T> NumberFamily<T> gauge(String name, String help, Reader<T> reader) {
    return new NumberFamily<>(NumberFamily.Kind.GAUGE, name, help, reader);
  }

  /** A value that only rises. The name is without {@code _total}. */
  static <T> NumberFamily<T> counter(String name, String help, Reader<T> reader) {
    return new NumberFamily<>(NumberFamily.Kind.COUNTER, name, help, reader);
  }

  /** What dashboards know by a name that promtool lets neither gauge nor counter have. */
  static <T> NumberFamily<T> untyped(String name, String help, Reader<T> reader) {
    return new NumberFamily<>(NumberFamily.Kind.UNTYPED, name, help, reader);
  }

  /** Durations in s. Whoever has counted none yet is left out. */
  static Family<LatencyCounts> histogram(String name, String help) {
    HistogramSnapshot.Builder builder = HistogramSnapshot.builder().name(name).help(help);
    return new Family<>() {
      private boolean isEmpty = true;

      @Override
      void add(Labels labels, LatencyCounts from) {
        if (from != null) {
          builder.dataPoint(
              HistogramSnapshot.HistogramDataPointSnapshot.builder()
                  .labels(labels)
                  .classicHistogramBuckets(buckets(from))
                  .sum(from.sumSeconds())
                  .build());
          isEmpty = false;
        }
      }

      @Override
      MetricSnapshot snapshot() {
        return isEmpty ? null : builder.build();
      }
    };
  }

  private static ClassicHistogramBuckets buckets(LatencyCounts counts) {
    double[] bounds = counts.boundsSeconds();
    long[] inBucket = counts.bucketCounts();
    ClassicHistogramBuckets.Builder buckets = ClassicHistogramBuckets.builder();
    for (int i = 0; i < inBucket.length; i++) {
      buckets.bucket(i < bounds.length ? bounds[i] : Double.POSITIVE_INFINITY, inBucket[i]);
    }
    return buckets.build();
  }
}
