package io.holdfast.broker.queue;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/**
 * Message ids of a topic. An id is (id base + ordinal) * 1024 + node id in 16 lower-case hex
 * digits: from an id follows the ordinal without a table, ids rise in publish order, and because a
 * topic that is created again gets a base above every id ever given out, they stay distinct. nsqd
 * builds its ids from the clock; clients see 16 opaque characters in both. Immutable.
 */
public final class GuidFactory {
  private static final int NODE_BITS = 10;
  private static final long NODE_MASK = (1 << NODE_BITS) - 1;

  /** Bytes of an id on the wire. */
  public static final int ID_BYTES = 16;

  /** Two hex digits by byte value, as they stand in memory for a big-endian short. */
  private static final short[] HEX = new short[256];

  static {
    byte[] digits = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < HEX.length; i++) {
      HEX[i] = (short) (digits[i >>> 4] << 8 | digits[i & 15]);
    }
  }

  private final long idBase;
  private final int nodeId;

  /**
   * @param idBase of the topic, below 2^53
   * @param nodeId 0..1023
   */
  public GuidFactory(long idBase, int nodeId) {
    this.idBase = idBase;
    this.nodeId = nodeId;
  }

  /** The id of a message as a number. */
  public long idOf(long ordinal) {
    return (idBase + ordinal) << NODE_BITS | nodeId;
  }

  /** The ordinal an id stands for, or -1 when it is no id of this topic and node. */
  public long ordinalOf(long id) {
    long ordinal = (id >>> NODE_BITS) - idBase;
    return (id & NODE_MASK) == nodeId && ordinal >= 0 ? ordinal : -1;
  }

  /** Writes an id as 16 hex digits. */
  public static void writeHex(long id, ByteBuf to) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      to.writeShort(HEX[(int) (id >>> shift) & 0xff]);
    }
  }

  /**
   * Reads 16 hex digits (lower case only, as ids are written).
   *
   * @return the id, or -1, which is no id, when there is any other character
   */
  public static long parseHex(ByteBuf from, int index) {
    long id = 0;
    for (int i = index; i < index + ID_BYTES; i++) {
      int c = from.getByte(i);
      int digit;
      if (c >= '0' && c <= '9') {
        digit = c - '0';
      } else if (c >= 'a' && c <= 'f') {
        digit = c - 'a' + 10;
      } else {
        return -1;
      }
      id = id << 4 | digit;
    }
    return id;
  }
}
