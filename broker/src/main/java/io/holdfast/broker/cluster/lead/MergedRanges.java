package io.holdfast.broker.cluster.lead;

import io.holdfast.storage.values.OrdinalRanges;
import java.util.Arrays;
import java.util.Comparator;

/** Ranges of ordinals in order, none touching another; cannot be changed. */
final class MergedRanges {
  private final long[] from;
  private final long[] to;
  private final int count;

  /**
   * @param of in any order, also overlapping
   */
  MergedRanges(OrdinalRanges of) {
    long[][] sorted = new long[of.count()][];
    boolean isSorted = true;
    for (int i = 0; i < sorted.length; i++) {
      sorted[i] = new long[] {of.from(i), of.to(i)};
      isSorted &= i == 0 || sorted[i - 1][0] <= sorted[i][0];
    }
    if (!isSorted) {
      Arrays.sort(sorted, Comparator.comparingLong(range -> range[0]));
    }
    from = new long[sorted.length];
    to = new long[sorted.length];
    int merged = 0;
    for (long[] range : sorted) {
      if (merged > 0 && range[0] <= to[merged - 1]) {
        to[merged - 1] = Math.max(to[merged - 1], range[1]);
      } else {
        from[merged] = range[0];
        to[merged++] = range[1];
      }
    }
    count = merged;
  }

  boolean contains(long ordinal) {
    int i = lastFrom(ordinal);
    return i >= 0 && ordinal < to[i];
  }

  /** The last range that begins at or below an ordinal; negative for none. */
  private int lastFrom(long ordinal) {
    int found = Arrays.binarySearch(from, 0, count, ordinal);
    return found >= 0 ? found : -found - 2;
  }

  /** What is here, and not there. */
  OrdinalRanges minus(MergedRanges other) {
    OrdinalRanges left = new OrdinalRanges();
    for (int i = 0; i < count; i++) {
      long at = from[i];
      int j = Math.max(0, other.lastFrom(at));
      while (at < to[i]) {
        boolean isBefore = j < other.count && other.from[j] < to[i];
        long until = isBefore ? Math.max(at, other.from[j]) : to[i];
        if (at < until) {
          left.add(at, until);
        }
        at = isBefore ? Math.max(until, other.to[j++]) : to[i];
      }
    }
    return left;
  }

  /**
   * Some of the ranges.
   *
   * @param first of them
   * @param max how many at most
   */
  OrdinalRanges part(int first, int max) {
    OrdinalRanges part = new OrdinalRanges();
    for (int i = first; i < Math.min(count, first + max); i++) {
      part.add(from[i], to[i]);
    }
    return part;
  }

  int count() {
    return count;
  }
}
