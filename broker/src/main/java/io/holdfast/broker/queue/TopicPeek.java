package io.holdfast.broker.queue;

import io.holdfast.storage.journal.Journal;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Looks at the messages of a topic or of a channel of it, and changes nothing: it has a cursor of
 * its own. Reads the disk, while no file is removed: not on an event loop. Any thread.
 */
public final class TopicPeek {
  private final Journal journal;
  private final GuidFactory guids;
  private final TopicUpkeep upkeep;
  private final TopicState state;
  private final ChannelSettings.Clock clock;

  TopicPeek(
      Journal journal,
      GuidFactory guids,
      TopicUpkeep upkeep,
      TopicState state,
      ChannelSettings.Clock clock) {
    this.journal = journal;
    this.guids = guids;
    this.upkeep = upkeep;
    this.state = state;
    this.clock = clock;
  }

  /**
   * What the journal holds from a place on, finished or not, in the order of publishing.
   *
   * @param max how many at most
   * @param maxBodyBytes how much of each body
   * @param maxBytes of all these together; the first message comes anyway
   */
  public Peeked from(Position place, int max, int maxBodyBytes, long maxBytes) throws IOException {
    return upkeep.keepingFiles(
        () ->
            state.exiting
                ? new Peeked(List.of(), Peeked.NONE)
                : read(place, max, maxBodyBytes, maxBytes));
  }

  private Peeked read(Position place, int max, int maxBodyBytes, long maxBytes) throws IOException {
    long end = journal.nextOrdinal();
    List<PeekedMessage> messages = new ArrayList<>();
    MessageView view = new MessageView();
    long bytes = 0;
    try (JournalCursor cursor = journal.cursor()) {
      cursor.moveTo(Math.max(journal.firstOrdinal(), ordinal(place, end)));
      while (cursor.next(view, end)) {
        int length = Math.min(view.bodyLength(), maxBodyBytes);
        boolean isFull = messages.size() == max;
        if (isFull || (bytes + length > maxBytes && !messages.isEmpty())) {
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
   * The first messages of one of the topic's channels: ready ones in the order of delivery, those
   * in flight that were delivered first, deferred ones that are due first, dead ones that died
   * first. One that cannot be read, or that the backend has still to find out to be deferred, is
   * left out.
   *
   * @param max how many at most
   * @param maxBodyBytes how much of each body
   * @param maxBytes of all these together; the first message comes anyway
   */
  public List<PeekedMessage> first(
      Channel channel, Waiting.State which, int max, int maxBodyBytes, long maxBytes)
      throws IOException {
    return upkeep.keepingFiles(
        () ->
            state.exiting
                ? List.of()
                : read(channel.first(which, max), maxBodyBytes, maxBytes, clock.wallMs()));
  }

  private List<PeekedMessage> read(
      List<Waiting> waiting, int maxBodyBytes, long maxBytes, long nowMs) throws IOException {
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
        PeekedMessage peeked =
            PeekedMessage.of(
                guids.idOf(view.ordinal()),
                view.timestampNs(),
                each.attempts(),
                view.body(),
                maxBodyBytes,
                each.dueMs());
        messages.add(each.mark().isDead() ? peeked.asDead(each.mark(), each.dueMs()) : peeked);
      }
    }
    return messages;
  }

  /**
   * Whole bodies.
   *
   * @param maxBytes stops once it has so much; the first body comes anyway
   * @return by ordinal in the order of the question; null for one that cannot be read any more
   */
  Map<Long, byte[]> bodies(List<Waiting> of, long maxBytes) throws IOException {
    return upkeep.keepingFiles(
        () -> state.exiting ? Map.of() : readBodies(of, maxBytes, clock.wallMs()));
  }

  private Map<Long, byte[]> readBodies(List<Waiting> of, long maxBytes, long nowMs)
      throws IOException {
    Map<Long, byte[]> bodies = new LinkedHashMap<>();
    MessageView view = new MessageView();
    long bytes = 0;
    try (JournalCursor cursor = journal.cursor()) {
      for (Waiting each : of) {
        byte[] body = null;
        if (find(cursor, each, view, nowMs)) {
          body = new byte[view.bodyLength()];
          view.body().get(body);
          bytes += body.length;
        }
        bodies.put(each.ordinal(), body);
        if (bytes >= maxBytes) {
          break;
        }
      }
    }
    return bodies;
  }

  private static boolean find(JournalCursor cursor, Waiting each, MessageView view, long nowMs)
      throws IOException {
    boolean isReference = each.ref() != null;
    if (isReference && each.ref().batchPosition() != MessageRef.NOWHERE) {
      return cursor.read(each.ref(), view);
    }
    if (cursor.nextOrdinal() != each.ordinal()) {
      cursor.moveTo(each.ordinal());
    }
    if (!cursor.next(view, each.ordinal() + 1)) {
      return false;
    }
    long dueMs = TimeUnit.NANOSECONDS.toMillis(view.timestampNs()) + view.deferMs();
    return isReference || view.deferMs() == 0 || dueMs <= nowMs;
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
