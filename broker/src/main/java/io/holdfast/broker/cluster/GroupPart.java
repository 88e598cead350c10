package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.engine.GroupFiles;
import io.holdfast.broker.cluster.engine.GroupPeer;
import io.holdfast.broker.cluster.forward.PublishForwarder;
import io.holdfast.broker.cluster.relay.Relays;
import java.util.List;

/**
 * How a node takes part in a group.
 *
 * @param self this node
 * @param initial the first members of a group that was made with the cluster; empty for a node that
 *     came later
 * @param files where log and vote are
 * @param forwarder told who leads, and what is applied
 * @param relays told who leads
 */
record GroupPart(
    GroupPeer self,
    List<GroupPeer> initial,
    GroupFiles files,
    PublishForwarder forwarder,
    Relays relays) {}
