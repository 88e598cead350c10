package io.holdfast.broker.queue;

import io.holdfast.storage.journal.Journal;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Finds places in a topic: the first message from there on, also among those whose own record is
 * gone and that were relocated. Reads files: while none is removed and nothing is relocated,
 * without the topic's lock.
 */
final class TopicPositions {
  private final String name;
  private final Journal journal;
  private final GuidFactory guids;

  TopicPositions(String name, Journal journal, GuidFactory guids) {
    this.name = name;
    this.journal = journal;
    this.guids = guids;
  }

  /**
   * A place from which on a channel is to have everything.
   *
   * @param first the lowest ordinal
   * @param relocations where messages from there on stand whose own record is gone
   */
  record Place(long first, List<MessageRef> relocations) {}

  /**
   * Finds a place.
   *
   * @throws UnknownMessageException for an id that the topic never gave out
   */
  Place find(Position position) throws IOException, UnknownMessageException {
    long first =
        switch (position.kind()) {
          case START -> journal.oldestOrdinal();
          case END -> journal.nextOrdinal();
          case ID -> atOrAfterOldest(ordinalOf(position.value()));
          case TIME -> ordinalAt(position.value());
        };
    return new Place(first, relocationsFrom(first));
  }

  private long atOrAfterOldest(long ordinal) throws IOException {
    return ordinal >= journal.firstOrdinal() ? ordinal : Math.max(journal.oldestOrdinal(), ordinal);
  }

  private long ordinalOf(long id) throws UnknownMessageException {
    long ordinal = guids.ordinalOf(id);
    boolean isGivenOut =
        ordinal >= 0
            && ordinal < journal.nextOrdinal()
            && journal.skipped().overlap(ordinal, ordinal + 1) == 0;
    if (!isGivenOut) {
      throw new UnknownMessageException(name);
    }
    return ordinal;
  }

  private List<MessageRef> relocationsFrom(long ordinal) throws IOException {
    List<MessageRef> relocations = new ArrayList<>(journal.relocationsFrom(ordinal));
    relocations.sort(Comparator.comparingLong(MessageRef::ordinal));
    return relocations;
  }

  private long ordinalAt(long timeNs) throws IOException {
    long inPlace = journal.ordinalAt(timeNs);
    if (inPlace > journal.firstOrdinal()) {
      return inPlace;
    }
    // Older ones may be late enough, too.
    List<MessageRef> relocations = relocationsFrom(0);
    int low = 0;
    int high = relocations.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (timeOf(relocations.get(middle)) < timeNs) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < relocations.size() ? Math.min(inPlace, relocations.get(low).ordinal()) : inPlace;
  }

  private long timeOf(MessageRef relocation) throws IOException {
    MessageView view = new MessageView();
    try (JournalCursor cursor = journal.cursor()) {
      // One that cannot be read is in nobody's way.
      return cursor.read(relocation, view) ? view.timestampNs() : Long.MIN_VALUE;
    }
  }

  /** What somebody is told of a place: the first message that can be read from there on. */
  Rewound at(Place place, long ready, long skipped) throws IOException {
    MessageView view = new MessageView();
    boolean found = false;
    try (JournalCursor cursor = journal.cursor()) {
      for (int i = 0; !found && i < place.relocations().size(); i++) {
        found = cursor.read(place.relocations().get(i), view);
      }
      if (!found) {
        cursor.moveTo(Math.max(journal.firstOrdinal(), place.first()));
        found = cursor.next(view, journal.nextOrdinal());
      }
    }
    return found
        ? new Rewound(guids.idOf(view.ordinal()), view.timestampNs(), ready, skipped)
        : new Rewound(null, null, ready, skipped);
  }
}
