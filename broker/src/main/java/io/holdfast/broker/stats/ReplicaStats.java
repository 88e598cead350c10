package io.holdfast.broker.stats;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.holdfast.broker.cluster.ClusterTopic;
import io.holdfast.broker.core.BrokerCluster;
import io.holdfast.broker.queue.Topic;

/**
 * That several brokers share a topic, as /stats and /list show it.
 *
 * @param replicated always true
 * @param leader the node that has its figures; null when none is known
 */
public record ReplicaStats(
    @JsonProperty("replicated") boolean replicated,
    @JsonProperty("group") int group,
    @JsonProperty("leader") @JsonInclude(JsonInclude.Include.ALWAYS) String leader) {

  /** Of a topic that another broker leads. */
  public static ReplicaStats of(ClusterTopic topic) {
    return of(topic.place());
  }

  /**
   * Of a topic of this broker.
   *
   * @param cluster null for none
   * @return null for one that is nobody else's
   */
  public static ReplicaStats of(Topic topic, BrokerCluster cluster) {
    return cluster != null && topic.isShared() ? of(cluster.known().place(topic.name())) : null;
  }

  private static ReplicaStats of(ClusterTopic.Place place) {
    return new ReplicaStats(true, place.group(), place.leader());
  }
}
