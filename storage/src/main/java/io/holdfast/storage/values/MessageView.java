package io.holdfast.storage.values;

import java.nio.ByteBuffer;

/**
 * A message as it stands in the mapped journal: a flyweight that a read fills and the next read of
 * the same source overwrites. Not thread-safe (the channel's lock).
 */
public final class MessageView {
  private long ordinal;
  private long timestampNs;
  private long deferMs;
  private long batchPosition;
  private ByteBuffer buffer;
  private int offset;
  private int length;
  private int fileOffset;
  private int attempts;

  /**
   * Fills it, with 0 attempts.
   *
   * @param buffer has the body at {@code offset}; used until the next call
   * @param fileOffset file offset of the body
   */
  public void set(
      long ordinal,
      long timestampNs,
      long deferMs,
      long batchPosition,
      ByteBuffer buffer,
      int offset,
      int length,
      int fileOffset) {
    this.ordinal = ordinal;
    this.timestampNs = timestampNs;
    this.deferMs = deferMs;
    this.batchPosition = batchPosition;
    this.buffer = buffer;
    this.offset = offset;
    this.length = length;
    this.fileOffset = fileOffset;
    this.attempts = 0;
  }

  /**
   * It is a message whose record cannot be read here: only ordinal and attempts are known, and it
   * has no body.
   */
  public void setLost(long lost) {
    set(lost, 0, 0, MessageRef.NOWHERE, null, 0, 0, 0);
  }

  /** Whether it was {@link #setLost}. */
  public boolean isLost() {
    return buffer == null;
  }

  /** Deliveries so far. */
  public void setAttempts(int deliveries) {
    attempts = deliveries;
  }

  /** Deliveries before this process started, as {@code BackendQueue.poll} knows them. */
  public int attempts() {
    return attempts;
  }

  /** The topic's dense 64-bit number of this message. */
  public long ordinal() {
    return ordinal;
  }

  /** Publish time, ns since 1970. */
  public long timestampNs() {
    return timestampNs;
  }

  /** The deferral it was published with, ms from {@link #timestampNs}; 0 for none. */
  public long deferMs() {
    return deferMs;
  }

  /** Journal cycle (upper half) and file offset (lower half) of the record it stands in. */
  public long batchPosition() {
    return batchPosition;
  }

  /** File offset of the body. */
  public int bodyOffset() {
    return fileOffset;
  }

  /** Bytes of the body. */
  public int bodyLength() {
    return length;
  }

  /** The body, as position and limit of a buffer that the next read reuses. */
  public ByteBuffer body() {
    buffer.limit(offset + length).position(offset);
    return buffer;
  }
}
