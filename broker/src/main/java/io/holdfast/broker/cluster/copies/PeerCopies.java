package io.holdfast.broker.cluster.copies;

import io.holdfast.broker.cluster.lead.Copies;
import io.holdfast.broker.cluster.lead.OtherNodes;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.broker.cluster.peers.Reply;
import io.holdfast.broker.cluster.state.GroupState;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Messages from node to node, where one has lost them: asks the others, one after the other, and
 * answers them out of this node's journals. Thread-safe; blocks for nothing.
 */
public final class PeerCopies {
  /** Of requests between nodes. */
  public static final int TYPE = 6;

  private static final Logger LOG = LoggerFactory.getLogger(PeerCopies.class);
  private static final Duration TIMEOUT = Duration.ofSeconds(3);

  /** Requests of this node under way; so others have a few of these to answer at most. */
  private static final int MAX_ASKED = 16;

  private final Peers peers;
  private final IntFunction<GroupState> groups;
  private final Executor workers;
  private final Semaphore room = new Semaphore(MAX_ASKED);

  /**
   * @param peers not started yet: gets a handler
   * @param groups this node's, by number; null for one that does not run
   * @param workers read the disk
   */
  public PeerCopies(Peers peers, IntFunction<GroupState> groups, Executor workers) {
    this.peers = peers;
    this.groups = groups;
    this.workers = workers;
    peers.handle(TYPE, this::handle);
  }

  private void handle(String from, ByteBuf payload, Reply reply) {
    CopyRequest request;
    try {
      request = CopyRequest.read(payload);
    } catch (IllegalArgumentException e) {
      reply.refuse(e.getMessage());
      return;
    }
    try {
      workers.execute(() -> reply.send(answer(from, request).write()));
    } catch (RejectedExecutionException e) {
      LOG.debug("CLUSTER: stopping, {} is not answered", from, e);
      reply.send(CopyAnswer.UNKNOWN.write());
    }
  }

  private CopyAnswer answer(String from, CopyRequest request) {
    try {
      CopyAnswer answer = CopyReader.read(groups.apply(request.group()), request);
      LOG.debug("CLUSTER: {} asks for {}: {}", from, request, answer.kind());
      return answer;
    } catch (RuntimeException e) {
      LOG.error("CLUSTER: {} asks for {}", from, request, e);
      return CopyAnswer.UNKNOWN;
    }
  }

  /** Asks for messages of a group. */
  public OtherNodes ofGroup(int group) {
    return (topic, ordinal, max, told) -> {
      if (!room.tryAcquire()) {
        return false;
      }
      try {
        new Asking(new CopyRequest(group, topic, ordinal, max), told).begin();
        return true;
      } catch (RejectedExecutionException e) {
        LOG.debug("CLUSTER: stopping, nobody is asked", e);
        room.release();
        return false;
      }
    };
  }

  /** One request on its way. */
  private final class Asking {
    private final CopyRequest request;
    private final Consumer<Copies> told;
    private final List<String> nodes = peers.others();
    private boolean allLost = true;

    Asking(CopyRequest request, Consumer<Copies> told) {
      this.request = request;
      this.told = told;
    }

    /** Not in the caller's thread, who has locks. */
    void begin() {
      workers.execute(() -> ask(0));
    }

    private void ask(int place) {
      if (place == nodes.size()) {
        end(allLost ? Copies.ALL_LOST : Copies.UNKNOWN);
        return;
      }
      String node = nodes.get(place);
      peers
          .request(node, TYPE, request.write(), TIMEOUT)
          .whenComplete((bytes, failure) -> answered(place, answer(node, bytes, failure)));
    }

    private CopyAnswer answer(String node, ByteBuf bytes, Throwable failure) {
      if (failure != null) {
        LOG.debug("CLUSTER: {} does not answer to {}", node, request, failure);
        return CopyAnswer.UNKNOWN;
      }
      try {
        return CopyAnswer.read(bytes);
      } finally {
        bytes.release();
      }
    }

    private void answered(int place, CopyAnswer answer) {
      if (answer.kind() == CopyAnswer.Kind.HERE) {
        end(new Copies(answer.messages(), false));
        return;
      }
      allLost &= answer.kind() == CopyAnswer.Kind.LOST;
      ask(place + 1);
    }

    private void end(Copies copies) {
      room.release();
      told.accept(copies);
    }
  }
}
