package io.holdfast.broker.cluster.state;

import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.values.HeldMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/** What a channel has after it was emptied, or put to a message. Stateless. */
final class ChannelStates {
  private ChannelStates() {}

  /** Messages from (inclusive) to (exclusive) are finished, if there are any. */
  static void finish(LedgerState state, long from, long to) {
    long begin = Math.max(from, state.floor());
    if (begin < to) {
      state.finish(begin, to);
    }
  }

  private static void finishAllBut(SortedSet<Long> staying, LedgerState state, long end) {
    long from = state.floor();
    for (long ordinal : staying) {
      finish(state, from, ordinal);
      from = ordinal + 1;
    }
    finish(state, from, end);
  }

  /** All below an ordinal is finished, but for dead letters. */
  static void empty(LedgerState state, long end) {
    SortedSet<Long> dead = new TreeSet<>();
    for (HeldMessage message : state.held()) {
      if (message.isDead()) {
        dead.add(message.ref().ordinal());
      }
    }
    if (dead.isEmpty()) {
      state.empty(end);
    } else {
      finishAllBut(dead, state, end);
    }
  }

  /**
   * Of a channel that has everything from a message on, and some older ones.
   *
   * @param older ascending, below the first
   */
  static LedgerState from(long begin, SortedSet<Long> older) {
    LedgerState state = new LedgerState(older.isEmpty() ? begin : older.first());
    finishAllBut(older, state, begin);
    return state;
  }

  /**
   * Of a channel that begins anew. What died before stays dead; what waits since it was published,
   * having been published with a deferral, goes on waiting.
   *
   * @param first asked for
   * @param begin from here on everything is there
   * @param carried what is there from the first one on, and is older than that
   */
  static LedgerState rewound(LedgerState old, long first, long begin, SortedSet<Long> carried) {
    SortedSet<Long> older = new TreeSet<>(carried);
    List<HeldMessage> staying = new ArrayList<>();
    for (HeldMessage message : old.held()) {
      boolean isOlder = message.ref().ordinal() < first;
      boolean isDeferred = !message.isDead() && message.ref().packedAttempts() == 0;
      if (isOlder ? message.isDead() : isDeferred) {
        staying.add(message);
      }
      if (isOlder && message.isDead()) {
        older.add(message.ref().ordinal());
      }
    }
    LedgerState state = from(begin, older);
    staying.forEach(state::holdAt);
    state.begin(Math.min(old.begin(), state.floor()));
    return state;
  }
}
