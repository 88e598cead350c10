package io.holdfast.storage.raft;

import java.util.Arrays;

/**
 * A number for some of a log's indexes, in order: what holds for an index is what the nearest one
 * below has. 16 bytes each. Not thread-safe.
 */
final class SparseIndex {
  private static final int FIRST_CAPACITY = 64;

  private long[] indexes = new long[FIRST_CAPACITY];
  private long[] values = new long[FIRST_CAPACITY];
  private int count;

  int size() {
    return count;
  }

  /** Adds one above all others. */
  void add(long index, long value) {
    if (count == indexes.length) {
      indexes = Arrays.copyOf(indexes, 2 * count);
      values = Arrays.copyOf(values, 2 * count);
    }
    indexes[count] = index;
    values[count] = value;
    count++;
  }

  /** Where the nearest one at or below an index is, -1 when there is none. */
  int floor(long index) {
    int at = Arrays.binarySearch(indexes, 0, count, index);
    return at >= 0 ? at : -at - 2;
  }

  long index(int at) {
    return indexes[at];
  }

  long value(int at) {
    return values[at];
  }

  /** Removes those at or above an index. */
  void cutFrom(long index) {
    count = floor(index - 1) + 1;
  }

  /** Removes those that nothing at or above an index needs. */
  void dropBelow(long index) {
    int from = floor(index);
    if (from > 0) {
      count -= from;
      System.arraycopy(indexes, from, indexes, 0, count);
      System.arraycopy(values, from, values, 0, count);
      shrink();
    }
  }

  void clear() {
    count = 0;
    shrink();
  }

  private void shrink() {
    if (indexes.length > FIRST_CAPACITY && count < indexes.length / 4) {
      int capacity = Math.max(FIRST_CAPACITY, 2 * count);
      indexes = Arrays.copyOf(indexes, capacity);
      values = Arrays.copyOf(values, capacity);
    }
  }
}
