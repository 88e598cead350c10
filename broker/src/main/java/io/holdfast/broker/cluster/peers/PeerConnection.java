package io.holdfast.broker.cluster.peers;

import io.holdfast.broker.cluster.peers.PeerFrame.Kind;
import io.holdfast.broker.cluster.peers.PeerFrameDecoder.BadFrameException;
import io.holdfast.broker.net.Addresses;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection between two nodes, from TLS over the handshakes to its end: what both directions
 * have in common. Owned by its event loop.
 *
 * <p>Both sides send a sign of life each second, whatever else they send, so that neither depends
 * on the other one's reading: a side that has enough to do reads nothing for a while.
 */
@SuppressWarnings("FutureReturnValueIgnored") // What cannot be written or closed is closed.
abstract class PeerConnection extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(Peers.class);

  /** How far a connection is. */
  private enum State {
    /** TCP and TLS. */
    CONNECTING,
    /** Waits for what the other side says of itself. */
    GREETING,
    READY,
    /** Takes nothing any more. */
    CLOSED
  }

  final PeersShared shared;
  final PeerFrameDecoder decoder = new PeerFrameDecoder();
  private ChannelHandlerContext ctx;
  private State state = State.CONNECTING;
  private Handshake peer;
  private long lastReadNs;
  private long lastTickNs;
  private Future<?> ticks;

  PeerConnection(PeersShared shared) {
    this.shared = shared;
  }

  // ---------------------------------------------------------------- what differs

  /** TCP and TLS stand. */
  abstract void connected();

  /**
   * What is wrong with who the other side says it is, before its configuration is looked at.
   *
   * @return null when nothing is
   */
  abstract String wrongIdentity(Handshake said);

  /** The other side's handshake was accepted. */
  abstract void accepted(Handshake said);

  /** A frame after the handshakes; to be released by the callee. */
  abstract void ready(PeerFrame frame) throws BadFrameException;

  /** Nothing comes or goes any more; once. */
  abstract void ended();

  /** Who is there, for the log. */
  abstract String whom();

  /** Whose connection this is or should be, null for not known. */
  abstract String expected();

  /** Whether this side has a reason of its own to read nothing at the moment. */
  boolean isPaused() {
    return false;
  }

  /** Whether the other side has taken nothing for so long that it never will. */
  boolean isStuck() {
    return false;
  }

  // ---------------------------------------------------------------- for both

  /** Does something with a payload on an event loop; one that has ended drops it. */
  static void onLoop(EventExecutor loop, ByteBuf payload, Runnable task) {
    if (loop.inEventLoop()) {
      task.run();
      return;
    }
    try {
      loop.execute(task);
    } catch (RejectedExecutionException e) {
      LOG.debug("CLUSTER: the event loops have ended", e);
      payload.release();
    }
  }

  final ChannelHandlerContext ctx() {
    return ctx;
  }

  /** The other node's name once it is accepted, else null. */
  final String node() {
    return peer == null ? null : peer.node();
  }

  /** The session; null for clear text. */
  private SslHandler tls() {
    return ctx.pipeline().get(SslHandler.class);
  }

  /** What is wrong with the certificate for that name; null when nothing is. */
  final String wrongCertificate(String node) {
    SslHandler tls = tls();
    return tls == null ? null : PeerTls.refusal(tls.engine().getSession(), node);
  }

  final ChannelFuture write(Kind kind, int type, int id, ByteBuf payload) {
    ctx.write(PeerFrame.head(ctx.alloc(), kind, type, id, payload.readableBytes()));
    return ctx.writeAndFlush(payload);
  }

  final void sendHandshake() {
    write(Kind.HELLO, 0, 0, Unpooled.wrappedBuffer(shared.own().toJson()));
  }

  /**
   * Turns the other side down, tells it why, and says so here.
   *
   * @param said null when it has said nothing, or is not who it says
   */
  final void refuse(Handshake said, String reason) {
    byte[] refusal = new Handshake.Refused(shared.own(), reason).toJson();
    state = State.CLOSED;
    write(Kind.REFUSED, 0, 0, Unpooled.wrappedBuffer(refusal))
        .addListener(ChannelFutureListener.CLOSE);
    if (said == null) {
      shared.log().refused(expected(), whom(), reason);
    } else {
      shared.refused(said, whom(), reason);
    }
  }

  /** Ends the connection for a reason that is worth a line. */
  private void refuseUnheard(String reason) {
    shared.log().refused(expected(), whom(), reason);
    close();
  }

  final void close() {
    state = State.CLOSED;
    ctx.close();
  }

  /** As {@link #close}, from another event loop. */
  final void closeLater() {
    onLoop(ctx.executor(), Unpooled.EMPTY_BUFFER, this::close);
  }

  @Override
  public void handlerAdded(ChannelHandlerContext added) {
    ctx = added;
  }

  @Override
  public void channelActive(ChannelHandlerContext active) {
    long handshakeMs = shared.times().handshake().toMillis();
    Future<?> limit = active.executor().schedule(this::tooLate, handshakeMs, TimeUnit.MILLISECONDS);
    active.channel().closeFuture().addListener(closed -> limit.cancel(false));
    if (tls() == null) {
      greet();
    }
  }

  private void tooLate() {
    if (state == State.CONNECTING || state == State.GREETING) {
      LOG.debug("CLUSTER: {}: no handshake in time", whom());
      close();
    }
  }

  private void greet() {
    state = State.GREETING;
    connected();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext unused, Object event) {
    if (!(event instanceof SslHandshakeCompletionEvent done)) {
      return;
    }
    if (done.isSuccess()) {
      greet();
    } else if (done.cause() instanceof ClosedChannelException) {
      LOG.debug("CLUSTER: {} left within TLS", whom());
      close();
    } else {
      refuseUnheard(
          PeerTls.isStranger(done.cause())
              ? "it does not speak TLS"
              : PeerTls.reason(done.cause()));
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext unused, Object message) {
    PeerFrame frame = (PeerFrame) message;
    lastReadNs = System.nanoTime();
    boolean handedOn = false;
    try {
      if (state == State.READY && frame.kind() != Kind.REFUSED) {
        shared.heard(peer.node());
        if (frame.kind() != Kind.PING) {
          handedOn = true;
          ready(frame);
        }
      } else if (state != State.CLOSED) {
        greeting(frame);
      }
    } catch (BadFrameException e) {
      refuseUnheard(e.getMessage());
    } finally {
      if (!handedOn) {
        frame.payload().release();
      }
    }
  }

  private void greeting(PeerFrame frame) throws BadFrameException {
    try {
      if (frame.kind() == Kind.HELLO && state == State.GREETING) {
        judge(Handshake.parse(ByteBufUtil.getBytes(frame.payload())));
      } else if (frame.kind() == Kind.REFUSED) {
        turnedDown(Handshake.Refused.parse(ByteBufUtil.getBytes(frame.payload())));
      } else {
        throw new BadFrameException("a frame of kind " + frame.kind() + " instead of a handshake");
      }
    } catch (IOException | IllegalArgumentException | NullPointerException e) {
      LOG.debug("CLUSTER: {}: handshake", whom(), e);
      throw new BadFrameException("a handshake that cannot be read");
    }
  }

  private void judge(Handshake said) {
    String wrong = wrongIdentity(said);
    if (wrong != null) {
      refuse(null, wrong); // Whoever it is: what it says of itself says nothing of that node.
      return;
    }
    String reason = shared.judge().refusal(said);
    if (reason == null && !shared.isOther(said.node())) {
      reason = said.node() + " is none of the other nodes: " + shared.config().names();
    }
    if (reason != null) {
      refuse(said, reason);
      return;
    }
    peer = said;
    state = State.READY;
    decoder.maxBytes(shared.config().maxFrameBytes());
    shared.heard(said.node());
    accepted(said);
    begin();
  }

  /**
   * The other side has judged this one; what this one thinks of it says more, if it is not well.
   */
  private void turnedDown(Handshake.Refused refusal) {
    if (refusal.by() == null || refusal.reason() == null) {
      throw new IllegalArgumentException("a refusal without a reason");
    }
    String own = shared.judge().refusal(refusal.by());
    state = State.CLOSED;
    shared.refused(refusal.by(), whom(), own == null ? "it says " + refusal.reason() : own);
    close();
  }

  private void begin() {
    lastTickNs = lastReadNs;
    long pingNs = shared.times().ping().toNanos();
    ticks = ctx.executor().scheduleWithFixedDelay(this::tick, pingNs, pingNs, TimeUnit.NANOSECONDS);
  }

  private void tick() {
    long nowNs = System.nanoTime();
    long silenceNs = shared.times().silence().toNanos();
    long lateNs = nowNs - lastTickNs - shared.times().ping().toNanos();
    // Time in which this side did not read, for a reason of its own, is no silence of the other.
    lastReadNs = isPaused() ? nowNs : Math.min(nowNs, lastReadNs + Math.max(0, lateNs));
    lastTickNs = nowNs;
    if (nowNs - lastReadNs > silenceNs || isStuck()) {
      LOG.debug("CLUSTER: {} is silent", whom());
      close();
    } else {
      write(Kind.PING, 0, 0, Unpooled.EMPTY_BUFFER);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext unused) {
    state = State.CLOSED;
    if (ticks != null) {
      ticks.cancel(false);
    }
    ended();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext unused, Throwable failure) {
    Throwable cause =
        failure instanceof DecoderException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (cause instanceof BadFrameException && state != State.CLOSED) {
      refuseUnheard(cause.getMessage());
    } else if (cause instanceof IOException || state == State.CLOSED) {
      // Gone, or TLS, which has its event.
      LOG.debug("CLUSTER: {}", whom(), cause);
      close();
    } else {
      LOG.error("CLUSTER: {}: internal error", whom(), cause);
      close();
    }
  }

  /** Where the other side is. */
  final String address() {
    return Addresses.text(ctx.channel().remoteAddress());
  }
}
