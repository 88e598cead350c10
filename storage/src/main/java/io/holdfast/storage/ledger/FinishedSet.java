package io.holdfast.storage.ledger;

import io.holdfast.storage.values.OrdinalRanges;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.roaringbitmap.PeekableIntIterator;
import org.roaringbitmap.RoaringBitmap;

/**
 * Which ordinals of a channel are finished: all below the floor, and a compressed set above it. The
 * floor rises by itself over what is finished. Not thread-safe (the channel's lock).
 */
public final class FinishedSet {
  /** One bitmap per 2^20 ordinals, so that a checkpoint record holds one of them. */
  static final int SEGMENT_BITS = 20;

  private static final long SEGMENT_SIZE = 1L << SEGMENT_BITS;
  private static final long MASK = SEGMENT_SIZE - 1;

  private final TreeMap<Long, RoaringBitmap> segments = new TreeMap<>();
  private long floor;

  /**
   * @param floor negative for a set only: its floor does not rise
   */
  public FinishedSet(long floor) {
    this.floor = floor;
  }

  /** Every ordinal below is finished. */
  public long floor() {
    return floor;
  }

  /** Whether an ordinal is below the floor or marked. */
  public boolean contains(long ordinal) {
    if (ordinal < floor) {
      return true;
    }
    RoaringBitmap segment = segments.get(ordinal >>> SEGMENT_BITS);
    return segment != null && segment.contains((int) (ordinal & MASK));
  }

  /** Marks ordinals. */
  public void add(OrdinalRanges ranges) {
    for (int i = 0; i < ranges.count(); i++) {
      add(ranges.from(i), ranges.to(i));
    }
  }

  /** Marks the ordinals from (inclusive) to (exclusive). */
  public void add(long from, long to) {
    if (from <= floor) {
      raiseFloor(to);
      return;
    }
    long at = from;
    while (at < to) {
      long key = at >>> SEGMENT_BITS;
      long end = Math.min(to, (key + 1) << SEGMENT_BITS);
      RoaringBitmap segment = segments.computeIfAbsent(key, k -> new RoaringBitmap());
      segment.add(at & MASK, ((end - 1) & MASK) + 1);
      at = end;
    }
  }

  /** Everything below is finished from now on; a lower value changes nothing. */
  public void raiseFloor(long to) {
    if (to <= floor) {
      return;
    }
    floor = to;
    rise();
  }

  /** Adds what another set has. */
  void addAll(FinishedSet other) {
    other.segments.forEach(
        (key, bitmap) -> segments.computeIfAbsent(key, k -> new RoaringBitmap()).or(bitmap));
    floor = Math.max(floor, other.floor);
    if (floor >= 0) {
      rise();
    }
  }

  private void rise() {
    while (true) {
      long key = floor >>> SEGMENT_BITS;
      while (!segments.isEmpty() && segments.firstKey() < key) {
        segments.pollFirstEntry();
      }
      RoaringBitmap segment = segments.isEmpty() ? null : segments.get(key);
      if (segment == null) {
        return;
      }
      long next = (key << SEGMENT_BITS) + segment.nextAbsentValue((int) (floor & MASK));
      boolean whole = next >>> SEGMENT_BITS != key;
      floor = next;
      if (!whole) {
        return;
      }
    }
  }

  /** Finished ordinals at or above an ordinal (which is not below the floor). */
  public long countFrom(long ordinal) {
    long sum = 0;
    for (Map.Entry<Long, RoaringBitmap> e :
        segments.tailMap(ordinal >>> SEGMENT_BITS, true).entrySet()) {
      long low = Math.max(0, ordinal - (e.getKey() << SEGMENT_BITS));
      sum += e.getValue().rangeCardinality(low, SEGMENT_SIZE);
    }
    return sum;
  }

  /** The first ordinal from this one on that is not in the set. */
  public long nextAbsent(long from) {
    long at = Math.max(from, floor);
    while (true) {
      long key = at >>> SEGMENT_BITS;
      RoaringBitmap segment = segments.get(key);
      if (segment == null) {
        return at;
      }
      at = (key << SEGMENT_BITS) + segment.nextAbsentValue((int) (at & MASK));
      if (at >>> SEGMENT_BITS == key) {
        return at;
      }
    }
  }

  /** The first ordinal from this one on that is in the set; Long.MAX_VALUE when there is none. */
  public long nextPresent(long from) {
    if (from < floor) {
      return from;
    }
    for (Map.Entry<Long, RoaringBitmap> e : segments.tailMap(from >>> SEGMENT_BITS).entrySet()) {
      long base = e.getKey() << SEGMENT_BITS;
      long next = e.getValue().nextValue((int) Math.max(0, from - base));
      if (next >= 0) {
        return base + next;
      }
    }
    return Long.MAX_VALUE;
  }

  /** One above the highest finished ordinal. */
  public long end() {
    long end = floor;
    if (!segments.isEmpty()) {
      Map.Entry<Long, RoaringBitmap> last = segments.lastEntry();
      end = Math.max(end, (last.getKey() << SEGMENT_BITS) + last.getValue().last() + 1L);
    }
    return end;
  }

  /** The bitmaps above the floor by ordinal divided by 2^{@value #SEGMENT_BITS}. */
  public SortedMap<Long, RoaringBitmap> segments() {
    return segments;
  }

  /** Adds the ordinals of one of {@link #segments}, which has this key, as ranges. */
  static void addRanges(long key, RoaringBitmap segment, OrdinalRanges to) {
    long base = key << SEGMENT_BITS;
    PeekableIntIterator ordinals = segment.getIntIterator();
    while (ordinals.hasNext()) {
      int from = ordinals.next();
      int end = (int) Math.min(segment.nextAbsentValue(from), SEGMENT_SIZE);
      to.add(base + from, base + end);
      ordinals.advanceIfNeeded(end);
    }
  }
}
