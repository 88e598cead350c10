package io.holdfast.broker.cluster.state;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * One number for all that was applied and what it led to: where two nodes have different ones at
 * the same index, one of them applies wrongly. Those at fixed indexes are kept for a while, to be
 * compared. Apply thread; {@link #marks} any thread.
 */
final class RollingCrc {
  private static final int KEPT = 16;

  private final CRC32C crc = new CRC32C();
  private final ByteBuffer buffer = ByteBuffer.allocate(2 * Integer.BYTES + 2 * Long.BYTES);
  private final Deque<Mark> marks = new ArrayDeque<>();
  private volatile List<Mark> published = List.of();
  private volatile int value;

  /** The number behind the entry of an index. */
  record Mark(long index, int crc) {}

  int value() {
    return value;
  }

  /** Goes on from another one's. */
  void restart(int from) {
    value = from;
    marks.clear();
    published = List.of();
  }

  /**
   * Adds an entry.
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

  /** The index is one of those at which nodes compare. */
  void mark(long index) {
    marks.addLast(new Mark(index, value));
    if (marks.size() > KEPT) {
      marks.removeFirst();
    }
    published = List.copyOf(marks);
  }

  /** The last ones, oldest first. */
  List<Mark> marks() {
    return published;
  }
}
