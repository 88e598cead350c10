package io.holdfast.storage.journal;

import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import java.nio.ByteBuffer;

/**
 * One publish command on its way into the journal and from there to the channels: {@code count}
 * messages, each a 4-byte big-endian length and a body, exactly as they came over the wire. Filled
 * in by {@link Journal#append}; immutable afterwards.
 */
public final class Batch {
  private final ByteBuffer section;
  private final int sectionCrc;
  private final int count;
  private final long deferMs;
  private final int sectionBytes;

  private long firstOrdinal = -1;
  private long timestampNs;
  private long position = MessageRef.NOWHERE;
  private int sectionOffset;
  private byte[] copy;

  /**
   * @param section count times length and body, already checked; read from position to limit, and
   *     only until the batch has been handed to all channels
   * @param count messages, at least 1
   * @param deferMs delay from publish until the messages may be delivered, 0 for none
   */
  public Batch(ByteBuffer section, int count, long deferMs) {
    this.section = section;
    this.count = count;
    this.deferMs = deferMs;
    this.sectionBytes = section.remaining();
    // Here and not in append: that runs under the topic's lock.
    this.sectionCrc = RecordCodec.startCrc(section);
  }

  /**
   * As {@link #Batch(ByteBuffer, int, long)}, of messages that were published before.
   *
   * @param timestampNs when that was, ns since 1970; the journal takes it instead of the time now,
   *     which 0 stands for
   */
  public Batch(ByteBuffer section, int count, long deferMs, long timestampNs) {
    this(section, count, deferMs);
    this.timestampNs = timestampNs;
  }

  void appended(long ordinal, long timeNs, long at, int firstMessageOffset) {
    firstOrdinal = ordinal;
    timestampNs = timeNs;
    position = at;
    sectionOffset = firstMessageOffset;
  }

  int sectionCrc() {
    return sectionCrc;
  }

  /** A view of the messages, from position to limit. */
  public ByteBuffer section() {
    return section.duplicate();
  }

  /** The messages in memory of their own, one copy for all channels. Topic's lock. */
  public byte[] copy() {
    if (copy == null) {
      copy = new byte[sectionBytes];
      section.get(section.position(), copy);
    }
    return copy;
  }

  /** Bytes of all lengths and bodies. */
  public int sectionBytes() {
    return sectionBytes;
  }

  /** Bytes of all bodies. */
  public long bodyBytes() {
    return sectionBytes - 4L * count;
  }

  public int count() {
    return count;
  }

  /** ms from publish, 0 for none. */
  public long deferMs() {
    return deferMs;
  }

  /** The ordinal of the first message; the others follow without gaps. */
  public long firstOrdinal() {
    return firstOrdinal;
  }

  /** One above the last message's ordinal. */
  public long endOrdinal() {
    return firstOrdinal + count;
  }

  /** Publish time, ns since 1970; 0 before the append unless the publisher brought its own. */
  public long timestampNs() {
    return timestampNs;
  }

  /** Where its record begins, see {@link MessageView#batchPosition}. */
  public long position() {
    return position;
  }

  /** File offset of the first message's length field. */
  public int sectionOffset() {
    return sectionOffset;
  }
}
