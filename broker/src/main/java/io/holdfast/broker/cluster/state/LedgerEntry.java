package io.holdfast.broker.cluster.state;

import io.holdfast.storage.ledger.LedgerCodec;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Makes an entry of what became of the messages of many channels; can be used again. Its records:
 *
 * <pre>
 * v topic, v channel, v epoch of the channel, u8 kind, i32 count, i32 bytes, payload
 * 1 FINISH   count x (v zigzag distance of the range's begin from the last end, v length)
 * 2 DELIVER  the same: delivered for the first time
 * 3 HOLD     count x (v ordinal, v attempts and lives, i64 due ms, v delay ms, u8 mark)
 * </pre>
 *
 * <p>Held messages are without places, which differ from node to node. A record whose epoch is not
 * the channel's any more counts for nothing. Not thread-safe.
 */
public final class LedgerEntry {
  static final int FINISH = 1;
  static final int DELIVER = 2;
  static final int HOLD = 3;

  private static final int FIRST_BYTES = 1 << 10;

  private ByteBuffer buffer = ByteBuffer.allocate(FIRST_BYTES);
  private int records;

  /** An empty one. */
  public LedgerEntry() {
    clear();
  }

  /** Begins anew. */
  public void clear() {
    buffer.clear().position(Entries.HEAD_BYTES);
    records = 0;
  }

  /** Whether it says nothing. */
  public boolean isEmpty() {
    return records == 0;
  }

  /** Bytes of the entry so far. */
  public int bytes() {
    return buffer.position();
  }

  /** These messages are finished. */
  public void finish(long topic, long channel, long epoch, OrdinalRanges ranges) {
    ranges(FINISH, topic, channel, epoch, ranges);
  }

  /** These messages went out for the first time. */
  public void deliver(long topic, long channel, long epoch, OrdinalRanges ranges) {
    ranges(DELIVER, topic, channel, epoch, ranges);
  }

  /** Attempts and due times of messages that wait outside the backend, and marks of dead ones. */
  public void hold(long topic, long channel, long epoch, List<HeldMessage> messages) {
    int lengthAt =
        begin(
            HOLD,
            topic,
            channel,
            epoch,
            messages.size(),
            messages.size() * LedgerCodec.maxPlacelessBytes());
    for (HeldMessage message : messages) {
      LedgerCodec.putPlaceless(buffer, message);
    }
    end(lengthAt);
  }

  private void ranges(int kind, long topic, long channel, long epoch, OrdinalRanges ranges) {
    int count = ranges.count();
    int lengthAt = begin(kind, topic, channel, epoch, count, count * LedgerCodec.maxRangeBytes());
    LedgerCodec.putRanges(buffer, ranges, 0, count);
    end(lengthAt);
  }

  /** Returns where the payload's length belongs. */
  private int begin(int kind, long topic, long channel, long epoch, int count, int maxBytes) {
    int needed = buffer.position() + Entries.maxLedgerHeadBytes() + maxBytes;
    if (needed > buffer.capacity()) {
      buffer = ByteBuffer.allocate(Math.max(needed, 2 * buffer.capacity())).put(buffer.flip());
    }
    LedgerCodec.putVar(buffer, topic);
    LedgerCodec.putVar(buffer, channel);
    LedgerCodec.putVar(buffer, epoch);
    buffer.put((byte) kind).putInt(count).putInt(0);
    return buffer.position() - Integer.BYTES;
  }

  private void end(int lengthAt) {
    buffer.putInt(lengthAt, buffer.position() - lengthAt - Integer.BYTES);
    records++;
  }

  /**
   * The entry, in memory of its own.
   *
   * @param timeNs the leader's time, ns since 1970
   */
  public ByteBuffer toEntry(long timeNs) {
    int bytes = buffer.position() - Entries.HEAD_BYTES;
    ByteBuffer entry = Entries.begin(EntryType.LEDGER, timeNs, bytes);
    entry.put(buffer.array(), Entries.HEAD_BYTES, bytes);
    return Entries.seal(entry);
  }

  /** Told of the records of an entry. */
  interface Records {
    /**
     * One record.
     *
     * @param payload from position to limit
     */
    void record(long topic, long channel, long epoch, int kind, int count, ByteBuffer payload)
        throws IOException;
  }

  /** Reads the payload of an entry of this type. */
  static void read(Entry entry, Records records) throws IOException {
    ByteBuffer from = entry.payload();
    while (from.hasRemaining()) {
      long topic = entry.read(LedgerCodec::getVar);
      long channel = entry.read(LedgerCodec::getVar);
      long epoch = entry.read(LedgerCodec::getVar);
      int kind = entry.read(ByteBuffer::get);
      int count = entry.read(ByteBuffer::getInt);
      int bytes = entry.read(ByteBuffer::getInt);
      if (bytes < 0 || bytes > from.remaining()) {
        throw new IOException("a ledger record of " + bytes + " bytes ends too early");
      }
      records.record(topic, channel, epoch, kind, count, from.slice(from.position(), bytes));
      from.position(from.position() + bytes);
    }
  }
}
