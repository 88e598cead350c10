package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.state.GroupPlace;
import io.holdfast.broker.cluster.state.ReplicatedTopic;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** The shared topics as this node has heard of them, and who leads them. Thread-safe. */
public final class KnownTopics {
  private final int groupCount;
  private final Supplier<List<NodeGroup>> groups;
  private final List<IntConsumer> leaderless = new CopyOnWriteArrayList<>();
  private final LeaderAbsence absence;

  /**
   * @param groups those on this node; empty before it takes part
   * @param changed told when other groups than before have a leader
   */
  KnownTopics(
      int groupCount, Supplier<List<NodeGroup>> groups, LongSupplier nanoTime, Runnable changed) {
    this.groupCount = groupCount;
    this.groups = groups;
    absence = new LeaderAbsence(groupCount, this::leader, nanoTime, leaderless, changed);
  }

  private String leader(int group) {
    List<NodeGroup> all = groups.get();
    return all.isEmpty() ? null : all.get(group).leader();
  }

  /** Looks who leads; now and then, one thread. */
  void look() {
    absence.look();
  }

  /** Whose a topic is, or would be. */
  public ClusterTopic.Place place(String topic) {
    int group = GroupPlace.groupOf(topic, groupCount);
    return new ClusterTopic.Place(group, leader(group));
  }

  /** The topic of a name; null when there is none. */
  public ClusterTopic topic(String name) {
    List<NodeGroup> all = groups.get();
    ClusterTopic.Place place = place(name);
    ReplicatedTopic topic = all.isEmpty() ? null : all.get(place.group()).topic(name);
    return topic == null ? null : ClusterTopic.of(topic, place);
  }

  /** All topics, in no order. */
  public List<ClusterTopic> all() {
    List<ClusterTopic> topics = new ArrayList<>();
    for (NodeGroup group : groups.get()) {
      ClusterTopic.Place place = new ClusterTopic.Place(group.group(), group.leader());
      group.topics().forEach(topic -> topics.add(ClusterTopic.of(topic, place)));
    }
    return topics;
  }

  /** Those of groups that have a leader, or had one less than ten seconds ago. */
  public List<ClusterTopic> present() {
    return all().stream().filter(topic -> absence.isPresent(topic.place().group())).toList();
  }

  /**
   * Has somebody told of each group that has had no leader for ten seconds.
   *
   * @param told the group's number; must not block
   */
  public void whenLeaderless(IntConsumer told) {
    leaderless.add(told);
  }
}
