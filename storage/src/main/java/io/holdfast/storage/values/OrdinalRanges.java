package io.holdfast.storage.values;

import java.util.Arrays;

/**
 * A reusable list of half-open ordinal ranges. Ordinals added one after the other in order merge
 * into one range, which is what the finishes of one socket read usually are. Not thread-safe.
 */
public final class OrdinalRanges {
  private static final long[] NONE = {};
  private static final int FIRST_BOUNDS = 16;

  /** Nothing until there is a range: thousands of channels at rest have some of these each. */
  private long[] bounds = NONE;

  private int count;

  /** Adds one ordinal. */
  public void add(long ordinal) {
    add(ordinal, ordinal + 1);
  }

  /** Adds the ordinals from (inclusive) to (exclusive). */
  public void add(long from, long to) {
    if (count > 0 && bounds[2 * count - 1] == from) {
      bounds[2 * count - 1] = to;
      return;
    }
    if (2 * count == bounds.length) {
      bounds = Arrays.copyOf(bounds, Math.max(FIRST_BOUNDS, 2 * bounds.length));
    }
    bounds[2 * count] = from;
    bounds[2 * count + 1] = to;
    count++;
  }

  /** The number of ranges. */
  public int count() {
    return count;
  }

  public boolean isEmpty() {
    return count == 0;
  }

  /** The first ordinal of range i. */
  public long from(int i) {
    return bounds[2 * i];
  }

  /** One above the last ordinal of range i. */
  public long to(int i) {
    return bounds[2 * i + 1];
  }

  /** How many of the ordinals from (inclusive) to (exclusive) are in these ranges. */
  public long overlap(long from, long to) {
    long common = 0;
    for (int i = 0; i < count; i++) {
      common += Math.max(0, Math.min(to, to(i)) - Math.max(from, from(i)));
    }
    return common;
  }

  public void clear() {
    count = 0;
  }
}
