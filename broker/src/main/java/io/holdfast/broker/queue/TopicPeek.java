package io.holdfast.broker.queue;

import io.holdfast.storage.journal.Journal;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Looks at what a journal holds, finished or not, in the order of publishing. Changes nothing: it
 * has a cursor of its own. For one caller, who sees to it that no file is removed meanwhile.
 */
final class TopicPeek {
  private final Journal journal;
  private final GuidFactory guids;

  TopicPeek(Journal journal, GuidFactory guids) {
    this.journal = journal;
    this.guids = guids;
  }

  /**
   * Reads messages from a place on.
   *
   * @param max how many at most
   * @param maxBodyBytes how much of each body
   * @param maxBytes of all these together; the first message comes anyway
   */
  Peeked read(Position from, int max, int maxBodyBytes, long maxBytes) throws IOException {
    long end = journal.nextOrdinal();
    List<PeekedMessage> messages = new ArrayList<>();
    MessageView view = new MessageView();
    long bytes = 0;
    try (JournalCursor cursor = journal.cursor()) {
      cursor.moveTo(Math.max(journal.firstOrdinal(), ordinal(from, end)));
      while (cursor.next(view, end)) {
        int length = Math.min(view.bodyLength(), maxBodyBytes);
        boolean isFull = messages.size() == max;
        if (isFull || bytes + length > maxBytes && !messages.isEmpty()) {
          return new Peeked(messages, guids.idOf(view.ordinal()));
        }
        bytes += length;
        long id = guids.idOf(view.ordinal());
        messages.add(PeekedMessage.of(id, view.timestampNs(), -1, view.body(), maxBodyBytes, 0));
      }
    }
    return new Peeked(messages, Peeked.NONE);
  }

  /**
   * Reads messages that a channel has told of. One that cannot be read, or that the backend has
   * still to find out to be deferred, is left out.
   *
   * @param maxBodyBytes how much of each body
   * @param maxBytes of all these together; the first message comes anyway
   * @param nowMs since 1970
   */
  List<PeekedMessage> read(List<Waiting> waiting, int maxBodyBytes, long maxBytes, long nowMs)
      throws IOException {
    List<PeekedMessage> messages = new ArrayList<>();
    MessageView view = new MessageView();
    long bytes = 0;
    try (JournalCursor cursor = journal.cursor()) {
      for (Waiting each : waiting) {
        if (!find(cursor, each, view, nowMs)) {
          continue;
        }
        int length = Math.min(view.bodyLength(), maxBodyBytes);
        if (bytes + length > maxBytes && !messages.isEmpty()) {
          break;
        }
        bytes += length;
        messages.add(
            PeekedMessage.of(
                guids.idOf(view.ordinal()),
                view.timestampNs(),
                each.attempts(),
                view.body(),
                maxBodyBytes,
                each.dueMs()));
      }
    }
    return messages;
  }

  private static boolean find(JournalCursor cursor, Waiting each, MessageView view, long nowMs)
      throws IOException {
    if (each.ref() != null) {
      return cursor.read(each.ref(), view);
    }
    if (cursor.nextOrdinal() != each.ordinal()) {
      cursor.moveTo(each.ordinal());
    }
    if (!cursor.next(view, each.ordinal() + 1)) {
      return false;
    }
    long dueMs = TimeUnit.NANOSECONDS.toMillis(view.timestampNs()) + view.deferMs();
    return view.deferMs() == 0 || dueMs <= nowMs;
  }

  /** The ordinal of a place; that of the end for an id that was never given out. */
  private long ordinal(Position from, long end) throws IOException {
    return switch (from.kind()) {
      case START -> 0;
      case END -> end;
      case ID -> {
        long ordinal = guids.ordinalOf(from.value());
        yield ordinal < 0 ? end : ordinal;
      }
      case TIME -> journal.ordinalAt(from.value());
    };
  }
}
