package io.holdfast.storage.ledger;

import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.OrdinalRanges;
import java.util.Map;
import java.util.TreeMap;

/**
 * A channel's unfinished messages whose own journal record is not needed any more, because they
 * were relocated ({@code Journal.relocate}), and the journal files that they stand in now. Not
 * thread-safe (the channel's lock).
 */
public final class RelocatedMessages {
  /** Nothing relocated pins a file. */
  public static final int NO_FILE = Integer.MAX_VALUE;

  private final TreeMap<Long, Integer> fileByOrdinal = new TreeMap<>();

  /** A message that was relocated to here. */
  public void put(MessageRef place) {
    fileByOrdinal.put(place.ordinal(), place.file());
  }

  boolean contains(long ordinal) {
    return fileByOrdinal.containsKey(ordinal);
  }

  /** How many there are of the ordinals from (inclusive) to (exclusive). */
  long count(long from, long to) {
    return from < to ? fileByOrdinal.subMap(from, to).size() : 0;
  }

  /** These messages are finished: they need no place. */
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
    for (Map.Entry<Long, Integer> relocated : fileByOrdinal.tailMap(at).entrySet()) {
      if (relocated.getKey() != at) {
        break;
      }
      at = finished.nextAbsent(at + 1);
    }
    return at;
  }

  /** The oldest file with a relocated message, or {@link #NO_FILE}. */
  public int pinnedFile() {
    int oldest = NO_FILE;
    for (int file : fileByOrdinal.values()) {
      oldest = Math.min(oldest, file);
    }
    return oldest;
  }
}
