package io.holdfast.storage.ledger;

import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.OrdinalRanges;
import java.util.Map;
import java.util.TreeMap;

/**
 * A channel's unfinished messages whose own journal record is not needed any more, because a copy
 * was carried forward ({@code Journal.carry}), and the journal files that have the copies. Not
 * thread-safe (the channel's lock).
 */
public final class CarriedMessages {
  /** Copies pin no file. */
  public static final int NO_FILE = Integer.MAX_VALUE;

  private final TreeMap<Long, Integer> fileByOrdinal = new TreeMap<>();

  /** A message that stands in this copy. */
  public void put(MessageRef copy) {
    fileByOrdinal.put(copy.ordinal(), copy.file());
  }

  boolean contains(long ordinal) {
    return fileByOrdinal.containsKey(ordinal);
  }

  /** How many there are of the ordinals from (inclusive) to (exclusive). */
  long count(long from, long to) {
    return from < to ? fileByOrdinal.subMap(from, to).size() : 0;
  }

  /** These messages are finished: they need no copy. */
  public void finish(OrdinalRanges ranges) {
    if (!fileByOrdinal.isEmpty()) {
      for (int i = 0; i < ranges.count(); i++) {
        finish(ranges.from(i), ranges.to(i));
      }
    }
  }

  void finish(long from, long to) {
    if (!fileByOrdinal.isEmpty() && from < to) {
      fileByOrdinal.subMap(from, to).clear();
    }
  }

  /** There are none any more. */
  public void clear() {
    fileByOrdinal.clear();
  }

  /** The lowest ordinal that is neither finished nor here. */
  public long neededFrom(FinishedSet finished) {
    long at = finished.floor();
    for (Map.Entry<Long, Integer> carried : fileByOrdinal.tailMap(at).entrySet()) {
      if (carried.getKey() != at) {
        break;
      }
      at = finished.nextAbsent(at + 1);
    }
    return at;
  }

  /** The oldest file with a copy, or {@link #NO_FILE}. */
  public int pinnedFile() {
    int oldest = NO_FILE;
    for (int file : fileByOrdinal.values()) {
      oldest = Math.min(oldest, file);
    }
    return oldest;
  }
}
