package io.holdfast.broker.tls;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The end of a connection whose handshake failed, below its TLS: one line in the log, and time for
 * the client to read the alert. Closing at once would reset the connection where more of it comes
 * in, as the request that a TLS 1.3 client sends behind its certificate, and take the alert with
 * it.
 *
 * <p>Owned by the connection's event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // What cannot be closed is closed already.
final class RefusedHandshake extends ChannelDuplexHandler {
  private static final Logger LOG = LoggerFactory.getLogger(RefusedHandshake.class);
  private static final long LINGER_MS = 500;
  private static final int MAX_REASON_LENGTH = 300;

  /** Logged in one window; the rest is counted. */
  private static final int MAX_LINES = 20;

  private static final long WINDOW_NS = TimeUnit.MINUTES.toNanos(1);
  private static final AtomicLong WINDOW_START_NS = new AtomicLong(System.nanoTime());
  private static final AtomicInteger REFUSED = new AtomicInteger();

  private boolean closing;

  /** Says so, unless the client just went away. */
  static void log(String kind, String peer, Throwable cause) {
    String reason = String.valueOf(cause.getMessage());
    if (cause instanceof ClosedChannelException) {
      LOG.debug("TLS: {} client {} left within the handshake", kind, peer);
      return;
    }
    long nowNs = System.nanoTime();
    long startNs = WINDOW_START_NS.get();
    if (nowNs - startNs > WINDOW_NS && WINDOW_START_NS.compareAndSet(startNs, nowNs)) {
      int unsaid = REFUSED.getAndSet(0) - MAX_LINES;
      if (unsaid > 0) {
        LOG.warn("TLS: {} more handshakes were refused", unsaid);
      }
    }
    if (REFUSED.incrementAndGet() <= MAX_LINES) {
      LOG.warn(
          "TLS: handshake of {} client {} refused: {}",
          kind,
          peer,
          reason.substring(0, Math.min(reason.length(), MAX_REASON_LENGTH)));
    }
  }

  @Override
  public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
    if (closing || !(ctx.channel() instanceof DuplexChannel duplex) || !duplex.isActive()) {
      ctx.close(promise);
      return;
    }
    closing = true;
    Future<?> timer =
        ctx.executor().schedule(() -> ctx.close(promise), LINGER_MS, TimeUnit.MILLISECONDS);
    duplex.closeFuture().addListener(closed -> timer.cancel(false));
    ctx.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> duplex.shutdownOutput());
    duplex.config().setAutoRead(true);
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (closing) {
      ReferenceCountUtil.release(message);
    } else {
      ctx.fireChannelRead(message);
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (closing && event instanceof ChannelInputShutdownEvent) {
      ctx.close();
    } else {
      ctx.fireUserEventTriggered(event);
    }
  }
}
