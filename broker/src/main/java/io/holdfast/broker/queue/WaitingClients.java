package io.holdfast.broker.queue;

import java.util.ArrayDeque;

/**
 * The consumers of a channel that found nothing and want to be woken. Each message that becomes
 * ready wakes one, and who is woken passes it on while there is more, so that a thousand idle
 * consumers cost no more than one. The channel's lock guards it.
 */
final class WaitingClients {
  private final Topology topology;
  private final ArrayDeque<Consumer> clients = new ArrayDeque<>(0);

  WaitingClients(Topology topology) {
    this.topology = topology;
  }

  void add(Consumer client) {
    if (!client.isWaiting()) {
      client.setWaiting(true);
      clients.add(client);
    }
  }

  void remove(Consumer client) {
    if (client.isWaiting()) {
      client.setWaiting(false);
      clients.remove(client);
    }
  }

  /** The client that waits when it is the only one, which stays; otherwise null. */
  Consumer only() {
    return clients.size() == 1 ? clients.peek() : null;
  }

  /**
   * Takes out the client that has waited longest, of the nearest ones where that makes a
   * difference.
   *
   * @return null when none waits
   */
  Consumer poll() {
    Consumer next = clients.peek();
    if (next == null) {
      return null;
    }
    if (topology.isAware()) {
      for (Consumer client : clients) {
        if (Locality.of(client, topology).compareTo(Locality.of(next, topology)) < 0) {
          next = client;
        }
      }
    }
    remove(next);
    return next;
  }
}
