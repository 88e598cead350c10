package io.holdfast.broker.queue;

/**
 * How near a consumer is to the broker (contract §2, {@code topology-aware-consumption}); the
 * nearest first.
 */
enum Locality {
  ZONE,
  REGION,
  GLOBAL;

  static Locality of(Consumer client, Topology broker) {
    if (!broker.isAware()) {
      return GLOBAL;
    }
    if (!broker.zone().isEmpty() && broker.zone().equals(client.topologyZone())) {
      return ZONE;
    }
    return !broker.region().isEmpty() && broker.region().equals(client.topologyRegion())
        ? REGION
        : GLOBAL;
  }
}
