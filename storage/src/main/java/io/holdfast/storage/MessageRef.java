package io.holdfast.storage;

/**
 * A message without its body: what a channel remembers of a message that is deferred, requeued or
 * in flight. The channel's lock guards all fields.
 */
public class MessageRef {
  /** Position of a message that is in no journal. */
  public static final long NOWHERE = -1;

  private final long ordinal;
  private final long batchPosition;
  private final int bodyOffset;
  private final int bodyLength;

  /** How often it has been delivered. */
  private int attempts;

  /**
   * @param ordinal the topic's number of this message
   * @param batchPosition where its journal record begins, or {@link #NOWHERE}
   * @param bodyOffset file offset of the body
   * @param bodyLength bytes
   * @param attempts deliveries so far
   */
  public MessageRef(
      long ordinal, long batchPosition, int bodyOffset, int bodyLength, int attempts) {
    this.ordinal = ordinal;
    this.batchPosition = batchPosition;
    this.bodyOffset = bodyOffset;
    this.bodyLength = bodyLength;
    this.attempts = attempts;
  }

  /** The topic's dense 64-bit number of this message. */
  public final long ordinal() {
    return ordinal;
  }

  /** Where the journal record begins, see {@link MessageView#batchPosition}. */
  public final long batchPosition() {
    return batchPosition;
  }

  /** File offset of the body in the journal file of {@link #batchPosition}. */
  public final int bodyOffset() {
    return bodyOffset;
  }

  /** Bytes. */
  public final int bodyLength() {
    return bodyLength;
  }

  /** Deliveries so far; wraps at 65536 on the wire only. */
  public final int attempts() {
    return attempts;
  }

  /** Counts a delivery. */
  public final int nextAttempt() {
    return ++attempts;
  }
}
