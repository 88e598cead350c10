package io.holdfast.broker.cluster.engine;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * One replicated group on this node: a log whose order all members agree on. Whatever engine
 * decides is behind it. Thread-safe.
 */
public interface ClusterGroup {
  /** Why a proposal is refused when others have to be through first. */
  String BUSY = "too much is under way";

  /** Why a proposal is refused while another node is to take over, which may not come of it. */
  String HANDING_OVER = "the leadership is being handed over";

  /** Whether what was refused for this reason may be taken a moment later, in the same term. */
  static boolean isForNow(String reason) {
    return reason.equals(BUSY) || reason.equals(HANDING_OVER);
  }

  /**
   * Opens log and vote and begins to take part. What is known to be committed is applied, perhaps
   * before this returns.
   *
   * @throws IOException when log, vote or snapshot are damaged or missing, in one line
   */
  void start() throws IOException;

  /**
   * Has an entry put into the log, in this very term or not at all. Never blocks, also when called
   * from the apply thread or under a topic's lock.
   *
   * @param term in which this node leads, see {@link GroupMember#startsLeading}
   * @param entry position to limit, which must not change until the proposal was told; not empty
   * @param proposal told once, on any thread, perhaps before this returns
   */
  void propose(long term, ByteBuffer entry, Proposal proposal);

  /** What is known now; never waits, and works in every state. */
  GroupStatus status();

  /**
   * Takes a snapshot and drops the log behind it; what came between the snapshot before and this
   * one may stay, for members that are a little behind.
   *
   * @return the index up to which it has everything; fails with the reason
   */
  CompletableFuture<Long> snapshot();

  /**
   * Hands the leadership over.
   *
   * @param node who is to lead
   * @return done when this node does not lead any more; fails with the reason, and then it leads
   */
  CompletableFuture<Void> handOver(String node);

  /**
   * Changes who belongs to the group. Only where this node leads.
   *
   * @param voters all of them, with their incarnations
   * @param learners who get the log and have no vote
   * @return done when the change is committed; fails with the reason
   */
  CompletableFuture<Void> changeMembers(List<GroupPeer> voters, List<GroupPeer> learners);

  /**
   * Makes this node the only member, because the majority is gone for good. What it does not have
   * is lost, and what it has counts as committed.
   *
   * @throws IOException when it does not work, in one line; while this node still counts as elected
   *     by those that are gone, it is to be tried again
   */
  void forceAlone() throws IOException;

  /** Takes no part any more; nothing is applied when it returned. */
  void stop();
}
