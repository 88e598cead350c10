package io.holdfast.storage.values;

/**
 * A message without its body: what a channel remembers of a message that is deferred, requeued or
 * in flight. The channel's lock guards all fields.
 */
public class MessageRef {
  /** Position of a message that is in no journal, or that has still to be looked for. */
  public static final long NOWHERE = -1;

  /** {@link #attempts} counts no further. */
  public static final int MAX_ATTEMPTS = (1 << 20) - 1;

  /** {@link #lives} counts no further. */
  public static final int MAX_LIVES = (1 << 11) - 1;

  private static final int LIVES_SHIFT = 20;

  private final long ordinal;
  private int bodyLength;
  private long batchPosition;
  private int bodyOffset;

  /** Whether it stands in a copy at the journal's head, its own record being about to go. */
  private boolean relocated;

  /** How often it has been delivered, and above that how often it was redriven. */
  private int attempts;

  /**
   * @param ordinal the topic's number of this message
   * @param batchPosition where its journal record begins, or {@link #NOWHERE}
   * @param bodyOffset file offset of the body
   * @param bodyLength bytes
   * @param attempts deliveries so far, as {@link #packedAttempts}
   */
  public MessageRef(
      long ordinal, long batchPosition, int bodyOffset, int bodyLength, int attempts) {
    this.ordinal = ordinal;
    this.batchPosition = batchPosition;
    this.bodyOffset = bodyOffset;
    this.bodyLength = bodyLength;
    this.attempts = attempts;
  }

  /**
   * As the other one, of a message that may have been relocated.
   *
   * @param relocated see {@link #isRelocated}
   */
  public MessageRef(
      long ordinal,
      long batchPosition,
      int bodyOffset,
      int bodyLength,
      int attempts,
      boolean relocated) {
    this(ordinal, batchPosition, bodyOffset, bodyLength, attempts);
    this.relocated = relocated;
  }

  /**
   * Refers to a message as another reference does.
   *
   * @param other of the same message
   */
  protected MessageRef(MessageRef other) {
    this(
        other.ordinal,
        other.batchPosition,
        other.bodyOffset,
        other.bodyLength,
        other.attempts,
        other.relocated);
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

  /** The journal file it stands in, by its number; negative for {@link #NOWHERE}. */
  public final int file() {
    return Position.cycle(batchPosition);
  }

  /** Whether it was relocated, see {@code Journal.relocate}. */
  public final boolean isRelocated() {
    return relocated;
  }

  /** It was looked for and found. */
  public final void placeAt(MessageView found) {
    batchPosition = found.batchPosition();
    bodyOffset = found.bodyOffset();
    bodyLength = found.bodyLength();
  }

  /** From now on it stands where {@code Journal.relocate} has put it. */
  public final void relocateTo(MessageRef place) {
    batchPosition = place.batchPosition;
    bodyOffset = place.bodyOffset;
    bodyLength = place.bodyLength;
    relocated = true;
  }

  /** Deliveries so far, since it was last redriven; wraps at 65536 on the wire only. */
  public final int attempts() {
    return attempts & MAX_ATTEMPTS;
  }

  /** How often it was made ready again after it was dead, its attempts starting anew. */
  public final int lives() {
    return attempts >>> LIVES_SHIFT;
  }

  /**
   * {@link #lives} and {@link #attempts} as one number, which never falls, not negative. For a
   * message that was never redriven it is its attempts.
   */
  public final int packedAttempts() {
    return attempts;
  }

  /** Counts a delivery. */
  public final int nextAttempt() {
    if (attempts() < MAX_ATTEMPTS) {
      attempts++;
    }
    return attempts();
  }

  /** It begins anew, with no attempts. */
  public final void redrive() {
    attempts = Math.min(lives() + 1, MAX_LIVES) << LIVES_SHIFT;
  }
}
