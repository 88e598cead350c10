package io.holdfast.broker.stats;

import java.util.Collection;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The open TCP connections that ever published, for /stats. Any thread. */
public final class Producers {
  private final Set<ClientFigures> open = ConcurrentHashMap.newKeySet();

  /** A connection publishes; one that is known already is counted once. */
  public void add(ClientFigures producer) {
    open.add(producer);
  }

  /** A connection has ended, whether it ever published or not. */
  public void remove(ClientFigures producer) {
    open.remove(producer);
  }

  /** The connections; a live view. */
  public Collection<ClientFigures> open() {
    return open;
  }
}
