package io.holdfast.broker.http;

import io.holdfast.broker.net.Addresses;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closes a connection whose client keeps sending, but so little that its request takes forever: the
 * head has one idle timeout to arrive, and so has each further part of a body of {@link
 * #MIN_BODY_BYTES}. Counts raw bytes, so it stands before the decoder. Owned by the connection's
 * event loop.
 */
final class RequestPace extends ChannelInboundHandlerAdapter {
  /** A client on a very slow line still manages this in 30 s. */
  static final long MIN_BODY_BYTES = 30 * 1024;

  private static final Logger LOG = LoggerFactory.getLogger(RequestPace.class);
  private static final int LOOKS_PER_TIMEOUT = 4;

  private final long timeoutMs;
  private ScheduledFuture<?> timer;

  /** When the request, or the part of its body that is awaited, began; 0 while none is. */
  private long begunNs;

  private long partBytes;
  private boolean inBody;

  /**
   * @param timeoutMs for the head, and for each part of a body
   */
  RequestPace(long timeoutMs) {
    this.timeoutMs = timeoutMs;
  }

  /** The head is complete, its body is awaited. */
  void headRead() {
    inBody = true;
    partBytes = 0;
    begunNs = now();
  }

  /** The request is complete, or what follows is not looked at. */
  void requestRead() {
    inBody = false;
    begunNs = 0;
  }

  /** Whether no request has begun to arrive since the last was complete. */
  boolean isBetweenRequests() {
    return begunNs == 0;
  }

  /** Whether a body is awaited. */
  boolean isInBody() {
    return inBody;
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) throws Exception {
    long everyMs = Math.max(1, timeoutMs / LOOKS_PER_TIMEOUT);
    timer =
        ctx.executor()
            .scheduleWithFixedDelay(
                () -> look(ctx, now()), everyMs, everyMs, TimeUnit.MILLISECONDS);
    super.channelActive(ctx);
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) throws Exception {
    if (timer != null) {
      timer.cancel(false);
    }
    super.channelInactive(ctx);
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
    if (begunNs == 0) {
      begunNs = now();
    }
    if (inBody && message instanceof ByteBuf bytes) {
      partBytes += bytes.readableBytes();
      if (partBytes >= MIN_BODY_BYTES) {
        partBytes = 0;
        begunNs = now();
      }
    }
    super.channelRead(ctx, message);
  }

  private void look(ChannelHandlerContext ctx, long nowNs) {
    if (begunNs != 0 && nowNs - begunNs >= TimeUnit.MILLISECONDS.toNanos(timeoutMs)) {
      LOG.debug(
          "HTTP client {} sends too slowly: closed", Addresses.text(ctx.channel().remoteAddress()));
      ctx.close();
    }
  }

  private static long now() {
    return Math.max(1, System.nanoTime());
  }
}
