package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.lead.LeaderListener;
import io.holdfast.broker.queue.Topic;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Passes on what the leader's side of a group says. Any thread; does not block. */
final class GroupNews implements LeaderListener {
  /** Messages can be lost by the thousand: one is spoken of in so long. */
  private static final long UNREADABLE_NS = TimeUnit.SECONDS.toNanos(10);

  private final int group;
  private final GroupPart part;
  private final GroupCounts counts;
  private final DamagedLeader damaged;
  private final LeaderListener listener;
  private final AtomicLong saidNs = new AtomicLong(System.nanoTime() - UNREADABLE_NS);

  /**
   * @param group its number
   * @param part whose forwarder and relays are told who leads
   * @param damaged told of messages that only another leader may have
   * @param listener told of topics
   */
  GroupNews(
      int group,
      GroupPart part,
      GroupCounts counts,
      DamagedLeader damaged,
      LeaderListener listener) {
    this.group = group;
    this.part = part;
    this.counts = counts;
    this.damaged = damaged;
    this.listener = listener;
  }

  @Override
  public void leaderIs(String node, long term) {
    part.forwarder().leaderIs(group, node, term);
    part.relays().leaderIs(group, node, term);
    if (node != null) {
      counts.leaderIs(term);
    }
  }

  @Override
  public void led(Topic topic) {
    listener.led(topic);
  }

  @Override
  public void withdrawn(Topic topic) {
    listener.withdrawn(topic);
  }

  @Override
  public void unreadable(String topic, long ordinal, boolean allLost) {
    if (!allLost) {
      damaged.unreadable();
    }
    long nowNs = System.nanoTime();
    long before = saidNs.get();
    if (nowNs - before >= UNREADABLE_NS && saidNs.compareAndSet(before, nowNs)) {
      listener.unreadable(topic, ordinal, allLost);
    }
  }
}
