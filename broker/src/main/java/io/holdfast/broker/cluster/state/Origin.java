package io.holdfast.broker.cluster.state;

/**
 * Who asked for a publish: the same command is never taken for another one.
 *
 * @param node its place in {@code cluster_nodes}, 0 or more
 * @param start counts the starts of that node
 * @param sequence counts the publishes of that start
 */
public record Origin(int node, long start, long sequence) {}
