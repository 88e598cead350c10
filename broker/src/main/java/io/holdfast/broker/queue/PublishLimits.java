package io.holdfast.broker.queue;

/** How large a publish command can become in the journal. */
public final class PublishLimits {
  /** A chunked binary /mpub states no size; this bounds it where max-body-size does not. */
  public static final int MIN_CHUNKED_BYTES = 15 << 20;

  /** A line of one byte is two bytes in a text /mpub and five in the journal. */
  private static final double TEXT_EXPANSION = 2.5;

  private PublishLimits() {}

  /**
   * Bytes of lengths and bodies that a command within the limits has at most.
   *
   * @param maxMsgSize max-msg-size
   * @param maxBodySize max-body-size
   */
  public static int maxSectionBytes(int maxMsgSize, int maxBodySize) {
    long bytes = Math.max((long) maxMsgSize + Integer.BYTES, (long) (TEXT_EXPANSION * maxBodySize));
    return Math.toIntExact(Math.max(bytes, MIN_CHUNKED_BYTES));
  }
}
