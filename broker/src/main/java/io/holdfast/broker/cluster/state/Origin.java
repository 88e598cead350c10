package io.holdfast.broker.cluster.state;

import io.holdfast.broker.queue.PublishIdentity;

/**
 * Who asked for a publish: the same command is never taken for another one.
 *
 * @param node its place in {@code cluster_nodes}, 0 or more
 * @param start counts the starts of that node
 * @param sequence counts the publishes of that start that somebody waits for, from 1 in each group;
 *     below 0 those of a leader's own, as dead letters
 */
public record Origin(int node, long start, long sequence) implements PublishIdentity {}
