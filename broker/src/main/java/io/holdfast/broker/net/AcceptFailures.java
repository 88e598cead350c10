package io.holdfast.broker.net;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Behind Netty's acceptor, which pauses for a second when a connection cannot be accepted, usually
 * for want of file descriptors: says so once, and again when it has not happened for a while. Those
 * who connect wait in the system's queue meanwhile. Owned by the acceptor's event loop.
 */
public final class AcceptFailures extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(AcceptFailures.class);
  private static final long QUIET_NS = TimeUnit.MINUTES.toNanos(1);

  private boolean failed;
  private long lastNs;

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    long nowNs = System.nanoTime();
    if (!failed || nowNs - lastNs > QUIET_NS) {
      LOG.error(
          "cannot accept connections on {}: {}", ctx.channel().localAddress(), cause.getMessage());
    }
    failed = true;
    lastNs = nowNs;
  }
}
