package io.holdfast.tools.bench.load;

import java.util.Arrays;

/** How many had come when; one point per interval at most. One thread. */
final class Timeline {
  private final long intervalNs;
  private long[] times = new long[1024];
  private long[] counts = new long[1024];
  private int size;

  Timeline(long intervalNs) {
    this.intervalNs = intervalNs;
  }

  void note(long nowNs, long count) {
    if (size == 0 || nowNs - times[size - 1] >= intervalNs) {
      end(nowNs, count);
    }
  }

  /** A point that is kept whatever the interval. */
  void end(long nowNs, long count) {
    if (size == times.length) {
      times = Arrays.copyOf(times, 2 * size);
      counts = Arrays.copyOf(counts, 2 * size);
    }
    times[size] = nowNs;
    counts[size] = count;
    size++;
  }

  /**
   * The first point with at least so many, as time and count; the last one when there is none.
   *
   * @return {0, 0} when nothing was noted
   */
  long[] reached(long count) {
    if (size == 0) {
      return new long[2];
    }
    int at = 0;
    while (at < size - 1 && counts[at] < count) {
      at++;
    }
    return new long[] {times[at], counts[at]};
  }
}
