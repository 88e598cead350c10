/**
 * {@code holdfast-tools cluster}: how a cluster of brokers stands, and what is done to its nodes.
 */
package io.holdfast.tools.cluster;
