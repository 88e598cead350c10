package io.holdfast.broker.queue;

/**
 * Where the broker is, for {@code topology-aware-consumption}.
 *
 * @param zone empty for not known
 * @param region empty for not known
 * @param isAware whether messages go to near consumers first
 */
public record Topology(String zone, String region, boolean isAware) {}
