package io.holdfast.broker.cluster.engine;

import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.core.NodeImpl;
import com.alipay.sofa.jraft.core.State;
import com.alipay.sofa.jraft.entity.PeerId;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The handovers of a group that are under way: JRaft does not say what becomes of them, so whoever
 * watches the node asks now and then. Thread-safe (own monitor).
 */
final class JraftHandovers {
  @GuardedBy("this")
  private final List<Handover> underWay = new ArrayList<>();

  private record Handover(long term, CompletableFuture<Void> asked) {}

  /**
   * Begins one.
   *
   * @param term in which the node leads
   * @return done when it does not any more; fails with the reason, and then it leads
   */
  CompletableFuture<Void> begin(NodeImpl node, long term, PeerId to) {
    Handover handover = new Handover(term, new CompletableFuture<>());
    Status status;
    synchronized (this) {
      status = node.transferLeadershipTo(to);
      if (status.isOk()) {
        underWay.add(handover);
      }
    }
    if (!status.isOk()) {
      handover.asked().completeExceptionally(new IOException(status.getErrorMsg()));
    }
    return handover.asked();
  }

  /**
   * Tells those that are over.
   *
   * @param term the newest that the node knows
   */
  void settle(NodeImpl node, JraftMachine machine, long term) {
    List<Handover> over = new ArrayList<>();
    State state;
    synchronized (this) {
      state = node.getNodeState();
      if (state == State.STATE_TRANSFERRING
          || (state == State.STATE_LEADER && machine.isHandingOver())) {
        // Under way; or it failed, and the state machine is to hear of it first.
        return;
      }
      over.addAll(underWay);
      underWay.clear();
    }
    for (Handover handover : over) {
      if (state == State.STATE_LEADER && term == handover.term()) {
        handover
            .asked()
            .completeExceptionally(new IOException("the other node did not take over in time"));
      } else {
        handover.asked().complete(null);
      }
    }
  }

  /** The group has stopped here. */
  synchronized void end() {
    underWay.forEach(handover -> handover.asked().complete(null));
    underWay.clear();
  }
}
