package io.holdfast.broker.cluster.state;

import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * One number for all that was applied and what it led to: where two nodes have different ones at
 * the same index, one of them applies wrongly. Those at fixed indexes are kept for a while, to be
 * compared: the newest, and fewer from further back, so that nodes that are not equally far have
 * some in common. Apply thread; {@link #now} and {@link #marks} any thread.
 */
final class RollingCrc {
  private static final int KEPT = 16;

  /** One mark in so many entries is kept for longer. */
  private static final long FAR = 64 * GroupState.SETTLE_EVERY;

  private final CRC32C crc = new CRC32C();
  private final ByteBuffer buffer = ByteBuffer.allocate(2 * Integer.BYTES + 2 * Long.BYTES);
  private final TreeMap<Long, Integer> near = new TreeMap<>();
  private final TreeMap<Long, Integer> far = new TreeMap<>();

  /** With what is added and not {@link #applied} yet. */
  private int value;

  private volatile Map<Long, Integer> published = Map.of();
  private volatile Sum now = new Sum(0, 0);

  /** What was applied up to an index. */
  record Sum(long index, int value) {}

  Sum now() {
    return now;
  }

  /** Goes on from another one's. */
  void restart(long index, int from) {
    value = from;
    now = new Sum(index, from);
    near.clear();
    far.clear();
    published = Map.of();
  }

  /**
   * Adds an entry, or more that it led to; nobody sees it before {@link #applied}.
   *
   * @param entryCrc its checksum
   * @param result what it led to: an ordinal, a floor
   */
  void add(long index, int entryCrc, long result) {
    buffer.clear();
    buffer.putInt(value).putInt(entryCrc).putLong(index).putLong(result);
    crc.reset();
    crc.update(buffer.flip());
    value = (int) crc.getValue();
  }

  /** All that an entry led to was added. */
  void applied(long index) {
    now = new Sum(index, value);
  }

  /**
   * The index is one of those at which nodes compare.
   *
   * @param before the index of the entry before
   */
  void mark(long index, long before) {
    put(near, index);
    if (index / FAR != before / FAR) {
      put(far, index);
    }
    Map<Long, Integer> all = new TreeMap<>(far);
    all.putAll(near);
    published = Collections.unmodifiableMap(all);
  }

  private void put(NavigableMap<Long, Integer> marks, long index) {
    marks.put(index, value);
    if (marks.size() > KEPT) {
      marks.pollFirstEntry();
    }
  }

  /** The last ones by index. */
  Map<Long, Integer> marks() {
    return published;
  }
}
