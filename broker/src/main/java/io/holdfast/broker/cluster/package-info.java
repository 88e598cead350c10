/**
 * A node as part of a cluster of three: its configuration ({@link
 * io.holdfast.broker.cluster.ClusterConfig}), what its data directory may be started as ({@link
 * io.holdfast.broker.cluster.ClusterDirectory}), and how three empty ones become a cluster ({@link
 * io.holdfast.broker.cluster.Forming}).
 */
package io.holdfast.broker.cluster;
