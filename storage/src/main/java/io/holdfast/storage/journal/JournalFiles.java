package io.holdfast.storage.journal;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.journal.Bisection.Answer;
import io.holdfast.storage.log.ExcerptReader;
import io.holdfast.storage.log.LogFiles;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.record.RecordFormat;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * What a journal's files hold, as far as heads and ordinals go: with what each begins, where the
 * count of messages stands, which messages were relocated. For the broker's journal and for one
 * that is only looked at. Thread-safe as far as its {@link LogFiles} are.
 */
final class JournalFiles {
  /** A message that is so close to the begin of a file is read to, not looked for. */
  private static final int READ_TO = 256;

  private final LogFiles files;
  private final int maxRecordBytes;

  /** First ordinal by cycle, as far as known. */
  @GuardedBy("firstOrdinals")
  private final TreeMap<Integer, Long> firstOrdinals = new TreeMap<>();

  private final Relocations relocations;
  private final JournalSeek seek;

  /**
   * @param maxRecordBytes no record is larger: bounds how many messages a damaged one may have had
   */
  JournalFiles(LogFiles files, int maxRecordBytes) {
    this.files = files;
    this.maxRecordBytes = maxRecordBytes;
    relocations = new Relocations(files);
    seek = new JournalSeek(files);
  }

  /** Which files have relocated messages. */
  Relocations relocations() {
    return relocations;
  }

  /** Finds places in them. */
  JournalSeek seek() {
    return seek;
  }

  ExcerptReader reader() {
    return new ExcerptReader(files, RecordFormat.JOURNAL);
  }

  /**
   * One above the last message's ordinal. Only a record that is whole is believed. Damaged ones at
   * the very end may have held messages, whose ordinals are not used again: as many as {@link
   * DamagedBatch} makes of them.
   */
  long findNextOrdinal() throws IOException {
    long lost = 0;
    try (ExcerptReader reader = reader()) {
      for (int cycle = newest(); cycle >= 0; cycle = files.cycleBefore(cycle)) {
        long next = -1;
        long lostHere = 0;
        int largest = 1;
        boolean isComplete = cycle < files.completeBelow();
        boolean entered = reader.moveToCycle(cycle);
        boolean more = entered && reader.nextInFile();
        Relocations.Span relocated = Relocations.Span.NONE;
        while (more) {
          if (!isWhole(reader)) {
            int bytes = Math.min(reader.length(), maxRecordBytes);
            lostHere += DamagedBatch.messages(reader.view(), reader.offset(), bytes);
          } else if (isBatch(reader)) {
            next = Math.max(next, endOrdinal(reader));
            lostHere = 0;
            largest = Math.max(largest, RecordCodec.count(reader.view(), reader.offset()));
          } else {
            relocated = relocated.with(reader.position());
          }
          // Somebody may have appended since it was at the end.
          more = reader.nextInFile() || (reader.missingAtEnd() > 0 && reader.nextInFile());
        }
        if (entered) {
          lostHere += reader.missingAtEnd() * largest;
        }
        if (entered && isComplete) {
          relocations.lookedAt(cycle, relocated);
        }
        lost += lostHere;
        if (next >= 0) {
          return next + lost;
        }
      }
    }
    return lost;
  }

  private int newest() {
    return files.cycleBefore(Integer.MAX_VALUE);
  }

  private static boolean isWhole(ExcerptReader reader) throws IOException {
    return reader.defect() == null;
  }

  /** Whether a reader stands on a publish command, not on a relocated message. */
  static boolean isBatch(ExcerptReader reader) {
    return RecordCodec.type(reader.view(), reader.offset()) == RecordCodec.TYPE_BATCH;
  }

  /** One above the last ordinal of the record a reader stands on. */
  private static long endOrdinal(ExcerptReader reader) {
    ByteBuffer view = reader.view();
    int at = reader.offset();
    return view.getLong(at + RecordCodec.ORDINAL_OFFSET)
        + view.getInt(at + RecordCodec.COUNT_OFFSET);
  }

  /** Notes with what a file begins that is being written; relocated messages do not count. */
  void begins(int cycle, long ordinal) {
    synchronized (firstOrdinals) {
      firstOrdinals.put(cycle, ordinal);
    }
  }

  void removed(int cycle) {
    relocations.removed(cycle);
    synchronized (firstOrdinals) {
      firstOrdinals.remove(cycle);
    }
  }

  /** The oldest ordinal that can still be read, else another number. */
  long firstOrdinal(long otherwise) throws IOException {
    for (int cycle = files.firstCycle(); cycle >= 0; cycle = files.cycleAfter(cycle)) {
      long first = firstOrdinalOf(cycle);
      if (first >= 0) {
        return first;
      }
    }
    return otherwise;
  }

  /** The ordinal a file begins with, -1 when nothing in it can be read. */
  long firstOrdinalOf(int cycle) throws IOException {
    synchronized (firstOrdinals) {
      Long known = firstOrdinals.get(cycle);
      if (known != null) {
        return known;
      }
    }
    boolean complete = cycle < files.completeBelow();
    if (!complete && files.writtenTo(cycle) != LogFiles.UNKNOWN) {
      // This process writes it, and would have noted a message: there are only relocated ones so
      // far.
      return -1;
    }
    FirstBatch batch = firstBatch(cycle);
    long first = batch == null ? -1 : batch.ordinal();
    if (complete || first >= 0) {
      begins(cycle, first);
    }
    return first;
  }

  /**
   * Whether a file has no message from an ordinal on, and is older than a file with messages.
   *
   * @param file older than this one, too
   */
  boolean isBelow(int cycle, long ordinal, int file) throws IOException {
    int next = files.cycleAfter(cycle);
    while (next >= 0 && firstOrdinalOf(next) < 0) {
      next = files.cycleAfter(next);
    }
    return next >= 0 && cycle < file && firstOrdinalOf(next) <= ordinal;
  }

  /** See {@link ChronicleJournal#filesBelow}. */
  List<Integer> below(long ordinal, int file) throws IOException {
    List<Integer> below = new ArrayList<>();
    int cycle = files.firstCycle();
    while (cycle >= 0 && isBelow(cycle, ordinal, file)) {
      below.add(cycle);
      cycle = files.cycleAfter(cycle);
    }
    return below;
  }

  /**
   * The first publish command in a file.
   *
   * @param count of messages, which can be none
   */
  record FirstBatch(int cycle, long ordinal, int count, long timeNs, int crc) {
    /** Whether a later file may begin with another one. */
    boolean mayPrecede(FirstBatch other) {
      return ordinal < other.ordinal || (ordinal == other.ordinal && count == 0);
    }

    /** The same in whichever file. */
    FirstBatch inAnyFile() {
      return new FirstBatch(-1, ordinal, count, timeNs, crc);
    }
  }

  /** What a file begins with, null when nothing in it can be read. */
  FirstBatch firstBatch(int cycle) throws IOException {
    try (ExcerptReader reader = reader()) {
      boolean more = reader.moveToCycle(cycle);
      while (more && reader.nextInFile()) {
        if (isWhole(reader) && isBatch(reader)) {
          ByteBuffer view = reader.view();
          int at = reader.offset();
          return new FirstBatch(
              cycle,
              view.getLong(at + RecordCodec.ORDINAL_OFFSET),
              view.getInt(at + RecordCodec.COUNT_OFFSET),
              view.getLong(at + RecordCodec.TIME_OFFSET),
              view.getInt(at + RecordCodec.CRC_OFFSET));
        }
      }
    }
    return null;
  }

  /** One above the last ordinal in a file, -1 when nothing in it can be read. */
  long endOf(int cycle) throws IOException {
    long end = -1;
    try (ExcerptReader reader = reader()) {
      boolean more = reader.moveToCycle(cycle);
      while (more && reader.nextInFile()) {
        if (isWhole(reader) && isBatch(reader)) {
          end = Math.max(end, endOrdinal(reader));
        }
      }
    }
    return end;
  }

  /** The newest file that begins at or below an ordinal, else the oldest; -1 without files. */
  int cycleFor(long ordinal) throws IOException {
    int newest = newest();
    // Most cursors want to be near the end.
    if (newest >= 0 && isFrom(newest, ordinal) == Answer.BEFORE) {
      return newest;
    }
    int found = seek.lastFile(cycle -> isFrom(cycle, ordinal));
    return found == Bisection.NONE ? files.firstCycle() : found;
  }

  /** Whether a file begins at or below an ordinal. */
  private Answer isFrom(int cycle, long ordinal) throws IOException {
    long first = firstOrdinalOf(cycle);
    return first < 0 ? Answer.UNKNOWN : Answer.of(first <= ordinal);
  }

  /**
   * Has a reader go on at or before the publish command of a message, close to it.
   *
   * @return false when there is no file
   */
  boolean enter(ExcerptReader reader, long ordinal) throws IOException {
    int cycle = cycleFor(ordinal);
    long first = cycle < 0 ? -1 : firstOrdinalOf(cycle);
    if (first < 0 || ordinal - first <= READ_TO) {
      return reader.moveToCycle(cycle);
    }
    return seek.enter(reader, cycle, ordinal);
  }

  /** See {@link ChronicleJournal#find}. */
  MessageRef find(long ordinal) throws IOException {
    try (ExcerptReader reader = reader()) {
      boolean more = enter(reader, ordinal) && reader.next();
      while (more) {
        if (isWhole(reader) && isBatch(reader) && endOrdinal(reader) > ordinal) {
          return message(reader, ordinal);
        }
        more = reader.next();
      }
    }
    return null;
  }

  /** Of the record a reader stands on, which ends behind the ordinal. */
  private static MessageRef message(ExcerptReader reader, long ordinal) {
    ByteBuffer view = reader.view();
    long first = view.getLong(reader.offset() + RecordCodec.ORDINAL_OFFSET);
    if (first > ordinal) {
      return null;
    }
    int at = reader.offset() + RecordCodec.JOURNAL_HEAD_BYTES;
    for (long before = first; before < ordinal; before++) {
      at += Integer.BYTES + view.getInt(at);
    }
    int inRecord = at - reader.offset() + Integer.BYTES;
    return new MessageRef(
        ordinal,
        reader.position(),
        Position.offset(reader.position()) + inRecord,
        view.getInt(at),
        0);
  }

  /** See {@link JournalContents#endBelow}. */
  long endBelow(long ordinal) throws IOException {
    int cycle = cycleFor(ordinal - 1);
    long end = -1;
    try (ExcerptReader reader = reader()) {
      if (cycle >= 0 && reader.moveToCycle(cycle)) {
        while (reader.nextInFile()) {
          if (isWhole(reader) && isBatch(reader) && endOrdinal(reader) <= ordinal) {
            end = Math.max(end, endOrdinal(reader));
          }
        }
      }
    }
    return end < 0 ? ordinal : end;
  }
}
