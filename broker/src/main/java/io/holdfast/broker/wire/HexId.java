package io.holdfast.broker.wire;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/** Message ids as they stand in frames and commands: 16 lower-case hex digits. */
public final class HexId {
  /** Digits of an id, a byte each. */
  public static final int BYTES = 16;

  /** Two hex digits by byte value, as they stand in memory for a big-endian short. */
  private static final short[] HEX = new short[256];

  static {
    byte[] digits = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < HEX.length; i++) {
      HEX[i] = (short) (digits[i >>> 4] << 8 | digits[i & 15]);
    }
  }

  private HexId() {}

  /** Writes an id. */
  public static void write(long id, ByteBuf to) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      to.writeShort(HEX[(int) (id >>> shift) & 0xff]);
    }
  }

  /**
   * Reads an id (lower case only, as ids are written).
   *
   * @return -1, which is no id, when there is any other character
   */
  public static long parse(ByteBuf from, int index) {
    // By words: the buffer checks its bounds at each call.
    long high = digits(from.getLong(index));
    long low = digits(from.getLong(index + Long.BYTES));
    return high < 0 || low < 0 ? -1 : high << Integer.SIZE | low;
  }

  /** The number of eight hex digits, the first in the highest byte; negative when one is none. */
  private static long digits(long ascii) {
    long number = 0;
    for (int shift = Long.SIZE - Byte.SIZE; shift >= 0; shift -= Byte.SIZE) {
      int c = (int) (ascii >>> shift) & 0xff;
      int digit;
      if (c >= '0' && c <= '9') {
        digit = c - '0';
      } else if (c >= 'a' && c <= 'f') {
        digit = c - 'a' + 10;
      } else {
        return -1;
      }
      number = number << 4 | digit;
    }
    return number;
  }
}
