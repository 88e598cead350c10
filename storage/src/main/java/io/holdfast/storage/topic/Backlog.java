package io.holdfast.storage.topic;

import io.holdfast.storage.ledger.FinishedSet;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.OrdinalRanges;
import java.util.Collection;

/**
 * Which messages a channel's backend has to deliver in order: those from {@code cursor} to {@code
 * end}, but for those in {@code skip}. Arithmetic only; it reads and records nothing.
 *
 * <p>Ordinals below the cursor are with the channel (memory queue, in flight, held) or finished.
 * Not thread-safe (the channel's lock).
 */
final class Backlog {
  /** The skip set is a set only; its floor must never rise. */
  private static final long NO_FLOOR = -1;

  private long cursor;
  private long end;

  /** Ordinals at or above {@link #cursor} that are finished or held elsewhere. */
  private FinishedSet skip;

  /** How many of them there are. */
  private long skipCount;

  /** What was delivered once before the process started; null when the cursor is past all of it. */
  private FinishedSet delivered;

  /**
   * @param skip ordinals from the cursor on that are finished or held elsewhere; kept
   * @param delivered what was delivered once before; kept
   */
  Backlog(long cursor, long end, FinishedSet skip, FinishedSet delivered) {
    this.cursor = cursor;
    this.end = end;
    this.skip = skip;
    skipCount = skip.countFrom(cursor);
    this.delivered = delivered;
  }

  /** The next ordinal to deliver, unless it is to be skipped. */
  long cursor() {
    return cursor;
  }

  /** One above the last ordinal that the channel has. */
  long end() {
    return end;
  }

  /** What was delivered once before the process started, as far as it still waits, or null. */
  FinishedSet delivered() {
    return delivered;
  }

  /** How many messages there are to deliver. */
  long depth() {
    return end - cursor - skipCount;
  }

  /** How many of them are below an ordinal. */
  long depthBelow(long ordinal) {
    long to = Math.max(cursor, Math.min(ordinal, end));
    return to - cursor - (skip.countFrom(cursor) - skip.countFrom(to));
  }

  /** Whether there are none, so that the next message need not wait for others. */
  boolean isCaughtUp() {
    settle();
    return cursor == end;
  }

  /** When nothing before the end is left to deliver, the cursor is at the end. */
  void settle() {
    if (cursor < end && depth() == 0) {
      cursor = end;
      skipCount = 0;
      skip = new FinishedSet(NO_FLOOR);
    }
  }

  /**
   * New messages, up to an end. When the channel was caught up, the first ones of them are with the
   * channel already.
   *
   * @return whether it was caught up
   */
  boolean add(long first, long newEnd, int inMemory) {
    boolean caughtUp = isCaughtUp();
    passGap(first);
    end = newEnd;
    if (caughtUp) {
      cursor = first + inMemory;
    }
    return caughtUp;
  }

  /** New messages that the channel has elsewhere. */
  void addSkipped(long first, long newEnd) {
    boolean caughtUp = isCaughtUp();
    passGap(first);
    end = newEnd;
    if (caughtUp) {
      cursor = end;
    } else {
      skip.add(first, newEnd);
      skipCount += newEnd - first;
    }
  }

  /** Messages up to an end that are there to be read. */
  void extend(long newEnd) {
    end = Math.max(end, newEnd);
  }

  /** Moves the end up to an ordinal; what lies between will not come. */
  void passGap(long ordinal) {
    if (ordinal <= end) {
      return;
    }
    if (isCaughtUp()) {
      cursor = ordinal;
    } else {
      skip.add(end, ordinal);
      skipCount += ordinal - end;
    }
    end = ordinal;
  }

  /**
   * Past what is finished or held: the journal's files with it may be gone, since messages that the
   * cursor has not reached yet are held, too, after a start.
   */
  void passSkipped() {
    if (skipCount > 0) {
      long next = Math.min(end, skip.nextAbsent(cursor));
      skipCount -= next - cursor;
      cursor = next;
    }
  }

  /** The cursor goes behind a message that was read; returns whether it is to be delivered. */
  boolean take(long ordinal) {
    cursor = ordinal + 1;
    if (skipCount == 0 || !skip.contains(ordinal)) {
      return true;
    }
    skipCount--;
    return false;
  }

  /** The message that was taken last is the next one again. */
  void putBack(long ordinal) {
    cursor = ordinal;
  }

  /**
   * Moves the cursor up to an ordinal.
   *
   * @param passed becomes what the cursor passed there and was to be delivered
   * @return how many messages that is
   */
  long passTo(long ordinal, OrdinalRanges passed) {
    long known = skip.countFrom(cursor) - skip.countFrom(ordinal);
    long from = cursor;
    cursor = ordinal;
    skipCount -= known;
    passed.clear();
    // What is held may be relocated and can be read; what is finished is not missed.
    for (long at = skip.nextAbsent(from); at < ordinal; at = skip.nextAbsent(at)) {
      long until = Math.min(ordinal, skip.nextPresent(at));
      passed.add(at, until);
      at = until;
    }
    return ordinal - from - known;
  }

  /** See {@link BackendQueue#visitWaiting}. */
  void visit(int max, BackendQueue.Visitor visitor) {
    long at = cursor;
    for (int i = 0; i < max; i++) {
      at = skipCount == 0 ? at : skip.nextAbsent(at);
      if (at >= end) {
        return;
      }
      visitor.visit(at, attemptsAhead(at));
      at++;
    }
  }

  /** How often a message was delivered that the cursor may not have reached. */
  int attemptsAhead(long ordinal) {
    boolean isAgain = delivered != null && ordinal < delivered.end() && delivered.contains(ordinal);
    return isAgain ? 1 : 0;
  }

  /** What lies between a floor and the end, but for some messages. */
  OrdinalRanges allBut(Collection<HeldMessage> messages, long floor) {
    OrdinalRanges ranges = new OrdinalRanges();
    long[] ordinals = messages.stream().mapToLong(some -> some.ref().ordinal()).sorted().toArray();
    long from = floor;
    for (long ordinal : ordinals) {
      if (from < ordinal) {
        ranges.add(from, ordinal);
      }
      from = Math.max(from, ordinal + 1);
    }
    if (from < end) {
      ranges.add(from, end);
    }
    return ranges;
  }

  /** The first message from an ordinal on that is to be delivered; the end or more for none. */
  long nextWaiting(long from) {
    long at = Math.max(from, cursor);
    return skipCount == 0 ? at : skip.nextAbsent(at);
  }

  /** How often a message was delivered that the cursor has reached. */
  int attempts(long ordinal) {
    if (delivered == null) {
      return 0;
    }
    if (ordinal >= delivered.end()) {
      delivered = null;
      return 0;
    }
    return delivered.contains(ordinal) ? 1 : 0;
  }

  /** Whether a message is still to be delivered in order. */
  boolean has(long ordinal) {
    return ordinal >= cursor && ordinal < end && (skipCount == 0 || !skip.contains(ordinal));
  }

  /** A message is held elsewhere from now on. */
  void takeOut(long ordinal) {
    skip.add(ordinal, ordinal + 1);
    skipCount++;
  }

  /** The first one from an ordinal on that is to be delivered again; Long.MAX_VALUE for none. */
  long nextDelivered(long from) {
    long at = Math.max(from, cursor);
    while (delivered != null && at < end) {
      at = delivered.nextPresent(at);
      if (at >= end || skipCount == 0 || !skip.contains(at)) {
        break;
      }
      at = skip.nextAbsent(at);
    }
    return delivered == null || at >= end ? Long.MAX_VALUE : at;
  }

  /** Nothing is to be delivered any more. */
  void clear() {
    cursor = end;
    skip = new FinishedSet(NO_FLOOR);
    skipCount = 0;
    delivered = null;
  }
}
