package io.holdfast.broker.queue;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Where in a journal there may be messages that were published with a delay: ranges of ordinals, so
 * few that they cost nothing. Not thread-safe.
 */
final class MaybeDeferred {
  /** Beyond these the last one grows: rather too much to look at than too much to remember. */
  private static final int MAX_RANGES = 1000;

  /** From and to of each. */
  private final Deque<long[]> ranges = new ArrayDeque<>(1);

  /** Adds the ordinals from (inclusive) to (exclusive). */
  void add(long from, long to) {
    long[] last = ranges.peekLast();
    if (from >= to) {
      return;
    }
    if (last != null && (last[1] == from || ranges.size() == MAX_RANGES)) {
      last[0] = Math.min(last[0], from);
      last[1] = Math.max(last[1], to);
    } else {
      ranges.add(new long[] {from, to});
    }
  }

  /** Adds what others have. */
  void addAll(MaybeDeferred others) {
    others.ranges.forEach(range -> add(range[0], range[1]));
  }

  boolean isEmpty() {
    return ranges.isEmpty();
  }

  /** The first ordinal of the first range, of which there is one. */
  long from() {
    return ranges.element()[0];
  }

  /** One above the last ordinal of the first range. */
  long to() {
    return ranges.element()[1];
  }

  /** The first range begins here from now on; it goes when nothing of it is left. */
  void seenTo(long ordinal) {
    long[] range = ranges.element();
    range[0] = ordinal;
    if (ordinal >= range[1]) {
      ranges.remove();
    }
  }

  void clear() {
    ranges.clear();
  }
}
