package io.holdfast.broker.queue;

import io.holdfast.broker.limits.MemoryPart;
import io.holdfast.broker.limits.MemoryShare;
import io.holdfast.storage.values.HeldMessage;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The messages of a channel that are with consumers: by ordinal, to find what a client answers, and
 * by client and deadline. The channel's lock guards it.
 */
final class InFlightMessages {
  /** What a message takes of the heap, its body being in the journal. */
  private static final int MESSAGE_BYTES = 128;

  private final InFlightTable byOrdinal = new InFlightTable();
  private final long maxMsgTimeoutNs;
  private final MemoryShare share;

  /**
   * @param part of all messages in flight
   */
  InFlightMessages(long maxMsgTimeoutNs, MemoryPart part) {
    this.maxMsgTimeoutNs = maxMsgTimeoutNs;
    share = new MemoryShare(part);
  }

  /**
   * Makes room for a message, which is to be {@link #start}ed or {@link #unreserve}d. Each client
   * may have one also where there is none, so that all can go on.
   */
  boolean reserve(Consumer client) {
    if (share.tryTake(MESSAGE_BYTES)) {
      return true;
    }
    if (client.inFlight().size() > 0) {
      return false;
    }
    share.take(MESSAGE_BYTES);
    return true;
  }

  /** There was no message. */
  void unreserve() {
    share.give(MESSAGE_BYTES);
  }

  /** Gives back what memory it has kept for messages to come. */
  void trim() {
    share.trim();
  }

  /**
   * Before the frame goes out: whatever happens to the connection, the message has an owner.
   *
   * @param timeoutNs how long it may stay
   */
  void start(Message message, Consumer client, long nowNs, long timeoutNs) {
    message.client = client;
    message.deliveryNs = nowNs;
    message.deadlineNs = nowNs + timeoutNs;
    byOrdinal.add(message);
    client.inFlight().add(message);
  }

  /** The message in flight of this ordinal, or null. */
  Message get(long ordinal) {
    return byOrdinal.get(ordinal);
  }

  /** Whether a client may answer for a message, which is null when it is not in flight. */
  static Outcome check(Message message, Consumer client) {
    if (message == null) {
      return Outcome.NOT_IN_FLIGHT;
    }
    return message.client == client ? Outcome.OK : Outcome.NOT_OWNER;
  }

  /** Takes a message out. */
  void pop(Message message) {
    byOrdinal.remove(message);
    message.client.inFlight().remove(message);
    message.client = null;
    share.give(MESSAGE_BYTES);
  }

  /** The message of a client whose time is over first; null for none. */
  Message firstTimedOut(Consumer client, long nowNs) {
    Message first = client.inFlight().first();
    return first != null && first.deadlineNs - nowNs <= 0 ? first : null;
  }

  /**
   * Begins the timeout anew, up to max-msg-timeout after the delivery.
   *
   * @param timeoutNs how long the message may stay from now on
   */
  void touch(Message message, long nowNs, long timeoutNs) {
    Consumer client = message.client;
    client.inFlight().remove(message);
    long wantedNs = nowNs + timeoutNs;
    long latestNs = message.deliveryNs + maxMsgTimeoutNs;
    message.deadlineNs = wantedNs - latestNs < 0 ? wantedNs : latestNs;
    client.inFlight().add(message);
  }

  /** The earliest deadline of these clients, or a later time that is given. */
  long firstDeadlineNs(Collection<Consumer> clients, long otherwiseNs) {
    long first = otherwiseNs;
    for (Consumer client : clients) {
      Message message = client.inFlight().first();
      if (message != null && message.deadlineNs - first < 0) {
        first = message.deadlineNs;
      }
    }
    return first;
  }

  /** Shows all of these clients' messages as they would be delivered again. */
  void visit(Collection<Consumer> clients, Message.Visitor visitor) {
    for (Consumer client : clients) {
      for (Message m = client.inFlight().first(); m != null; m = m.next) {
        visitor.visit(m, 0);
      }
    }
  }

  /** All of these clients' messages as they would be delivered again. */
  Stream<HeldMessage> held(Collection<Consumer> clients) {
    return clients.stream()
        .flatMap(client -> Stream.iterate(client.inFlight().first(), m -> m != null, m -> m.next))
        .map(message -> new HeldMessage(message, 0));
  }

  /**
   * The messages of these clients that were delivered first.
   *
   * @param nowMs since 1970
   */
  static List<Waiting> first(Collection<Consumer> clients, int max, long nowNs, long nowMs) {
    FirstFew<Waiting> first = new FirstFew<>(max);
    for (Consumer client : clients) {
      for (Message m = client.inFlight().first(); m != null; m = m.next) {
        long agoNs = m.deliveryNs - nowNs;
        if (first.takes(agoNs)) {
          long leftMs = TimeUnit.NANOSECONDS.toMillis(m.deadlineNs - nowNs);
          first.add(agoNs, Waiting.of(m, nowMs + leftMs));
        }
      }
    }
    return first.inOrder();
  }

  int size() {
    return byOrdinal.size();
  }

  void clear(Collection<Consumer> clients) {
    byOrdinal.clear();
    share.giveAll();
    clients.forEach(client -> client.inFlight().clear());
  }
}
