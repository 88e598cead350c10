package io.holdfast.storage.topic;

import io.holdfast.storage.journal.Journal;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.values.CarriedMessage;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Takes messages out of the middle of a channel's {@link Backlog}, ahead of whoever reads that in
 * order. It has a place of its own in the journal, so that neither has to look for the other's. The
 * channel's lock guards it.
 */
final class BacklogAhead implements Closeable {
  /** Between two messages no more are read only to pass them: then the second is looked for. */
  private static final int MAX_PASSED = 100_000;

  /** Bytes of bodies that one turn passes. */
  private static final long MAX_PASSED_BYTES = 1 << 20;

  private final Journal journal;

  /** Null until it is needed. */
  private JournalCursor cursor;

  BacklogAhead(Journal journal) {
    this.journal = journal;
  }

  /** See {@link BackendQueue#takeDelivered}. */
  List<MessageRef> takeDelivered(Backlog backlog, int max) throws IOException {
    List<MessageRef> taken = new ArrayList<>();
    MessageView message = new MessageView();
    long at = backlog.nextDelivered(0);
    while (at < Long.MAX_VALUE && taken.size() < max) {
      boolean found = next(at, at + 1, message);
      if (found && message.ordinal() == at) {
        taken.add(
            new MessageRef(
                at, message.batchPosition(), message.bodyOffset(), message.bodyLength(), 1));
        backlog.takeOut(at);
      } else if (!found) {
        // Whoever reads on in order says what cannot be read.
        at++;
      }
      at = backlog.nextDelivered(at);
    }
    if (taken.isEmpty()) {
      close();
    }
    return taken;
  }

  /** See {@link BackendQueue#takeDeferred}. */
  long takeDeferred(Backlog backlog, long from, long to, int max, Predicate<MessageView> taker)
      throws IOException {
    MessageView message = new MessageView();
    long until = Math.min(to, backlog.end());
    long bytes = 0;
    long at = backlog.nextWaiting(from);
    for (int i = 0; i < max && bytes < MAX_PASSED_BYTES && at < until; i++) {
      if (!next(at, until, message)) {
        at = until;
      } else if (message.ordinal() > at) {
        // What is between cannot be read; it may be one that the channel has elsewhere.
        at = backlog.nextWaiting(message.ordinal());
      } else {
        bytes += message.bodyLength();
        message.setAttempts(backlog.attemptsAhead(at));
        if (message.deferMs() > 0 && taker.test(message)) {
          backlog.takeOut(at);
        }
        at = backlog.nextWaiting(at + 1);
      }
    }
    if (at < until) {
      return at;
    }
    close();
    return to;
  }

  /** See {@link BackendQueue#takeCarried}. */
  static List<HeldMessage> takeCarried(Backlog backlog, Iterable<CarriedMessage> copies) {
    List<HeldMessage> taken = new ArrayList<>();
    for (CarriedMessage copy : copies) {
      if (backlog.has(copy.ordinal())) {
        taken.add(copy.held(backlog.attemptsAhead(copy.ordinal())));
        backlog.takeOut(copy.ordinal());
      }
    }
    return taken;
  }

  /**
   * Reads a message of which nothing is known but its ordinal.
   *
   * @return false when it cannot be read
   */
  boolean read(long ordinal, MessageView to) throws IOException {
    return next(ordinal, ordinal + 1, to) && to.ordinal() == ordinal;
  }

  /** The message of an ordinal or, where that cannot be read, the next one below a bound. */
  private boolean next(long at, long until, MessageView to) throws IOException {
    if (cursor == null) {
      cursor = journal.cursor();
      cursor.moveTo(at);
    } else if (cursor.nextOrdinal() != at && !isNear(cursor.nextOrdinal(), at)) {
      cursor.moveTo(at);
    }
    boolean found = cursor.next(to, until);
    while (found && to.ordinal() < at) {
      found = cursor.next(to, until);
    }
    return found;
  }

  /** Whether what lies between is still there, and is not much. */
  private boolean isNear(long from, long at) throws IOException {
    return from <= at && at - from <= MAX_PASSED && from >= journal.firstOrdinal();
  }

  /** Files of the journal were removed: lets go of them. */
  void filesRemoved() {
    if (cursor != null) {
      cursor.filesRemoved();
    }
  }

  /** Closes the files until the next use. */
  @Override
  public void close() {
    if (cursor != null) {
      cursor.close();
      cursor = null;
    }
  }
}
