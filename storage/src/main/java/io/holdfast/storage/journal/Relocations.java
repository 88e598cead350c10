package io.holdfast.storage.journal;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.log.ExcerptReader;
import io.holdfast.storage.log.LogFiles;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.record.RecordFormat;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the relocated messages in a journal's files. Which files have any, and from where to where,
 * it knows of those that this process writes, and else from {@link RelocationsNote}; a file of
 * which nothing is known is read through, once. So what is known may be too much or missing, but
 * never too little.
 *
 * <p>Thread-safe, as far as its {@link LogFiles} are.
 */
final class Relocations {
  private static final Logger LOG = LoggerFactory.getLogger(Relocations.class);

  /** Fewer files are soon read. */
  private static final int MIN_FILES_NOTED = 4;

  private final LogFiles files;

  /** What is known, by cycle. */
  @GuardedBy("this")
  private final TreeMap<Integer, Span> known = new TreeMap<>();

  /**
   * In files of these cycles and later ones this process appends all relocated messages there are.
   */
  @GuardedBy("this")
  private int ownFrom = Integer.MAX_VALUE;

  /** Whether more is known than was noted. */
  @GuardedBy("this")
  private boolean learned;

  /** Files below were complete when it was noted. */
  @GuardedBy("this")
  private int savedBelow = Integer.MAX_VALUE;

  private Disk disk;
  private Path dir;

  /**
   * Where the relocated messages of a file stand, as offsets of records.
   *
   * @param first that of the first one, or less
   * @param last that of the last one, or more
   */
  record Span(int first, int last) {
    static final Span NONE = new Span(Integer.MAX_VALUE, -1);

    /** Nothing is known of the file. */
    static final Span ANYWHERE = new Span(0, Integer.MAX_VALUE);

    boolean isNone() {
      return last < 0;
    }

    Span with(long position) {
      int offset = Position.offset(position);
      return new Span(Math.min(first, offset), Math.max(last, offset));
    }
  }

  Relocations(LogFiles files) {
    this.files = files;
  }

  /**
   * Takes what was noted of the files there are, and will note more. At the opening of a journal
   * that this process writes, before anything is appended.
   */
  synchronized void note(Disk onDisk, Path in) throws IOException {
    disk = onDisk;
    dir = in;
    ownFrom = files.completeBelow();
    savedBelow = ownFrom;
    Map<Integer, Span> noted = RelocationsNote.read(disk, dir);
    boolean foresees = false;
    for (Map.Entry<Integer, Span> file : noted.entrySet()) {
      foresees |= file.getKey() >= ownFrom;
      if (file.getKey() < ownFrom && files.has(file.getKey())) {
        known.put(file.getKey(), file.getValue());
      }
    }
    if (foresees) {
      // Of files lost with power, whose numbers are given out again.
      RelocationsNote.remove(disk, dir);
    }
  }

  /** A file that is complete was read through. */
  synchronized void lookedAt(int cycle, Span found) {
    learned |= !found.equals(known.put(cycle, found));
  }

  /** A relocated message was appended. */
  synchronized void add(long position) {
    known.merge(
        Position.cycle(position), Span.NONE.with(position), (span, added) -> span.with(position));
  }

  /** One may have been appended to a file. */
  synchronized void mayBeIn(int cycle) {
    known.put(cycle, Span.ANYWHERE);
  }

  synchronized void removed(int cycle) {
    known.remove(cycle);
  }

  private synchronized Span span(int cycle) {
    return known.getOrDefault(cycle, cycle >= ownFrom ? Span.NONE : Span.ANYWHERE);
  }

  /** Where they are, by ordinal; the newest place of each message. */
  Collection<MessageRef> read() throws IOException {
    TreeMap<Long, MessageRef> places = new TreeMap<>();
    try (ExcerptReader reader = new ExcerptReader(files, RecordFormat.JOURNAL)) {
      for (int cycle = files.firstCycle(); cycle >= 0; cycle = files.cycleAfter(cycle)) {
        Span span = span(cycle);
        if (!span.isNone()) {
          read(reader, cycle, span, places);
        }
      }
    }
    return places.values();
  }

  private void read(ExcerptReader reader, int cycle, Span span, Map<Long, MessageRef> places)
      throws IOException {
    boolean isComplete = cycle < files.completeBelow();
    boolean more = reader.moveToCycle(cycle);
    if (more && !span.equals(Span.ANYWHERE)) {
      reader.moveTo(Position.of(cycle, span.first()));
    }
    Span found = Span.NONE;
    while (more && reader.nextInFile() && Position.offset(reader.position()) <= span.last()) {
      if (isRelocated(reader)) {
        MessageRef place = place(reader);
        places.put(place.ordinal(), place);
        found = found.with(reader.position());
      }
    }
    if (isComplete && span.equals(Span.ANYWHERE)) {
      lookedAt(cycle, found);
    }
  }

  /** The checksum of others is not computed. */
  private static boolean isRelocated(ExcerptReader reader) throws IOException {
    ByteBuffer view = reader.view();
    int at = reader.offset();
    return reader.length() >= RecordCodec.JOURNAL_HEAD_BYTES
        && RecordCodec.type(view, at) != RecordCodec.TYPE_BATCH
        && reader.defect() == null;
  }

  private static MessageRef place(ExcerptReader reader) {
    int at = reader.offset() + RecordCodec.JOURNAL_HEAD_BYTES;
    long ordinal = reader.view().getLong(reader.offset() + RecordCodec.ORDINAL_OFFSET);
    int body = at + Integer.BYTES - reader.offset() + Position.offset(reader.position());
    return new MessageRef(ordinal, reader.position(), body, reader.view().getInt(at), 0, true);
  }

  /** Notes what is known of complete files, when that is worth it. Housekeeping thread. */
  void save() {
    Map<Integer, Span> complete = toSave();
    if (complete.isEmpty()) {
      return;
    }
    try {
      RelocationsNote.write(disk, dir, complete);
    } catch (IOException e) {
      // Until the next one is complete: at worst they are read through once more.
      LOG.warn("{}: cannot note which files have relocated messages: {}", dir, e.toString());
    }
  }

  private synchronized Map<Integer, Span> toSave() {
    int completeBelow = files.completeBelow();
    Map<Integer, Span> complete = new HashMap<>();
    if (disk == null || (!learned && completeBelow == savedBelow)) {
      return complete;
    }
    int count = 0;
    for (int cycle = files.firstCycle();
        cycle >= 0 && cycle < completeBelow;
        cycle = files.cycleAfter(cycle)) {
      Span span = span(cycle);
      if (!span.equals(Span.ANYWHERE)) {
        complete.put(cycle, span);
      }
      count++;
    }
    if (count < MIN_FILES_NOTED) {
      complete.clear();
    } else {
      learned = false;
      savedBelow = completeBelow;
    }
    return complete;
  }
}
