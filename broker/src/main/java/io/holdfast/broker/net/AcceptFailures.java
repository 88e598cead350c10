package io.holdfast.broker.net;

import io.holdfast.broker.limits.OutOfMemoryExit;
import io.holdfast.broker.limits.SeldomLog;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Behind Netty's acceptor, which pauses for a second when a connection cannot be accepted, usually
 * for want of file descriptors: says so, once a minute at most. Those who connect wait in the
 * system's queue meanwhile. Owned by the acceptor's event loop.
 */
public final class AcceptFailures extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(AcceptFailures.class);

  private final SeldomLog failures = new SeldomLog();

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    OutOfMemoryExit.check(cause);
    if (failures.isDue()) {
      LOG.error(
          "cannot accept connections on {}: {}",
          Addresses.text(ctx.channel().localAddress()),
          cause.getMessage());
    }
  }
}
