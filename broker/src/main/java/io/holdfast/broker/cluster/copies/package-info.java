/**
 * What a node's disk has lost, from another node: a leader whose journal is damaged asks for single
 * messages.
 */
package io.holdfast.broker.cluster.copies;
