/**
 * A node as part of a cluster of three: its configuration ({@link
 * io.holdfast.broker.cluster.ClusterConfig}), what its data directory may be started as ({@link
 * io.holdfast.broker.cluster.ClusterDirectory}), how three empty ones become a cluster ({@link
 * io.holdfast.broker.cluster.Forming}), and what the nodes know of each other ({@link
 * io.holdfast.broker.cluster.Membership}, {@link io.holdfast.broker.cluster.NodeStatuses}).
 */
package io.holdfast.broker.cluster;
