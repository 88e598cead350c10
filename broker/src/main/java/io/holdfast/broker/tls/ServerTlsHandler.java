package io.holdfast.broker.tls;

import io.holdfast.broker.net.Addresses;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.ssl.SslHandler;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;

/**
 * The TLS of one accepted connection, whose client may end its direction alone: its close_notify is
 * the {@link ChannelInputShutdownEvent} that a FIN is on a plain connection, and what is owed to it
 * can still be written.
 *
 * <p>TLS 1.3 has it so. Up to 1.2 the JDK's engine answers a close_notify by closing both
 * directions at once; there the record is kept from it.
 *
 * <p>Owned by the connection's event loop.
 */
public final class ServerTlsHandler extends SslHandler {
  private static final int RECORD_HEADER_BYTES = 5;
  private static final int ALERT = 21;
  private static final int HANDSHAKE = 22;

  private final String kind;
  private boolean begun;
  private boolean ended;

  /**
   * @param engine of a server's side
   * @param kind "TCP" or "HTTPS", for the log
   */
  public ServerTlsHandler(SSLEngine engine, String kind) {
    super(engine);
    this.kind = kind;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
    super.handlerAdded(ctx);
    handshakeFuture()
        .addListener(
            done -> {
              if (!done.isSuccess() && !ctx.isRemoved()) {
                RefusedHandshake.log(
                    kind, Addresses.text(ctx.channel().remoteAddress()), done.cause());
                // Closing comes next, from here.
                ctx.pipeline().addBefore(ctx.name(), null, new RefusedHandshake());
              }
            });
    sslCloseFuture()
        .addListener(
            closed -> {
              if (closed.isSuccess()) {
                end(ctx);
              }
            });
  }

  /** Whether the client has sent anything of a handshake; if not, it may not speak TLS at all. */
  public boolean hasBegun() {
    return begun;
  }

  /** Called with the beginning of a record at the reader index. */
  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out)
      throws SSLException {
    begun |= in.isReadable() && in.getByte(in.readerIndex()) == HANDSHAKE;
    if (!ended && isAlert(in)) {
      end(ctx);
    }
    if (ended) {
      in.skipBytes(in.readableBytes());
    } else {
      super.decode(ctx, in, out);
    }
  }

  /** Up to TLS 1.2 the kind of an encrypted record can be seen; the only alert left is the end. */
  private boolean isAlert(ByteBuf in) {
    return in.readableBytes() >= RECORD_HEADER_BYTES
        && in.getByte(in.readerIndex()) == ALERT
        && handshakeFuture().isSuccess();
  }

  private void end(ChannelHandlerContext ctx) {
    if (!ended) {
      ended = true;
      ctx.fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    }
  }
}
