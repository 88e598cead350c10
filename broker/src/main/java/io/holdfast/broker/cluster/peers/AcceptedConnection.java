package io.holdfast.broker.cluster.peers;

import io.holdfast.broker.cluster.peers.PeerFrame.Kind;
import io.holdfast.broker.cluster.peers.PeerFrameDecoder.BadFrameException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection on which another node asks: hands its requests to their handlers, and the answers
 * back. Reads nothing while many are under way, or while the other side does not take its answers.
 * Owned by its event loop.
 */
final class AcceptedConnection extends PeerConnection {
  private static final Logger LOG = LoggerFactory.getLogger(Peers.class);

  /** Requests that may be under way. */
  static final int MAX_UNDER_WAY = 10_000;

  /** How many times longer than silence an answer may lie about untaken. */
  private static final int PATIENCE = 3;

  private static final Reply NO_REPLY =
      new Reply() {
        @Override
        public void send(ByteBuf payload) {
          payload.release();
        }

        @Override
        public void refuse(String reason) {
          LOG.debug("CLUSTER: refused what wants no answer: {}", reason);
        }
      };

  private final AcceptedConnections all;
  private int underWay;
  private long underWayBytes;
  private long unwritableSinceNs;
  private boolean hasEnded;

  AcceptedConnection(PeersShared shared, AcceptedConnections all) {
    super(shared);
    this.all = all;
  }

  @Override
  String expected() {
    return node();
  }

  @Override
  void connected() {
    // The other side begins.
  }

  @Override
  String whom() {
    return (node() == null ? "connection" : node()) + " from " + address();
  }

  @Override
  String wrongIdentity(Handshake said) {
    return wrongCertificate(said.node());
  }

  @Override
  void accepted(Handshake said) {
    sendHandshake();
    all.ready(said.node(), this);
  }

  @Override
  void ready(PeerFrame frame) throws BadFrameException {
    try {
      boolean wantsReply = frame.kind() == Kind.REQUEST;
      if (!wantsReply && frame.kind() != Kind.ONE_WAY) {
        throw new BadFrameException("a frame of kind " + frame.kind() + " instead of a request");
      }
      RequestHandler handler = shared.handler(frame.type());
      if (handler == null) {
        throw new BadFrameException("a request of the unknown type " + frame.type());
      }
      handle(handler, frame, wantsReply ? new Answer(frame) : NO_REPLY);
    } finally {
      frame.payload().release();
    }
    readOrPause();
  }

  private void handle(RequestHandler handler, PeerFrame frame, Reply reply) {
    try {
      handler.handle(node(), frame.payload(), reply);
    } catch (RuntimeException e) {
      LOG.error("CLUSTER: internal error at a request of {}, type {}", node(), frame.type(), e);
      reply.refuse("internal error: " + e);
    }
  }

  private final class Answer implements Reply {
    private final int type;
    private final int id;
    private final int requestBytes;
    private final AtomicBoolean given = new AtomicBoolean();

    Answer(PeerFrame request) {
      type = request.type();
      id = request.id();
      requestBytes = request.payload().readableBytes();
      underWay++;
      underWayBytes += requestBytes;
    }

    @Override
    public void send(ByteBuf payload) {
      int most = shared.config().maxFrameBytes() - PeerFrame.HEAD_BYTES;
      if (payload.readableBytes() > most) {
        String reason = "the answer has " + payload.readableBytes() + " bytes, at most " + most;
        payload.release();
        refuse(reason);
        return;
      }
      give(Kind.RESPONSE, payload);
    }

    @Override
    public void refuse(String reason) {
      give(Kind.ERROR, Unpooled.copiedBuffer(reason, StandardCharsets.UTF_8));
    }

    private void give(Kind kind, ByteBuf payload) {
      if (!given.compareAndSet(false, true)) {
        payload.release();
        return;
      }
      onLoop(ctx().executor(), payload, () -> answer(kind, payload));
    }

    private void answer(Kind kind, ByteBuf payload) {
      underWay--;
      underWayBytes -= requestBytes;
      if (hasEnded) {
        payload.release();
        return;
      }
      write(kind, type, id, payload);
      readOrPause();
    }
  }

  @Override
  boolean isPaused() {
    return underWay >= MAX_UNDER_WAY
        || underWayBytes >= shared.config().maxQueuedBytes()
        || !ctx().channel().isWritable();
  }

  @Override
  boolean isStuck() {
    return !ctx().channel().isWritable()
        && System.nanoTime() - unwritableSinceNs > PATIENCE * shared.times().silence().toNanos();
  }

  private void readOrPause() {
    ctx().channel().config().setAutoRead(!isPaused());
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext unused) {
    unwritableSinceNs = System.nanoTime();
    readOrPause();
  }

  @Override
  void ended() {
    hasEnded = true;
  }
}
