package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.state.ReplicatedTopic;
import java.util.List;

/**
 * A shared topic as every node knows it.
 *
 * @param place whose it is
 * @param channels those that last, by name
 * @param journalBytes that its journal takes on this node's disk
 * @param journalFiles files of the journal
 */
public record ClusterTopic(
    String name,
    Place place,
    boolean isPaused,
    List<Channel> channels,
    long journalBytes,
    int journalFiles) {
  /**
   * Whose a topic is.
   *
   * @param leader of its group; null when none is known
   */
  public record Place(int group, String leader) {}

  /** One of its channels. */
  public record Channel(String name, boolean isPaused) {}

  static ClusterTopic of(ReplicatedTopic topic, Place place) {
    return new ClusterTopic(
        topic.name(),
        place,
        topic.isPaused(),
        topic.channels().stream()
            .map(channel -> new Channel(channel.name(), channel.isPaused()))
            .toList(),
        topic.journal().diskBytes(),
        topic.journal().diskFiles());
  }

  /** Whether it has a channel of a name. */
  public boolean hasChannel(String channel) {
    return channels.stream().anyMatch(there -> there.name().equals(channel));
  }
}
