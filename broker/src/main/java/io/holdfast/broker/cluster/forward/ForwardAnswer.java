package io.holdfast.broker.cluster.forward;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;

/**
 * What a leader answers, big-endian: u8 kind, i64 accepted, text in UTF-8.
 *
 * @param accepted for {@link Kind#CLOSED}: the first position of the stream that was not taken
 * @param text for people, else empty
 */
record ForwardAnswer(Kind kind, long accepted, String text) {
  private static final int HEAD_BYTES = 1 + Long.BYTES;

  /** What became of it; the order is that of their numbers. */
  enum Kind {
    /** It is committed. */
    STORED,
    /** It never will be, and the client is to be told why. */
    REFUSED,
    /** This attempt never will be: it may be tried again. */
    LATER,
    /** The leader does not know. */
    UNKNOWN,
    /** Nothing more of the stream is taken. */
    CLOSED,
    /** Made here, never sent: no answer came, and none will. */
    LOST
  }

  static ForwardAnswer stored() {
    return new ForwardAnswer(Kind.STORED, 0, "");
  }

  static ForwardAnswer refused(String text) {
    return new ForwardAnswer(Kind.REFUSED, 0, text);
  }

  static ForwardAnswer later(String text) {
    return new ForwardAnswer(Kind.LATER, 0, text);
  }

  static ForwardAnswer unknown(String text) {
    return new ForwardAnswer(Kind.UNKNOWN, 0, text);
  }

  static ForwardAnswer closed(long accepted) {
    return new ForwardAnswer(Kind.CLOSED, accepted, "");
  }

  static ForwardAnswer lost() {
    return new ForwardAnswer(Kind.LOST, 0, "");
  }

  ByteBuf write() {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    ByteBuf to = Unpooled.buffer(HEAD_BYTES + bytes.length);
    return to.writeByte(kind.ordinal()).writeLong(accepted).writeBytes(bytes);
  }

  /** Reads one; what is none counts as none. */
  static ForwardAnswer read(ByteBuf from) {
    if (from.readableBytes() < HEAD_BYTES) {
      return lost();
    }
    int kind = from.readUnsignedByte();
    long accepted = from.readLong();
    if (kind >= Kind.LOST.ordinal()) {
      return lost();
    }
    return new ForwardAnswer(Kind.values()[kind], accepted, from.toString(StandardCharsets.UTF_8));
  }
}
