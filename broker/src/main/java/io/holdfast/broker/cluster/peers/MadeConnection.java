package io.holdfast.broker.cluster.peers;

import io.holdfast.broker.cluster.peers.PeerException.Kind;
import io.holdfast.broker.cluster.peers.PeerFrameDecoder.BadFrameException;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * A connection that this node made, for its requests to another one: knows which of them wait for
 * an answer. Owned by its event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // What cannot be written ends with the connection.
final class MadeConnection extends PeerConnection {
  private final PeerLink link;
  private final Map<Integer, Waiting> waiting = new HashMap<>();
  private int lastId;
  private boolean wasReady;

  private record Waiting(CompletableFuture<ByteBuf> answer, Future<?> timeout) {}

  MadeConnection(PeersShared shared, PeerLink link) {
    super(shared);
    this.link = link;
  }

  @Override
  String whom() {
    return link.node() + " at " + link.address();
  }

  @Override
  String expected() {
    return link.node();
  }

  @Override
  void connected() {
    String wrong = wrongCertificate(link.node());
    if (wrong == null) {
      sendHandshake();
    } else {
      refuse(null, wrong);
    }
  }

  @Override
  String wrongIdentity(Handshake said) {
    return said.node().equals(link.node()) ? null : "it says that it is " + said.node();
  }

  @Override
  void accepted(Handshake said) {
    wasReady = true;
    link.ready(this);
  }

  /** How many requests wait for an answer. */
  int waiting() {
    return waiting.size();
  }

  /**
   * Sends a request.
   *
   * @param payload released, always
   * @param written told when the payload takes no room here any more
   */
  void request(
      int type,
      ByteBuf payload,
      long timeoutNs,
      CompletableFuture<ByteBuf> answer,
      Runnable written) {
    int id = ++lastId;
    Future<?> timeout =
        ctx().executor().schedule(() -> timeOut(id), timeoutNs, TimeUnit.NANOSECONDS);
    waiting.put(id, new Waiting(answer, timeout));
    write(PeerFrame.Kind.REQUEST, type, id, payload).addListener(done -> written.run());
  }

  /** Sends what wants no answer; as {@link #request}. */
  void send(int type, ByteBuf payload, CompletableFuture<Void> sent, Runnable written) {
    write(PeerFrame.Kind.ONE_WAY, type, 0, payload)
        .addListener(
            done -> {
              written.run();
              if (done.isSuccess()) {
                sent.complete(null);
              } else {
                sent.completeExceptionally(lost());
              }
            });
  }

  @Override
  void ready(PeerFrame frame) throws BadFrameException {
    ByteBuf payload = frame.payload();
    boolean handedOn = false;
    try {
      if (frame.kind() != PeerFrame.Kind.RESPONSE && frame.kind() != PeerFrame.Kind.ERROR) {
        throw new BadFrameException("a frame of kind " + frame.kind() + " instead of an answer");
      }
      Waiting asked = waiting.remove(frame.id());
      if (asked == null) {
        return; // It came too late.
      }
      asked.timeout().cancel(false);
      if (frame.kind() == PeerFrame.Kind.RESPONSE) {
        handedOn = asked.answer().complete(payload);
      } else {
        asked
            .answer()
            .completeExceptionally(
                new PeerException(Kind.REFUSED, payload.toString(StandardCharsets.UTF_8)));
      }
    } finally {
      if (!handedOn) {
        payload.release();
      }
    }
  }

  private void timeOut(int id) {
    Waiting asked = waiting.remove(id);
    if (asked != null) {
      asked
          .answer()
          .completeExceptionally(
              new PeerException(Kind.TIMEOUT, "no answer from " + link.node() + " in time"));
    }
  }

  private PeerException lost() {
    return new PeerException(Kind.LOST, "the connection to " + link.node() + " was lost");
  }

  @Override
  void ended() {
    link.ended(this, wasReady);
    PeerException lost = lost();
    for (Waiting asked : waiting.values()) {
      asked.timeout().cancel(false);
    }
    // What is told may ask again, of this connection's successor.
    waiting.values().forEach(asked -> asked.answer().completeExceptionally(lost));
    waiting.clear();
  }
}
