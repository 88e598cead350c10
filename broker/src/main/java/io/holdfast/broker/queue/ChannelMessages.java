package io.holdfast.broker.queue;

import io.holdfast.storage.values.HeldMessage;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The unfinished messages of a channel that not only the backend has, wherever they are: ready,
 * deferred, in flight, dead. The channel's lock guards it.
 */
final class ChannelMessages implements Iterable<HeldMessage> {
  private final ReadyMessages ready;
  private final InFlightMessages inFlight;
  private final DeadLetters dead;
  private final Collection<Consumer> clients;
  private final ChannelSettings.Clock clock;

  ChannelMessages(
      ReadyMessages ready,
      InFlightMessages inFlight,
      DeadLetters dead,
      Collection<Consumer> clients,
      ChannelSettings.Clock clock) {
    this.ready = ready;
    this.inFlight = inFlight;
    this.dead = dead;
    this.clients = clients;
    this.clock = clock;
  }

  /** Shows each message that lives, which may then be changed. */
  void visit(Message.Visitor visitor) {
    ready.visit(visitor);
    inFlight.visit(clients, visitor);
  }

  /** Shows each dead letter, which may then be changed. */
  void visitDead(DeadLetters.Visitor visitor) {
    dead.visit(visitor);
  }

  /** The dead letters, as the ledger has them. */
  List<HeldMessage> dead() {
    return dead.held().toList();
  }

  /**
   * Every message with attempts, a due time or dead, each made when it is asked for: there can be
   * so many that all at once would not fit into memory.
   */
  @Override
  public Iterator<HeldMessage> iterator() {
    return Stream.of(ready.cameBack(), ready.deferred(), inFlight.held(clients), dead.held())
        .flatMap(held -> held)
        .iterator();
  }

  /**
   * The first messages of a kind: ready ones in the order of delivery, those in flight that were
   * delivered first, deferred ones that are due first, those dead longest. Changes nothing, reads
   * no disk.
   */
  List<Waiting> first(Waiting.State state, int max) {
    return switch (state) {
      case READY -> ready.firstReady(max);
      case DEFERRED -> ready.firstDeferred(max);
      case DEAD -> dead.first(max);
      case IN_FLIGHT -> InFlightMessages.first(clients, max, clock.nanos(), clock.wallMs());
    };
  }

  /** Whether consumers are at work, so that the files will be needed. */
  boolean areInUse() {
    return !clients.isEmpty() && inFlight.size() > 0;
  }

  /** Gives back what memory was kept for messages to come. */
  void trim() {
    ready.trim();
    inFlight.trim();
    dead.trim();
  }

  /** Drops all of them. */
  void clear() {
    clearLiving();
    dead.clear();
  }

  /** Drops all but the dead letters. */
  void clearLiving() {
    ready.clear();
    inFlight.clear(clients);
  }
}
