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

  /** What became of it. */
  enum Kind {
    /** It is committed. */
    STORED(0),
    /** It never will be, and the client is to be told why. */
    REFUSED(1),
    /** This attempt never will be: it may be tried again. */
    LATER(2),
    /** The leader does not know. */
    UNKNOWN(3),
    /** Nothing more of the stream is taken. */
    CLOSED(4),
    /** Made here, never sent: no answer came, and none will. */
    LOST(5);

    private final int code;

    Kind(int code) {
      this.code = code;
    }

    /** The kind that a leader sent; {@link #LOST} for a code that no leader sends. */
    static Kind of(int code) {
      for (Kind kind : values()) {
        if (kind.code == code) {
          return kind;
        }
      }
      return LOST;
    }
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
    return to.writeByte(kind.code).writeLong(accepted).writeBytes(bytes);
  }

  /** Reads one; what is none counts as none. */
  static ForwardAnswer read(ByteBuf from) {
    if (from.readableBytes() < HEAD_BYTES) {
      return lost();
    }
    Kind kind = Kind.of(from.readUnsignedByte());
    long accepted = from.readLong();
    return kind == Kind.LOST
        ? lost()
        : new ForwardAnswer(kind, accepted, from.toString(StandardCharsets.UTF_8));
  }
}
