package io.holdfast.broker.cluster.faults;

/** A message that came to a consumer, and what that did with it. */
final class Delivery {
  final String channel;
  final String key;
  final int number;
  final String id;
  final int attempts;
  final long consumer;
  final String node;
  final long atNs;

  /** When it was finished; 0 for not. */
  volatile long finNs;

  /** When the broker had certainly read that; 0 while that is not known. */
  volatile long finReadNs;

  /** Whether the broker said that it was not in flight. */
  volatile boolean finFailed;

  volatile boolean requeued;

  /** When its connection ended; 0 for not. */
  volatile long endNs;

  Delivery(
      String channel, String key, int number, String id, int attempts, long consumer, String node) {
    this.channel = channel;
    this.key = key;
    this.number = number;
    this.id = id;
    this.attempts = attempts;
    this.consumer = consumer;
    this.node = node;
    atNs = System.nanoTime();
  }

  /** Command and place in it. */
  String message() {
    return key + "/" + number;
  }

  String toString(long zeroNs) {
    return "%s %s: %s id %s attempt %d at %s consumer %d at %.3f%s%s%s%s"
        .formatted(
            "delivered",
            channel,
            message(),
            id,
            attempts,
            node,
            consumer,
            (atNs - zeroNs) / 1e9,
            finNs == 0 ? "" : " FIN at %.3f".formatted((finNs - zeroNs) / 1e9),
            finReadNs == 0 ? "" : " read by %.3f".formatted((finReadNs - zeroNs) / 1e9),
            finFailed ? " FIN failed" : "",
            requeued ? " requeued" : endNs == 0 ? "" : " closed");
  }
}
