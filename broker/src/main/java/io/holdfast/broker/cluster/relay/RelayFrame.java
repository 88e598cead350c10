package io.holdfast.broker.cluster.relay;

import io.holdfast.broker.queue.Outcome;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What relays send each other: i64 session, i32 number in the session and direction (-1 for what is
 * in no order), u8 what it is, i64 subscription, and what belongs to it.
 */
final class RelayFrame {
  /** Of a frame that is in no order. */
  static final int UNNUMBERED = -1;

  private static final ByteBufAllocator ALLOC = PooledByteBufAllocator.DEFAULT;
  private static final int HEAD_BYTES = Long.BYTES + Integer.BYTES + 1 + Long.BYTES;

  /** What has a number on the wire. */
  interface OnWire {
    int onWire();
  }

  /** What goes to a leader; each has its place as its number. */
  enum Ask implements OnWire {
    /** i32 RDY, string topic, string channel, string JSON of who the client is. */
    SUB(0),
    /** i32 RDY. */
    READY(1),
    /** i32 count, count x i64 id. */
    FIN(2),
    /** i64 id, i64 delay in ms. */
    REQ(3),
    /** i64 id. */
    TOUCH(4),
    /** Nothing more is to be delivered. */
    STOP(5),
    /** The client is gone, or served elsewhere. */
    LEAVE(6),
    /** i32 bytes of {@link Tell#MESSAGES} that the client has taken. */
    TAKEN(7),
    /** Of no subscription: is the session whole? */
    PING(8);

    private final int onWire;

    Ask(int onWire) {
      this.onWire = onWire;
    }

    @Override
    public int onWire() {
      return onWire;
    }
  }

  /** What comes from a leader; each has its place as its number. */
  enum Tell implements OnWire {
    /** i64 max-msg-timeout in ns. */
    JOINED(0),
    /** u8 whether it is worth trying again, string why. */
    REFUSED(1),
    /** i64 timeout in ns, then for each: i64 time, u16 attempts, i64 id, i32 bytes, body. */
    MESSAGES(2),
    /** u8 {@link Ask}, i64 id, u8 outcome. */
    FAILED(3),
    /** u8 whether another node has the channel now. */
    ENDED(4),
    /** Nothing more will be delivered. */
    STOPPED(5),
    /** Of no subscription: it is. */
    PONG(6),
    /** Of no subscription: something was lost, and all that the session had is over. */
    BROKEN(7);

    private final int onWire;

    Tell(int onWire) {
      this.onWire = onWire;
    }

    @Override
    public int onWire() {
      return onWire;
    }
  }

  static final Ask[] ASKS = Ask.values();
  static final Tell[] TELLS = Tell.values();

  /** What an answer can come to; the number on the wire is the place. */
  static final List<Outcome> OUTCOMES =
      List.of(
          Outcome.OK,
          Outcome.NOT_IN_FLIGHT,
          Outcome.NOT_OWNER,
          Outcome.EXITING,
          Outcome.TOO_MANY_DEFERRED);

  private RelayFrame() {}

  /** A frame to which its content is to be added. */
  static ByteBuf begin(int bytes, long session, OnWire what, long subscription) {
    return ALLOC
        .buffer(HEAD_BYTES + bytes)
        .writeLong(session)
        .writeInt(UNNUMBERED)
        .writeByte(what.onWire())
        .writeLong(subscription);
  }

  /** Gives a frame its number. */
  static ByteBuf number(ByteBuf frame, int number) {
    return frame.setInt(frame.readerIndex() + Long.BYTES, number);
  }

  static ByteBuf string(ByteBuf to, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return to.writeInt(bytes.length).writeBytes(bytes);
  }

  static String string(ByteBuf from) {
    byte[] bytes = new byte[from.readInt()];
    from.readBytes(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** A copy on the heap, which needs no release. */
  static ByteBuf copy(ByteBuf payload) {
    return Unpooled.wrappedBuffer(ByteBufUtil.getBytes(payload));
  }
}
