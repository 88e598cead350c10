package io.holdfast.broker.cluster.forward;

import io.holdfast.broker.cluster.peers.PeerException;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.broker.cluster.peers.Reply;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/** The way to the leaders over the peers' connections, or to this node; takes what others send. */
public final class PeersLeaderLink implements LeaderLink {
  /** Of requests. */
  public static final int TYPE = 4;

  /** Longer than anybody waits who publishes. */
  private static final Duration TIMEOUT = Duration.ofMillis(2 * GroupPublishes.MAX_WAIT_MS);

  private final Peers peers;
  private final String self;
  private final List<String> names;
  private final PublishIntake intake;

  /**
   * @param peers not started yet: gets a handler
   * @param groups the leader's side of each, by number
   */
  public PeersLeaderLink(
      Peers peers, ForwardPlace place, List<LedTopics> groups, PublishRefusals refusals) {
    this.peers = peers;
    self = place.node();
    names = place.names();
    intake = new PublishIntake(groups, names.size(), refusals);
    peers.handle(TYPE, this::handle);
  }

  private void handle(String from, ByteBuf payload, Reply reply) {
    ForwardRequest request;
    try {
      request = ForwardRequest.read(payload);
    } catch (IllegalArgumentException e) {
      reply.refuse(e.getMessage());
      return;
    }
    intake.handle(names.indexOf(from), request, answer -> reply.send(answer.write()));
  }

  @Override
  public void ask(String node, ForwardRequest request, Consumer<ForwardAnswer> told) {
    if (node.equals(self)) {
      intake.handle(names.indexOf(self), request, told);
      return;
    }
    peers
        .request(node, TYPE, request.write(), TIMEOUT)
        .whenComplete((answer, failure) -> told.accept(answer(answer, failure)));
  }

  private static ForwardAnswer answer(ByteBuf answer, Throwable failure) {
    if (failure == null) {
      try {
        return ForwardAnswer.read(answer);
      } finally {
        answer.release();
      }
    }
    boolean isCertain =
        failure instanceof PeerException known
            && (known.kind() == PeerException.Kind.UNREACHABLE
                || known.kind() == PeerException.Kind.REFUSED);
    return isCertain ? ForwardAnswer.later("") : ForwardAnswer.lost();
  }
}
