package io.holdfast.broker.cluster.state;

import io.holdfast.storage.ledger.FinishedSet;
import io.holdfast.storage.values.CarriedMessage;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.function.LongPredicate;

/**
 * The messages of a topic that were carried forward in its journal: which they are is part of the
 * state, where the copies stand is this node's own. Bounded. The topic's lock guards it.
 */
final class CarriedMessages {
  /** The most that a topic has. */
  static final int MAX = 1 << 16;

  private final TreeMap<Long, CarriedMessage> byOrdinal = new TreeMap<>();

  /** Whether some may be finished by everybody since they were last looked through. */
  private boolean mayBeOver;

  /** What a snapshot says. */
  void restore(Collection<CarriedMessage> carried) {
    carried.forEach(message -> byOrdinal.put(message.ordinal(), message));
    mayBeOver = true;
  }

  /** Whether there is room for a message. */
  boolean mayPut(long ordinal) {
    return byOrdinal.size() < MAX || byOrdinal.containsKey(ordinal);
  }

  /** A message has a copy, or another one. */
  void put(CarriedMessage message) {
    byOrdinal.put(message.ordinal(), message);
  }

  /** The copy of a message, null when there is none. */
  CarriedMessage get(long ordinal) {
    return byOrdinal.get(ordinal);
  }

  int size() {
    return byOrdinal.size();
  }

  /** By ordinal; a live view. */
  Collection<CarriedMessage> all() {
    return Collections.unmodifiableCollection(byOrdinal.values());
  }

  /** By ordinal, as they are now. */
  List<CarriedMessage> copy() {
    return List.copyOf(byOrdinal.values());
  }

  /** The ordinals from (inclusive) to (exclusive); a live view. */
  SortedSet<Long> between(long from, long to) {
    return from < to ? byOrdinal.navigableKeySet().subSet(from, to) : Collections.emptySortedSet();
  }

  /** The oldest journal file with a copy; Integer.MAX_VALUE for none. */
  int oldestFile() {
    int oldest = Integer.MAX_VALUE;
    for (CarriedMessage message : byOrdinal.values()) {
      oldest = Math.min(oldest, message.place().file());
    }
    return oldest;
  }

  /** The first message from an ordinal on that is neither finished nor carried. */
  long firstWithout(FinishedSet finished, long from) {
    long at = finished.nextAbsent(from);
    while (byOrdinal.containsKey(at)) {
      at = finished.nextAbsent(at + 1);
    }
    return at;
  }

  /** Messages from (inclusive) to (exclusive) were finished by somebody. */
  void finished(long from, long to) {
    mayBeOver |= !between(from, to).isEmpty();
  }

  /** Any may be finished. */
  void finished() {
    mayBeOver = true;
  }

  /** Forgets those that nobody wants. */
  void dropUnless(LongPredicate isWanted) {
    if (mayBeOver) {
      byOrdinal.keySet().removeIf(ordinal -> !isWanted.test(ordinal));
      mayBeOver = false;
    }
  }
}
