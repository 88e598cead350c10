package io.holdfast.broker.queue;

import io.holdfast.storage.values.HeldMessage.Mark;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;

/**
 * A message that was looked at, which changes nothing.
 *
 * @param id as on the wire, as a number
 * @param timestampNs publish time, ns since 1970
 * @param attempts deliveries so far; -1 where the question makes no sense, as of a topic's
 * @param size bytes of the whole body
 * @param isText whether the whole body is UTF-8
 * @param body its beginning, a text's up to the end of a character; not to be changed
 * @param dueMs when it times out or becomes ready, ms since 1970; 0 when it waits for no time
 * @param reason why it is dead, {@code max_attempts} or {@code expired}; null when it is not
 * @param diedMs when it died, ms since 1970; 0 when it is not dead
 */
@SuppressWarnings("ArrayRecordComponent") // shown, never compared
public record PeekedMessage(
    long id,
    long timestampNs,
    int attempts,
    int size,
    boolean isText,
    byte[] body,
    long dueMs,
    String reason,
    long diedMs) {
  private static final int CHARS_AT_ONCE = 1024;

  /**
   * Copies the beginning of a body.
   *
   * @param whole the body between position and limit; its position is moved
   * @param maxBytes how much of it to keep
   */
  public static PeekedMessage of(
      long id, long timestampNs, int attempts, ByteBuffer whole, int maxBytes, long dueMs) {
    int start = whole.position();
    int size = whole.remaining();
    boolean isText = isUtf8(whole.duplicate());
    int length = Math.min(size, maxBytes);
    while (isText && length < size && length > 0 && isInside(whole.get(start + length))) {
      length--;
    }
    byte[] body = new byte[length];
    whole.get(body);
    return new PeekedMessage(id, timestampNs, attempts, size, isText, body, dueMs, null, 0);
  }

  /**
   * The same as a dead letter.
   *
   * @param since when it died, ms since 1970
   */
  PeekedMessage asDead(Mark mark, long since) {
    String why = mark.isExpired() ? "expired" : "max_attempts";
    return new PeekedMessage(id, timestampNs, attempts, size, isText, body, 0, why, since);
  }

  /** Whether a byte of UTF-8 continues a character. */
  private static boolean isInside(byte b) {
    return (b & 0xC0) == 0x80;
  }

  private static boolean isUtf8(ByteBuffer bytes) {
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    CharBuffer chars = CharBuffer.allocate(CHARS_AT_ONCE);
    CoderResult result = CoderResult.OVERFLOW;
    while (result.isOverflow()) {
      chars.clear();
      result = decoder.decode(bytes, chars, true);
    }
    return !result.isError();
  }
}
