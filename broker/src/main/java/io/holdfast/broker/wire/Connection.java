package io.holdfast.broker.wire;

import io.holdfast.broker.config.Options;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.limits.ConnectionMemory;
import io.holdfast.broker.limits.InputBudget;
import io.holdfast.broker.limits.OutOfMemoryExit;
import io.holdfast.broker.net.ReadGate;
import io.holdfast.broker.net.ReadGate.Reason;
import io.holdfast.broker.queue.MessageSource;
import io.holdfast.storage.files.Reasons;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The life of one TCP connection: puts its parts together, sees to what is due after each read, and
 * ends it in such a way that the client reads the last frame and no reset takes it (contract §1.1).
 *
 * <p>Owned by the connection's event loop.
 */
public final class Connection {
  private static final Logger LOG = LoggerFactory.getLogger(Connection.class);
  private static final long LINGER_MS = 500;

  /** How long a client that is being closed may take over what it was sent last. */
  private static final long UNTAKEN_MS = 60_000;

  private final ConnectionServices services;
  private final Broker broker;
  private ChannelHandlerContext ctx;
  private ProtocolV2Decoder decoder;
  private ReadGate gate;
  private ClientV2 client;
  private ClientOutput output;
  private Publisher publisher;
  private Consuming consuming;
  private Commands commands;
  private ConnectionTimers timers;
  private ConnectionLog log;
  private boolean closed;

  public Connection(ConnectionServices services) {
    this.services = services;
    broker = services.broker();
  }

  void start(ChannelHandlerContext context, ProtocolV2Decoder from) {
    if (ctx != null) {
      return;
    }
    ctx = context;
    decoder = from;
    Options options = broker.options();
    output = new ClientOutput(ctx, services.budgets().output());
    output.onWritability(this::writabilityChanged);
    output.onClosing(this::linger);
    output.onFewPending(this::updateGate);
    ClientSettings defaults = Identify.defaults(options);
    client =
        new ClientV2(
            ctx, output, defaults, new ConnectionMemory(services.budgets().memory().connections()));
    client.onClose(this::channelClosed);
    client.setSettings(Identify.named(defaults, client.remoteIp(), client.remoteIp()));
    log = new ConnectionLog(client.remoteAddress());
    timers = new ConnectionTimers(ctx, output, log);
    // What it sent while it was not read from has not been looked at: its time begins now.
    gate = new ReadGate(ctx.channel().config(), timers::beginWait);
    Async async = new Async(ctx, decoder, this);
    Authenticator authenticator = new Authenticator(services.auth(), client, async);
    publisher = new Publisher(services, client, ctx.channel().eventLoop(), async, authenticator);
    consuming = new Consuming(broker, client, async, authenticator);
    Upgrades upgrades = new Upgrades(services, ctx, client, authenticator, async, gate);
    commands = new Commands(options, client, timers, authenticator, publisher, consuming, upgrades);
    timers.start(defaults.heartbeatIntervalMs());
  }

  Commands commands() {
    return commands;
  }

  ReadGate gate() {
    return gate;
  }

  InputBudget inputBudget() {
    return services.budgets().input();
  }

  boolean isClosed() {
    return closed;
  }

  /** The bytes of one read were taken: answer them, then see whether there is more to send. */
  void readComplete() {
    timers.readComplete();
    consuming.flushFins();
    client.pump();
    output.flush();
    publisher.flushed();
    if (output.hasManyPending()) {
      updateGate();
    }
    MessageSource source = client.source();
    CompletableFuture<Void> behind = source == null ? null : source.behind();
    if (behind != null) {
      gate.close(Reason.SOURCE);
      behind.whenComplete(
          (done, failure) -> ctx.executor().execute(() -> gate.open(Reason.SOURCE)));
    }
  }

  private void channelClosed() {
    if (!consuming.outlivesChannel()) {
      end("channel closed");
    }
  }

  void writabilityChanged() {
    updateGate();
    // What others have not taken is not this client's fault.
    timers.writable(ctx.channel().isWritable());
    if (output.mayDeliver()) {
      client.wake();
    }
  }

  /** Who does not read what it is sent, or has many replies to come, is not read from. */
  private void updateGate() {
    gate.set(Reason.OUTPUT, !output.isWritable());
    gate.set(Reason.REPLIES, output.hasManyPending());
  }

  // ---------------------------------------------------------------- the end

  void tooSlow() {
    end("too slow to send while others wait");
  }

  void tooMuch() {
    end("sent too much behind a command that waits");
  }

  /**
   * Ends the connection from our side, in such a way that a client that is sending sees the end of
   * the stream and no reset.
   */
  private void end(String why) {
    if (!closed) {
      log.closing(why);
      decoder.discard();
      consuming.leaveChannel();
      output.closeInOrder();
      output.flush();
    }
  }

  /** Four bytes that are none. */
  void badMagic(int magic) {
    byte[] bytes = ByteBuffer.allocate(Integer.BYTES).putInt(magic).array();
    log.badMagic(new String(bytes, StandardCharsets.ISO_8859_1));
    broker.meters().protocolError("E_BAD_PROTOCOL");
    output.fatal(FrameEncoder.ascii("E_BAD_PROTOCOL"));
    decoder.discard();
  }

  /** What nsqd does with a line that is too long. */
  void closeSilently() {
    log.closing("line too long");
    output.closeInOrder();
    decoder.discard();
  }

  /** The client sends no more, and nothing is half there. */
  void endOfInput() {
    log.closing("end of input");
    output.closeInOrder();
  }

  /** The client sends no more, after a fatal error of its own. */
  void discarded() {
    if (!output.hasPending()) {
      output.close();
    }
  }

  void fail(ClientException e) {
    consuming.flushFins();
    LOG.debug("client {}: {}", client.remoteAddress(), e.getMessage());
    broker.meters().protocolError(e.getMessage());
    if (e.isFatal()) {
      log.closing(e.getMessage());
      decoder.discard();
      consuming.leaveChannel();
      output.fatal(e.getMessage().getBytes(StandardCharsets.ISO_8859_1));
    } else {
      output.error(e.getMessage().getBytes(StandardCharsets.ISO_8859_1));
    }
  }

  /**
   * After the last frame: end our direction and let the client read it. Closing at once would reset
   * the connection while its bytes are still coming in, and take the error frame with it.
   */
  private void linger() {
    decoder.discard();
    consuming.leaveChannel();
    timers.closeAfter(UNTAKEN_MS);
    if (!(ctx.channel() instanceof DuplexChannel duplex) || duplex.isInputShutdown()) {
      output.close();
      return;
    }
    gate.drain();
    output.whenWritten(
        () -> {
          SslHandler tls = ctx.pipeline().get(SslHandler.class);
          if (tls == null) {
            shutdownOutput(duplex);
          } else {
            // close_notify goes first.
            tls.closeOutbound().addListener(sent -> shutdownOutput(duplex));
          }
        });
  }

  private void shutdownOutput(DuplexChannel duplex) {
    duplex.shutdownOutput();
    if (!closed) {
      timers.closeAfter(LINGER_MS);
    }
  }

  /** What cannot be read ends the connection; the commands before it hold and are answered. */
  void failed(Throwable cause) {
    OutOfMemoryExit.check(cause);
    log.closing(Reasons.of(cause));
    if (Upgrades.isClientsFault(cause)) {
      LOG.debug("client {}: {}", client.remoteAddress(), cause.toString());
      decoder.discard();
      output.closeInOrder();
      return;
    }
    if (cause instanceof IOException) {
      LOG.debug("client {}: {}", client.remoteAddress(), cause.toString());
    } else {
      LOG.error("client {}: closing", client.remoteAddress(), cause);
    }
    ctx.close();
  }

  void closed() {
    if (closed || ctx == null) {
      return;
    }
    closed = true;
    boolean isDeleted = client.source() != null && client.source().isExiting();
    log.closing(isDeleted ? "channel closed" : "connection closed");
    log.closed();
    timers.stop();
    consuming.leaveChannel();
    output.release();
    client.memory().release();
    services.producers().remove(client);
  }
}
