package io.holdfast.broker.cluster.state;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * One number for all that was applied and what it led to: where two nodes have different ones at
 * the same index, one of them applies wrongly. Those at fixed indexes are kept for a while, to be
 * compared. Apply thread; {@link #now} and {@link #marks} any thread.
 */
final class RollingCrc {
  private static final int KEPT = 16;

  private final CRC32C crc = new CRC32C();
  private final ByteBuffer buffer = ByteBuffer.allocate(2 * Integer.BYTES + 2 * Long.BYTES);
  private final TreeMap<Long, Integer> marks = new TreeMap<>();
  private volatile Map<Long, Integer> published = Map.of();
  private volatile Sum now = new Sum(0, 0);

  /** What was applied up to an index. */
  record Sum(long index, int value) {}

  Sum now() {
    return now;
  }

  int value() {
    return now.value();
  }

  /** Goes on from another one's. */
  void restart(long index, int from) {
    now = new Sum(index, from);
    marks.clear();
    published = Map.of();
  }

  /**
   * Adds an entry.
   *
   * @param entryCrc its checksum
   * @param result what it led to: an ordinal, a floor
   */
  void add(long index, int entryCrc, long result) {
    buffer.clear();
    buffer.putInt(value()).putInt(entryCrc).putLong(index).putLong(result);
    crc.reset();
    crc.update(buffer.flip());
    now = new Sum(index, (int) crc.getValue());
  }

  /** The index is one of those at which nodes compare. */
  void mark(long index) {
    marks.put(index, value());
    if (marks.size() > KEPT) {
      marks.pollFirstEntry();
    }
    published = Map.copyOf(marks);
  }

  /** The last ones by index. */
  Map<Long, Integer> marks() {
    return published;
  }
}
