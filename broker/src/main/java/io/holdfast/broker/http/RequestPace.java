package io.holdfast.broker.http;

import io.holdfast.broker.limits.RunningTime;
import io.holdfast.broker.net.Addresses;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closes a connection whose client takes too long over what is its turn: to send a request's head,
 * each further part of a body of {@link #MIN_BODY_BYTES}, to take more of an answer, or, which may
 * last longer, to send another request at all. Counts raw bytes, so it stands before the decoder,
 * and only time in which this process ran. Owned by the connection's event loop.
 */
final class RequestPace extends ChannelInboundHandlerAdapter {
  /** A client on a very slow line still manages this in 30 s. */
  static final long MIN_BODY_BYTES = 30 * 1024;

  private static final Logger LOG = LoggerFactory.getLogger(RequestPace.class);
  private static final int LOOKS_PER_TIMEOUT = 4;

  /** What is waited for. */
  private enum Turn {
    REQUEST,
    HEAD,
    BODY,
    /** Not the client. */
    BROKER,
    TAKING_THE_ANSWER
  }

  private final long requestNs;
  private final long keepAliveNs;
  private final LongSupplier clock;
  private ScheduledFuture<?> timer;
  private Turn turn = Turn.REQUEST;
  private long sinceNs;
  private boolean headBegun;
  private long partBytes;

  // Of the answer, when it was last looked at.
  private long pendingBytes;
  private long writtenBytes;

  /**
   * @param limits how long each turn may take
   */
  RequestPace(HttpLimits limits) {
    this(limits, RunningTime::nowNs);
  }

  /**
   * @param clock ns
   */
  RequestPace(HttpLimits limits, LongSupplier clock) {
    requestNs = TimeUnit.MILLISECONDS.toNanos(limits.requestIdleTimeoutMs());
    keepAliveNs = TimeUnit.MILLISECONDS.toNanos(limits.keepAliveTimeoutMs());
    this.clock = clock;
    sinceNs = clock.getAsLong();
  }

  private void begin(Turn next) {
    turn = next;
    sinceNs = clock.getAsLong();
  }

  /** The head is complete, its body is awaited. */
  void headRead() {
    partBytes = 0;
    begin(Turn.BODY);
  }

  /** The request is complete, or what follows is not looked at. */
  void requestRead() {
    headBegun = false;
    begin(Turn.BROKER);
  }

  /** An answer is being written. */
  void answering() {
    begin(Turn.TAKING_THE_ANSWER);
  }

  /** The answer is written, another request may come. */
  void answered() {
    begin(Turn.REQUEST);
  }

  /** Whether no request has begun to arrive since the last was complete. */
  boolean isBetweenRequests() {
    return !headBegun;
  }

  /** Whether a body is awaited. */
  boolean isInBody() {
    return turn == Turn.BODY;
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) throws Exception {
    long everyNs = Math.max(1, Math.min(requestNs, keepAliveNs) / LOOKS_PER_TIMEOUT);
    timer =
        ctx.executor()
            .scheduleWithFixedDelay(() -> look(ctx), everyNs, everyNs, TimeUnit.NANOSECONDS);
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
    headBegun = true;
    if (turn == Turn.REQUEST) {
      begin(Turn.HEAD);
    } else if (turn == Turn.BODY && message instanceof ByteBuf bytes) {
      partBytes += bytes.readableBytes();
      if (partBytes >= MIN_BODY_BYTES) {
        headRead();
      }
    }
    super.channelRead(ctx, message);
  }

  private void look(ChannelHandlerContext ctx) {
    if (turn == Turn.BROKER) {
      return;
    }
    if (turn == Turn.TAKING_THE_ANSWER && hasTakenSome(ctx)) {
      answering();
    }
    long limitNs = turn == Turn.REQUEST ? keepAliveNs : requestNs;
    if (clock.getAsLong() - sinceNs >= limitNs) {
      LOG.debug(
          "HTTP client {} takes too long over {}: closed",
          Addresses.text(ctx.channel().remoteAddress()),
          turn);
      ctx.close();
    }
  }

  private boolean hasTakenSome(ChannelHandlerContext ctx) {
    ChannelOutboundBuffer buffer = ctx.channel().unsafe().outboundBuffer();
    if (buffer == null) {
      return false;
    }
    long pending = buffer.totalPendingWriteBytes();
    long written = buffer.currentProgress();
    boolean hasChanged = pending != pendingBytes || written != writtenBytes;
    pendingBytes = pending;
    writtenBytes = written;
    return hasChanged;
  }
}
