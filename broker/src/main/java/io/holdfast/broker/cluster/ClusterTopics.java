package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.admin.LeaderFinder;
import io.holdfast.broker.cluster.state.GroupPlace;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.NoLeaderException;
import io.holdfast.broker.queue.ServedElsewhereException;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.queue.TopicLeaders;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** Finds the group of a topic, and waits for its leader. Thread-safe. */
final class ClusterTopics implements TopicLeaders, LeaderFinder {
  /** Why nothing is done at a node that waits to be taken in. */
  static final String NO_MEMBER = "this node is not a member of the cluster";

  /** How long a client waits for a leader. */
  private static final long MAX_WAIT_MS = 5000;

  private static final long LOOK_MS = 20;

  private final String self;
  private final int groupCount;
  private final BooleanSupplier outside;
  private final Supplier<List<NodeGroup>> groups;
  private final UnaryOperator<String> addressOf;
  private final ScheduledExecutorService timer;

  /**
   * @param self this node's name
   * @param outside whether this node has no part in the cluster
   * @param groups those on this node; empty before it takes part
   * @param addressOf where clients of a node connect; null when that is not known
   */
  ClusterTopics(
      String self,
      int groupCount,
      BooleanSupplier outside,
      Supplier<List<NodeGroup>> groups,
      UnaryOperator<String> addressOf,
      ScheduledExecutorService timer) {
    this.self = self;
    this.groupCount = groupCount;
    this.outside = outside;
    this.groups = groups;
    this.addressOf = addressOf;
    this.timer = timer;
  }

  /** The group of a topic; null while this node takes part in none. */
  NodeGroup group(String topic) {
    List<NodeGroup> all = groups.get();
    return all.isEmpty() ? null : all.get(GroupPlace.groupOf(topic, groupCount));
  }

  @Override
  public CompletableFuture<Void> ledHere(String topic) {
    long untilNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(MAX_WAIT_MS);
    return leaderOf(topic, untilNs)
        .thenCompose(
            leader ->
                leader.equals(self)
                    ? CompletableFuture.completedFuture(null)
                    : CompletableFuture.failedFuture(
                        new ServedElsewhereException(topic, leader, addressOf.apply(leader))));
  }

  @Override
  public CompletableFuture<String> leaderOf(String topic, long untilNs) {
    CompletableFuture<String> told = new CompletableFuture<>();
    look(topic, untilNs, told);
    return told;
  }

  private void look(String topic, long untilNs, CompletableFuture<String> told) {
    try {
      String leader = leaderNow(topic);
      if (leader != null) {
        told.complete(leader);
      } else if (System.nanoTime() - untilNs >= 0) {
        told.completeExceptionally(noLeader(topic));
      } else {
        timer.schedule(() -> look(topic, untilNs, told), LOOK_MS, TimeUnit.MILLISECONDS);
      }
    } catch (RejectedExecutionException e) {
      told.completeExceptionally(new BrokerException("exiting", e));
    } catch (BrokerException | RuntimeException e) {
      told.completeExceptionally(e);
    }
  }

  /** Who leads it, this node only when it answers; null while that is not known. */
  private String leaderNow(String topic) throws BrokerException {
    if (outside.getAsBoolean()) {
      throw new NoLeaderException(NO_MEMBER);
    }
    NodeGroup group = group(topic);
    if (group == null) {
      return null;
    }
    if (group.isServing()) {
      return self;
    }
    String leader = group.leader();
    return self.equals(leader) ? null : leader;
  }

  @Override
  public long servingTerm(String topic) {
    NodeGroup group = group(topic);
    return group == null ? 0 : group.servingTerm();
  }

  private static BrokerException noLeader(String topic) {
    return new NoLeaderException("no leader for topic " + topic);
  }

  @Override
  public Topic create(String topic) throws BrokerException {
    NodeGroup group = group(topic);
    if (group == null) {
      throw noLeader(topic);
    }
    return group.create(topic);
  }
}
