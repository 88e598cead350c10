package io.holdfast.broker.wire;

import io.holdfast.broker.config.Options;
import io.holdfast.broker.limits.ConnectionMemory;
import io.holdfast.broker.net.ReadGate;
import io.holdfast.broker.tls.ServerTlsHandler;
import io.holdfast.broker.tls.TlsSessionInfo;
import io.holdfast.broker.wire.compress.DeflateDecoder;
import io.holdfast.broker.wire.compress.DeflateEncoder;
import io.holdfast.broker.wire.compress.PacedDecoder;
import io.holdfast.broker.wire.compress.SnappyDecoder;
import io.holdfast.broker.wire.compress.SnappyEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.DecoderException;
import java.nio.charset.StandardCharsets;
import javax.net.ssl.SSLException;

/**
 * What a connection becomes after IDENTIFY with feature negotiation (contract §2): the JSON reply
 * in clear; TLS, then an OK inside it; compression of both directions, then an OK inside that. In
 * the pipeline TLS comes first, then compression, then the protocol.
 *
 * <p>Owned by the connection's event loop.
 */
final class Upgrades {
  /** The version of nsqd whose contract is kept; clients compare it. */
  private static final String VERSION = "1.3.0";

  private static final int DEFAULT_DEFLATE_LEVEL = 6;

  private final ConnectionServices services;
  private final Options options;
  private final ChannelHandlerContext ctx;
  private final ClientV2 client;
  private final ClientOutput output;
  private final Authenticator authenticator;
  private final Async async;
  private final ReadGate gate;

  Upgrades(
      ConnectionServices services,
      ChannelHandlerContext ctx,
      ClientV2 client,
      Authenticator authenticator,
      Async async,
      ReadGate gate) {
    this.services = services;
    options = services.broker().options();
    this.ctx = ctx;
    this.client = client;
    output = client.output();
    this.authenticator = authenticator;
    this.async = async;
    this.gate = gate;
  }

  /** Whether an exception in the pipeline came from what the client sent. */
  static boolean isClientsFault(Throwable cause) {
    return cause instanceof DecoderException || cause instanceof SSLException;
  }

  /** Replies, and upgrades as agreed. */
  void negotiate(Identify identify) throws ClientException {
    boolean tls = services.tls() != null && identify.tls() && !client.security().tls();
    boolean plain = !client.security().deflate() && !client.security().snappy();
    boolean deflate = plain && options.isDeflate() && identify.deflate();
    boolean snappy = plain && options.isSnappy() && identify.snappy();
    if (deflate && snappy) {
      throw ClientException.fatal(
          "E_IDENTIFY_FAILED", "cannot enable both deflate and snappy compression");
    }
    long bytes =
        (tls ? ConnectionMemory.TLS_BYTES : 0)
            + (deflate || snappy ? ConnectionMemory.COMPRESSION_BYTES : 0);
    if (bytes > 0 && !client.memory().tryTake(bytes)) {
      throw ClientException.fatal(
          "E_IDENTIFY_FAILED", "IDENTIFY failed memory of connections is used up");
    }
    long asked = deflate ? identify.deflateLevel() : 0;
    long level = Math.min(asked <= 0 ? DEFAULT_DEFLATE_LEVEL : asked, options.maxDeflateLevel());
    client.setKeepsBacklog(identify.keepsBacklog());
    output.response(reply(identify, tls, deflate, snappy, level));
    output.flush();
    if (tls || deflate || snappy) {
      async.dropBuffered();
    }
    if (tls) {
      startTls(() -> compress(deflate, snappy, (int) level));
    } else {
      compress(deflate, snappy, (int) level);
    }
  }

  private byte[] reply(
      Identify identify, boolean tls, boolean deflate, boolean snappy, long level) {
    ClientSettings settings = identify.settings();
    String json =
        "{\"max_rdy_count\":"
            + options.maxRdyCount()
            + ",\"version\":\""
            + VERSION
            + "\",\"max_msg_timeout\":"
            + options.maxMsgTimeoutMs()
            + ",\"msg_timeout\":"
            + settings.msgTimeoutMs()
            + ",\"tls_v1\":"
            + tls
            + ",\"deflate\":"
            + deflate
            + ",\"deflate_level\":"
            + level
            + ",\"max_deflate_level\":"
            + options.maxDeflateLevel()
            + ",\"snappy\":"
            + snappy
            + ",\"sample_rate\":"
            + settings.sampleRate()
            + ",\"auth_required\":"
            + authenticator.isEnabled()
            + ",\"output_buffer_size\":"
            + settings.outputBufferSize()
            + ",\"output_buffer_timeout\":"
            + settings.outputBufferTimeoutMs()
            + ",\"topology_region\":"
            + JsonStrings.quote(options.topologyRegion())
            + ",\"topology_zone\":"
            + JsonStrings.quote(options.topologyZone())
            + (identify.keepsBacklog() ? ",\"keeps_backlog\":true}" : "}");
    return json.getBytes(StandardCharsets.UTF_8);
  }

  private void startTls(Runnable then) {
    ServerTlsHandler handler = services.tls().newHandler(ctx.alloc());
    async.suspendForHandshake();
    PacedDecoder compressed = ctx.pipeline().get(PacedDecoder.class);
    if (compressed != null) {
      compressed.dropReceived(ctx.pipeline().context(compressed));
    }
    ctx.pipeline().addFirst("tls", handler);
    handler
        .handshakeFuture()
        .addListener(
            done -> {
              if (!done.isSuccess()) {
                handshakeFailed(handler, done.cause());
                return;
              }
              TlsSessionInfo session = TlsSessionInfo.of(handler.engine().getSession());
              authenticator.commonName(session.commonName());
              client.setSecurity(
                  client.security().encrypted(session.version(), session.cipherSuite(), "", true));
              output.ok();
              output.flush();
              async.resumeWith(then::run);
            });
  }

  /**
   * Who speaks TLS is told by its alert, which TLS sends and then closes: a word in clear would be
   * taken for TLS. Who does not is told in clear.
   */
  private void handshakeFailed(ServerTlsHandler handler, Throwable cause) {
    ChannelHandlerContext below = ctx.pipeline().context(handler);
    if (handler.hasBegun() || below == null || !ctx.channel().isActive()) {
      return;
    }
    ByteBuf frame = ctx.alloc().buffer();
    String text = "E_IDENTIFY_FAILED IDENTIFY failed " + cause.getMessage();
    FrameEncoder.error(frame, text.getBytes(StandardCharsets.UTF_8));
    below.writeAndFlush(frame);
    ctx.close();
  }

  private void compress(boolean deflate, boolean snappy, int level) {
    if (!deflate && !snappy) {
      return;
    }
    ChannelHandler encoder = snappy ? new SnappyEncoder() : new DeflateEncoder(level);
    ChannelHandler decoder =
        snappy
            ? new SnappyDecoder(gate, client.memory())
            : new DeflateDecoder(gate, client.memory());
    ctx.pipeline().addBefore(ctx.name(), "compress", encoder);
    ctx.pipeline().addBefore(ctx.name(), "decompress", decoder);
    client.setSecurity(client.security().compressed(deflate, snappy));
    output.ok();
    output.flush();
  }
}
