package io.holdfast.broker.cluster.lead;

/**
 * Which node leads here.
 *
 * @param group number of the group
 * @param clusterId 0..1023, part of each message id
 * @param node place of this node in {@code cluster_nodes}
 * @param start counts the starts of this node
 */
public record LeaderPlace(int group, int clusterId, int node, long start) {}
