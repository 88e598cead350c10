/**
 * {@code bench peers}: Holdfast beside other brokers, each by its own protocol, over the same
 * workloads. One load generator for all: a {@link io.holdfast.tools.bench.peers.Protocol} for each
 * protocol, one event loop that drives them, and bodies that are checked when they arrive. Each run
 * has a fresh server in a fresh directory. Linux only.
 */
package io.holdfast.tools.bench.peers;
