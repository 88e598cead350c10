package io.holdfast.broker.cluster.copies;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/**
 * Asks for messages of a topic, big-endian: i32 group, i64 topic, i64 ordinal, i32 max.
 *
 * @param group its number
 * @param topic its number
 * @param ordinal of the first message
 * @param max how many at most
 */
record CopyRequest(int group, long topic, long ordinal, int max) {
  private static final int BYTES = 2 * Integer.BYTES + 2 * Long.BYTES;

  ByteBuf write() {
    return Unpooled.buffer(BYTES).writeInt(group).writeLong(topic).writeLong(ordinal).writeInt(max);
  }

  /**
   * Reads one.
   *
   * @throws IllegalArgumentException when it is none
   */
  static CopyRequest read(ByteBuf from) {
    if (from.readableBytes() != BYTES) {
      throw new IllegalArgumentException("a request for messages has " + BYTES + " bytes");
    }
    return new CopyRequest(from.readInt(), from.readLong(), from.readLong(), from.readInt());
  }
}
