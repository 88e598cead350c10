package io.holdfast.broker.wire.compress;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.AbstractCoalescingBufferQueue;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.EncoderException;
import io.netty.handler.codec.UnsupportedMessageTypeException;
import io.netty.util.ReferenceCountUtil;
import java.nio.channels.ClosedChannelException;

/**
 * Gathers written buffers until a flush and compresses them in runs of at most {@link #RUN_BYTES}.
 * What waits counts towards the connection's writability like any other output. A write's promise
 * completes with the compressed bytes it went into; all belongs to the connection's event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // The promises passed along report the outcome.
abstract class RunEncoder extends ChannelDuplexHandler {
  /** Most bytes compressed in one go; the largest block that Netty's snappy compresses. */
  static final int RUN_BYTES = 65_535;

  private RunQueue waiting;

  /**
   * Compresses all of {@code run}.
   *
   * @param last whether a flush follows: then {@code out} must let the peer decode all so far
   * @return what to send; owned by the caller
   */
  abstract ByteBuf compress(ByteBufAllocator alloc, ByteBuf run, boolean last);

  /** Gives back what is held outside the heap; nothing is compressed afterwards. */
  abstract void end();

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    waiting = new RunQueue(ctx);
  }

  @Override
  public void write(ChannelHandlerContext ctx, Object msg, ChannelPromise promise) {
    if (!(msg instanceof ByteBuf buffer)) {
      // Passed on it would end up uncompressed inside the compressed stream.
      ReferenceCountUtil.release(msg);
      promise.setFailure(new UnsupportedMessageTypeException(msg, ByteBuf.class));
      return;
    }
    waiting.add(buffer, promise);
  }

  @Override
  public void flush(ChannelHandlerContext ctx) {
    compressWaiting(ctx);
    ctx.flush();
  }

  @Override
  public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
    // Whoever closes without a flush gets what a plain connection gives: written, not flushed.
    waiting.releaseAndFailAll(ctx, new ClosedChannelException());
    ctx.close(promise);
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    waiting.releaseAndFailAll(ctx, new ClosedChannelException());
    ctx.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    waiting.releaseAndFailAll(ctx, new EncoderException("compression was removed"));
    end();
  }

  private void compressWaiting(ChannelHandlerContext ctx) {
    while (!waiting.isEmpty()) {
      ChannelPromise promise = ctx.newPromise();
      ByteBuf run = waiting.remove(ctx.alloc(), RUN_BYTES, promise);
      ByteBuf compressed;
      try {
        compressed = compress(ctx.alloc(), run, waiting.isEmpty());
      } catch (RuntimeException e) {
        promise.setFailure(new EncoderException("compression failed", e));
        throw e;
      } finally {
        run.release();
      }
      ctx.write(compressed, promise);
    }
  }

  /** Copies small writes together; a run that one buffer fills is taken from it uncopied. */
  private static final class RunQueue extends AbstractCoalescingBufferQueue {
    RunQueue(ChannelHandlerContext ctx) {
      super(ctx.channel(), 16);
    }

    @Override
    protected ByteBuf composeFirst(ByteBufAllocator alloc, ByteBuf first, int bufferSize) {
      ByteBuf run = alloc.buffer(bufferSize);
      run.writeBytes(first);
      first.release();
      return run;
    }

    @Override
    protected ByteBuf compose(ByteBufAllocator alloc, ByteBuf cumulation, ByteBuf next) {
      cumulation.writeBytes(next);
      next.release();
      return cumulation;
    }

    @Override
    protected ByteBuf removeEmptyValue() {
      return Unpooled.EMPTY_BUFFER;
    }
  }
}
