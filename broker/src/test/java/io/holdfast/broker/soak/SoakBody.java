package io.holdfast.broker.soak;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Message bodies that say who they are and whether they are whole: a key, a colon, and bytes that
 * follow from the key. A body of one byte is its own key.
 */
final class SoakBody {
  /** Padding of a body that a text /mpub may carry: no line feed, no other byte below it. */
  private static final int TEXT_BIT = 0x20;

  private SoakBody() {}

  /**
   * A body of that many bytes, or a little more when the key needs it.
   *
   * @param mask which bits of the padding may be set: 0xff for any byte, 0x7f for ASCII
   */
  static byte[] of(String key, int sizeBytes, int mask) {
    if (key.length() == 1) {
      return new byte[] {(byte) key.charAt(0)};
    }
    byte[] head = (key + ":").getBytes(StandardCharsets.US_ASCII);
    byte[] padding = new byte[Math.max(0, sizeBytes - head.length)];
    new SplittableRandom(key.hashCode()).nextBytes(padding);
    int always = isText(key) ? TEXT_BIT : 0;
    byte[] body = Arrays.copyOf(head, head.length + padding.length);
    for (int i = 0; i < padding.length; i++) {
      body[head.length + i] = (byte) ((padding[i] & mask) | always);
    }
    return body;
  }

  /** Whether the body of this key has no line feed: it ends in a t. */
  static boolean isText(String key) {
    return key.endsWith("t");
  }

  /** What tells a body from all others; null when the body is nothing of ours. */
  static String key(byte[] body) {
    if (body.length == 1) {
      return Character.toString((char) (body[0] & 0xff));
    }
    for (int i = 0; i < Math.min(body.length, 64); i++) {
      if (body[i] == ':') {
        return new String(body, 0, i, StandardCharsets.US_ASCII);
      }
    }
    return null;
  }

  /** Whether this is, byte for byte, what {@link #of} made. */
  static boolean isIntact(byte[] body, int mask) {
    String key = key(body);
    return key != null && Arrays.equals(body, of(key, body.length, mask));
  }
}
