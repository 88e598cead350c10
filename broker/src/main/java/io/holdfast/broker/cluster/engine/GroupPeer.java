package io.holdfast.broker.cluster.engine;

/**
 * A member of a group.
 *
 * @param node its name
 * @param host where its peers reach it
 * @param port where its peers reach it
 * @param incarnation from 0; one higher for each disk it lost, so that it is another member then
 */
public record GroupPeer(String node, String host, int port, int incarnation) {}
