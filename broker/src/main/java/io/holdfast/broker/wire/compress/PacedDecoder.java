package io.holdfast.broker.wire.compress;

import io.holdfast.broker.limits.ConnectionMemory;
import io.holdfast.broker.net.ReadGate;
import io.holdfast.broker.net.ReadGate.Reason;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.compression.DecompressionException;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;

/**
 * Decompresses what arrives, a bounded amount per turn of the event loop, so that a small hostile
 * input which expands to very much neither fills memory nor keeps other connections waiting.
 *
 * <p>What is left after a turn stays compressed, and the socket is not read until it is used up:
 * the gate is closed for {@link Reason#DECOMPRESSION}. Between two pieces it stops as soon as the
 * gate is closed for another reason; when that opens, the gate's read is what makes it go on. All
 * belongs to the connection's event loop.
 */
public abstract class PacedDecoder extends ChannelDuplexHandler {
  /** Decompressed bytes after which a turn ends, give or take one piece. */
  static final int TURN_BYTES = 1024 * 1024;

  /**
   * What may wait here unasked for: when a client ends its direction, all that it sent is read at
   * once. More is let in only while connections have memory left.
   */
  private static final long FREE_BYTES = 128 * 1024;

  /** What a buffer takes at least, however little is in it. */
  private static final int MIN_BUFFER_BYTES = 512;

  private final ReadGate gate;
  private final ConnectionMemory memory;
  private long paidBytes = FREE_BYTES;
  private long aheadBytes;

  /** Compressed, as received; empty buffers are never kept. */
  private final ArrayDeque<ByteBuf> received = new ArrayDeque<>();

  private boolean turnScheduled;
  private boolean decoding;

  /** After an error or the end of the stream: everything else is discarded. */
  private boolean finished;

  /** The client sends no more; passed on when all that it sent has been. */
  private boolean inputShutdown;

  private boolean passedOn;

  /**
   * @param gate closed while this or the connection itself wants no input
   * @param memory pays for what comes all the same
   */
  PacedDecoder(ReadGate gate, ConnectionMemory memory) {
    this.gate = gate;
    this.memory = memory;
  }

  /**
   * The next piece of decompressed data, at most 64 KiB.
   *
   * @param in what arrived, consumed from its head by {@link #consumed}
   * @return null if more input is needed; then {@code in} is empty
   * @throws Exception for a corrupt stream
   */
  abstract ByteBuf nextPiece(ChannelHandlerContext ctx, ArrayDeque<ByteBuf> in) throws Exception;

  /** Whether {@link #nextPiece} may have something although nothing more arrived. */
  abstract boolean hasPending();

  /** Whether the peer ended the compressed stream. */
  abstract boolean isEndOfStream();

  /** Gives back everything; nothing is decompressed afterwards. */
  abstract void end();

  /** Drops the head of {@code in} once it has been read whole. */
  static void consumed(ArrayDeque<ByteBuf> in) {
    in.remove().release();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object msg) {
    if (!(msg instanceof ByteBuf buffer)) {
      ctx.fireChannelRead(msg);
      return;
    }
    if (finished || gate.isDraining() || !buffer.isReadable()) {
      ReferenceCountUtil.release(buffer);
      return;
    }
    received.add(buffer);
    if (!gate.isClosed()) {
      aheadBytes = 0;
    } else if (!isPaid(buffer)) {
      finish();
      ctx.fireExceptionCaught(new DecompressionException("sent too much ahead"));
      return;
    }
    if (!decoding && !gate.isClosedFor(Reason.DECOMPRESSION)) {
      decode(ctx);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    passedOn = false;
    ctx.fireChannelReadComplete();
  }

  @Override
  public void read(ChannelHandlerContext ctx) {
    boolean isBusy = isBusy();
    // TLS that begins below reads for itself.
    boolean isForHandshake = gate.isClosedFor(Reason.HANDSHAKE);
    if (isBusy && !isForHandshake) {
      // What has arrived comes first.
      hold(ctx);
    }
    if (!isBusy || isForHandshake || gate.isDraining()) {
      ctx.read();
    }
  }

  /**
   * Loses what has come and is not decompressed yet: TLS begins below, and what was sent in clear
   * before that is no command of who turns out to be there. It would not be used up meanwhile, and
   * this would ask again and again whether it may.
   */
  public final void dropReceived(ChannelHandlerContext ctx) {
    received.forEach(ByteBuf::release);
    received.clear();
    try {
      // Without more input that is a few hundred bytes.
      while (hasPending()) {
        ReferenceCountUtil.release(nextPiece(ctx, received));
      }
    } catch (Exception e) {
      finish();
      ctx.fireExceptionCaught(e);
    }
  }

  /** Whether there is memory for what came although it was not asked for. */
  private boolean isPaid(ByteBuf more) {
    aheadBytes += Math.max(more.readableBytes(), MIN_BUFFER_BYTES);
    if (aheadBytes <= paidBytes) {
      return true;
    }
    if (!memory.tryTake(aheadBytes - paidBytes)) {
      return false;
    }
    paidBytes = aheadBytes;
    return true;
  }

  private boolean isBusy() {
    return !finished && (!received.isEmpty() || hasPending());
  }

  /** Reads no more until another turn has done the rest. */
  private void hold(ChannelHandlerContext ctx) {
    gate.close(Reason.DECOMPRESSION);
    if (!turnScheduled) {
      turnScheduled = true;
      ctx.executor().execute(() -> turn(ctx));
    }
  }

  private void turn(ChannelHandlerContext ctx) {
    turnScheduled = false;
    if (ctx.isRemoved() || finished) {
      return;
    }
    decode(ctx);
    if (passedOn) {
      passedOn = false;
      ctx.fireChannelReadComplete();
    }
    if (!isBusy()) {
      gate.open(Reason.DECOMPRESSION);
    }
  }

  /** The end of the input comes after the input, also where that has not been decompressed yet. */
  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (!(event instanceof ChannelInputShutdownEvent) || finished) {
      ctx.fireUserEventTriggered(event);
      return;
    }
    inputShutdown = true;
    if (!isBusy()) {
      endOfInput(ctx);
    }
  }

  private void endOfInput(ChannelHandlerContext ctx) {
    finish();
    if (passedOn) {
      passedOn = false;
      ctx.fireChannelReadComplete();
    }
    ctx.fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
  }

  private void decode(ChannelHandlerContext ctx) {
    int passed = 0;
    decoding = true;
    try {
      while (isBusy() && !isEndOfStream() && !gate.isDraining() && !ctx.isRemoved()) {
        if (passed >= TURN_BYTES) {
          hold(ctx);
          return;
        }
        if (gate.isClosedBesides(Reason.DECOMPRESSION)) {
          // Whoever opens it has this read, and so begin again.
          gate.open(Reason.DECOMPRESSION);
          return;
        }
        ByteBuf piece = nextPiece(ctx, received);
        if (piece != null) {
          passed += piece.readableBytes();
          passedOn = true;
          ctx.fireChannelRead(piece);
        }
      }
      if (finished || ctx.isRemoved()) {
        return;
      }
      boolean isAllRead = !isBusy() || gate.isDraining();
      if (isEndOfStream() || (inputShutdown && isAllRead)) {
        // The end of the stream is the end of the input: no further command can come.
        endOfInput(ctx);
      } else if (gate.isDraining()) {
        finish(); // nobody wants it any more
      }
    } catch (Exception e) {
      finish();
      ctx.fireExceptionCaught(e);
    } finally {
      decoding = false;
    }
  }

  private void finish() {
    finished = true;
    received.forEach(ByteBuf::release);
    received.clear();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    finish();
    ctx.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    finish();
    end();
  }
}
