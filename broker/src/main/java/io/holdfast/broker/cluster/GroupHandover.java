package io.holdfast.broker.cluster;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.broker.cluster.engine.ClusterGroup;
import io.holdfast.broker.cluster.lead.LeaderTopics;
import io.holdfast.broker.config.Logging;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hands a group over in good order: first nothing more is delivered, and what is in flight gets a
 * moment; when all that became of messages is in the log, the other node is asked. One at a time:
 * who asks meanwhile is told of that one. Thread-safe.
 */
final class GroupHandover {
  private static final Logger LOG = LoggerFactory.getLogger(GroupHandover.class);

  /** For what is in flight: all of a handover is to take a second. */
  private static final long ANSWERS_MS = 500;

  private final int number;

  @GuardedBy("this")
  private CompletableFuture<Void> underWay = CompletableFuture.completedFuture(null);

  /**
   * @param number the group's
   */
  GroupHandover(int number) {
    this.number = number;
  }

  /**
   * Begins, unless one is under way.
   *
   * @return done when this node does not lead any more; fails with the reason, and then it leads
   *     and delivers
   */
  synchronized CompletableFuture<Void> begin(LeaderTopics topics, ClusterGroup group, String to) {
    if (underWay.isDone()) {
      LOG.info(Logging.NOTED, "CLUSTER: group {}: handing over to {}", number, to);
      underWay =
          topics
              .quiesce(ANSWERS_MS)
              .thenCompose(done -> group.handOver(to))
              .whenComplete((done, failure) -> topics.resume());
    }
    return underWay;
  }
}
