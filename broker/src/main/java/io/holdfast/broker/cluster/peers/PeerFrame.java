package io.holdfast.broker.cluster.peers;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/**
 * What goes over a connection at once; see the package.
 *
 * @param payload released by whoever the frame is given to
 */
record PeerFrame(Kind kind, int type, int id, ByteBuf payload) {
  /** Kind, type and id. */
  static final int HEAD_BYTES = 6;

  /** Before {@link #HEAD_BYTES}. */
  static final int LENGTH_BYTES = 4;

  /** What a frame is. */
  enum Kind {
    /** Never sent: zeros are no frame. */
    NONE(0),
    HELLO(1),
    REFUSED(2),
    REQUEST(3),
    RESPONSE(4),
    ERROR(5),
    ONE_WAY(6),
    PING(7);

    private final int onWire;

    Kind(int onWire) {
      this.onWire = onWire;
    }

    int onWire() {
      return onWire;
    }
  }

  private static final Kind[] KINDS = Kind.values();

  /** The kind on the wire; {@code NONE} for what is none. */
  static Kind kind(int onWire) {
    return onWire < KINDS.length ? KINDS[onWire] : Kind.NONE;
  }

  /** All that comes before a payload. */
  static ByteBuf head(ByteBufAllocator alloc, Kind kind, int type, int id, int payloadBytes) {
    return alloc
        .buffer(LENGTH_BYTES + HEAD_BYTES)
        .writeInt(HEAD_BYTES + payloadBytes)
        .writeByte(kind.onWire())
        .writeByte(type)
        .writeInt(id);
  }
}
