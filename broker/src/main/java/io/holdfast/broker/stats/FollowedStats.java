package io.holdfast.broker.stats;

import io.holdfast.broker.cluster.ClusterTopic;
import io.holdfast.broker.core.BrokerCluster;
import io.holdfast.broker.meters.E2eLatency;
import io.holdfast.broker.stats.StatsSnapshot.BoundStats;
import io.holdfast.broker.stats.StatsSnapshot.ChannelStats;
import io.holdfast.broker.stats.StatsSnapshot.DeadStats;
import io.holdfast.broker.stats.StatsSnapshot.TopicStats;
import java.util.List;

/**
 * What /stats says of topics that another broker leads: they are there, and all figures are with
 * the leader, so that sums over all brokers are right.
 *
 * @param topics in no order
 */
record FollowedStats(List<ClusterTopic> topics) {
  /**
   * Those of a broker.
   *
   * @param cluster null for none
   * @param topicFilter only this one; empty for all
   */
  static FollowedStats of(BrokerCluster cluster, String topicFilter) {
    if (cluster == null) {
      return new FollowedStats(List.of());
    }
    if (topicFilter.isEmpty()) {
      return new FollowedStats(cluster.followed());
    }
    ClusterTopic topic = cluster.followed(topicFilter);
    return new FollowedStats(topic == null ? List.of() : List.of(topic));
  }

  boolean isEmpty() {
    return topics.isEmpty();
  }

  /**
   * Adds them.
   *
   * @param channelFilter only channels of this name, and topics that have one; empty for all
   */
  void addTo(List<TopicStats> stats, String channelFilter, boolean includeClients) {
    for (ClusterTopic topic : topics) {
      List<ChannelStats> channels =
          topic.channels().stream()
              .filter(channel -> channelFilter.isEmpty() || channel.name().equals(channelFilter))
              .map(channel -> channel(channel, includeClients))
              .toList();
      if (channelFilter.isEmpty() || !channels.isEmpty()) {
        stats.add(
            new TopicStats(
                topic.name(),
                channels,
                0,
                0,
                0,
                0,
                BoundStats.NONE,
                topic.isPaused(),
                E2eLatency.NONE,
                ReplicaStats.of(topic)));
      }
    }
  }

  private static ChannelStats channel(ClusterTopic.Channel channel, boolean includeClients) {
    return new ChannelStats(
        channel.name(),
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        DeadStats.NONE,
        0,
        includeClients ? List.of() : null,
        channel.isPaused(),
        E2eLatency.NONE);
  }
}
