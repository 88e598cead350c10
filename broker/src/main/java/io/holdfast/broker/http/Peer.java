package io.holdfast.broker.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.concurrent.Executor;

/**
 * Who sent a request.
 *
 * @param remote as the socket has it; anything but an {@link InetSocketAddress} for a unix socket
 * @param isTls whether it came by HTTPS
 * @param loop runs what belongs to the connection
 */
record Peer(SocketAddress remote, boolean isTls, Executor loop) {
  /** Nobody, in this thread. */
  static final Peer NONE = new Peer(null, false, Runnable::run);

  /** Who is at the other end of a connection. */
  static Peer of(ChannelHandlerContext ctx) {
    return new Peer(
        ctx.channel().remoteAddress(),
        ctx.pipeline().get(SslHandler.class) != null,
        ctx.executor());
  }

  /** The address without port; {@code @} for a unix socket, as nsqd has it. */
  String address() {
    return remote instanceof InetSocketAddress inet && inet.getAddress() != null
        ? NetUtil.toAddressString(inet.getAddress())
        : "@";
  }

  /** {@code host:port}, as in /stats; {@code @} for a unix socket. */
  String text() {
    return remote instanceof InetSocketAddress inet && inet.getAddress() != null
        ? NetUtil.toSocketAddressString(inet)
        : "@";
  }
}
