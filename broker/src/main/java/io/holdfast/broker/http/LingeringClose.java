package io.holdfast.broker.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Ends our side of a connection and gives the client a moment to read the answer and to close its
 * own.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what cannot be closed is closed already
final class LingeringClose {
  /** Time for the client's unread input to arrive and be dropped. */
  static final long LINGER_MS = 1_000;

  private LingeringClose() {}

  /**
   * Closes the output now and the connection after {@link #LINGER_MS}, unless the client did
   * before.
   */
  static void start(ChannelHandlerContext ctx) {
    // TLS cannot be half closed; its client knows the answer's end from Content-Length.
    if (ctx.channel() instanceof DuplexChannel duplex
        && ctx.pipeline().get(SslHandler.class) == null) {
      duplex.shutdownOutput();
    }
    Future<?> timer = ctx.executor().schedule(() -> ctx.close(), LINGER_MS, TimeUnit.MILLISECONDS);
    ctx.channel().closeFuture().addListener(closed -> timer.cancel(false));
  }
}
