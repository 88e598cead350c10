package io.holdfast.broker.wire;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/**
 * Cuts a command's line into words (contract §1.3), and remembers the last one: who publishes sends
 * the same line before every body, and it need not become strings each time.
 *
 * <p>Owned by the connection's event loop.
 */
final class LastLine {
  /** A longer line is not remembered: the longest names of a topic and a channel fit. */
  private static final int MAX_BYTES = 160;

  /** One byte a character. */
  private byte[] line = {};

  private String[] words = {""};

  /**
   * The words of a line, split at every single space; doubled ones give empty words.
   *
   * @param start index of the line
   * @param length without its end
   * @return not to be changed: the next line may have the same
   */
  String[] words(ByteBuf in, int start, int length) {
    if (isSame(in, start, length)) {
      return words;
    }
    String text = in.toString(start, length, StandardCharsets.ISO_8859_1);
    String[] split = text.split(" ", -1);
    if (length <= MAX_BYTES) {
      line = text.getBytes(StandardCharsets.ISO_8859_1);
      words = split;
    }
    return split;
  }

  private boolean isSame(ByteBuf in, int start, int length) {
    if (length != line.length) {
      return false;
    }
    // From its end: lines of one command differ there, if at all.
    for (int i = length - 1; i >= 0; i--) {
      if (in.getByte(start + i) != line[i]) {
        return false;
      }
    }
    return true;
  }
}
