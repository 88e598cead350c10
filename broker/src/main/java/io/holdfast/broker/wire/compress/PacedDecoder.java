package io.holdfast.broker.wire.compress;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.function.BooleanSupplier;

/**
 * Decompresses what arrives, a bounded amount per turn of the event loop, so that a small hostile
 * input which expands to very much neither fills memory nor keeps other connections waiting.
 *
 * <p>What is left after a turn stays compressed, and the socket is not read until it is used up:
 * the decoder then <i>holds</i>, that is, it has switched auto-read off itself. It also stops
 * between two pieces when the connection wants no input. As auto-read alone cannot tell the two
 * reasons apart, the connection says through a supplier whether it wants none; to resume it sets
 * auto-read (or calls read) as without compression. All belongs to the connection's event loop.
 */
abstract class PacedDecoder extends ChannelDuplexHandler {
  /** Decompressed bytes after which a turn ends, give or take one piece. */
  static final int TURN_BYTES = 1024 * 1024;

  private final BooleanSupplier inputPaused;

  /** Compressed, as received; empty buffers are never kept. */
  private final ArrayDeque<ByteBuf> received = new ArrayDeque<>();

  /** Whether auto-read is off because of us. */
  private boolean holding;

  private boolean turnScheduled;
  private boolean decoding;

  /** After an error or the end of the stream: everything else is discarded. */
  private boolean finished;

  /** The client sends no more; passed on when all that it sent has been. */
  private boolean inputShutdown;

  private boolean passedOn;

  /** Somebody asked for input since the last piece; answered even if auto-read is off. */
  private boolean readRequested;

  /**
   * @param inputPaused true while the connection itself keeps auto-read off and must keep it so
   */
  PacedDecoder(BooleanSupplier inputPaused) {
    this.inputPaused = inputPaused;
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
    if (finished || !buffer.isReadable()) {
      ReferenceCountUtil.release(buffer);
      return;
    }
    received.add(buffer);
    if (!holding && !decoding) {
      decode(ctx);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    boolean starved = !passedOn && !isBusy() && !holding;
    passedOn = false;
    ctx.fireChannelReadComplete();
    if (starved && !ctx.channel().config().isAutoRead()) {
      // Somebody asked for one read and got nothing out of it yet.
      ctx.read();
    }
  }

  @Override
  public void read(ChannelHandlerContext ctx) {
    readRequested = true;
    if (isBusy()) {
      // What has arrived comes first. Whoever set auto-read meanwhile gets it back when it is done.
      hold(ctx);
      scheduleTurn(ctx);
    } else {
      ctx.read();
    }
  }

  private boolean isBusy() {
    return !finished && (!received.isEmpty() || hasPending());
  }

  private boolean isPaused(ChannelHandlerContext ctx) {
    return inputPaused.getAsBoolean() || (!holding && !ctx.channel().config().isAutoRead());
  }

  private void hold(ChannelHandlerContext ctx) {
    holding = true;
    ctx.channel().config().setAutoRead(false);
  }

  private void scheduleTurn(ChannelHandlerContext ctx) {
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
    if (holding && !isBusy()) {
      holding = false;
      if (!inputPaused.getAsBoolean() && !inputShutdown) {
        ctx.channel().config().setAutoRead(true);
      }
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
      while (isBusy() && !isEndOfStream() && !ctx.isRemoved()) {
        if (passed >= TURN_BYTES) {
          hold(ctx);
          scheduleTurn(ctx);
          return;
        }
        if (!readRequested && isPaused(ctx)) {
          return;
        }
        ByteBuf piece = nextPiece(ctx, received);
        if (piece != null) {
          passed += piece.readableBytes();
          passedOn = true;
          readRequested = false;
          ctx.fireChannelRead(piece);
        }
      }
      if (!finished && !ctx.isRemoved() && (isEndOfStream() || (inputShutdown && !isBusy()))) {
        // The end of the stream is the end of the input: no further command can come.
        endOfInput(ctx);
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
