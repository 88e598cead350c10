package io.holdfast.storage.journal;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.log.ExcerptReader;
import io.holdfast.storage.log.LogFiles;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.record.RecordFormat;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What a journal's files hold, as far as heads and ordinals go: with what each begins, where the
 * count of messages stands, which messages were relocated. For the broker's journal and for one
 * that is only looked at. Thread-safe as far as its {@link LogFiles} are.
 */
final class JournalFiles {
  private final LogFiles files;
  private final int maxRecordBytes;

  /** First ordinal by cycle, as far as known. */
  @GuardedBy("firstOrdinals")
  private final TreeMap<Integer, Long> firstOrdinals = new TreeMap<>();

  /**
   * Files that are complete and have no relocated messages: most, so that they are read once at
   * most.
   */
  private final Set<Integer> withoutCopies = ConcurrentHashMap.newKeySet();

  /**
   * @param maxRecordBytes no record is larger: bounds how many messages a damaged one may have had
   */
  JournalFiles(LogFiles files, int maxRecordBytes) {
    this.files = files;
    this.maxRecordBytes = maxRecordBytes;
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
        boolean entered = reader.moveToCycle(cycle);
        boolean more = entered && reader.nextInFile();
        while (more) {
          if (!isWhole(reader)) {
            int bytes = Math.min(reader.length(), maxRecordBytes);
            lostHere += DamagedBatch.messages(reader.view(), reader.offset(), bytes);
          } else if (isBatch(reader)) {
            next = Math.max(next, endOrdinal(reader));
            lostHere = 0;
            largest = Math.max(largest, RecordCodec.count(reader.view(), reader.offset()));
          }
          // Somebody may have appended since it was at the end.
          more = reader.nextInFile() || (reader.missingAtEnd() > 0 && reader.nextInFile());
        }
        if (entered) {
          lostHere += reader.missingAtEnd() * largest;
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

  private static boolean isWhole(ExcerptReader reader) {
    return RecordFormat.JOURNAL.defect(reader.view(), reader.offset(), reader.length()) == null;
  }

  private static boolean isBatch(ExcerptReader reader) {
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
    withoutCopies.remove(cycle);
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
    int found = files.firstCycle();
    // Newest first: most cursors want to be near the end.
    for (int cycle = newest(); cycle >= 0; cycle = files.cycleBefore(cycle)) {
      long first = firstOrdinalOf(cycle);
      if (first >= 0 && first <= ordinal) {
        return cycle;
      }
    }
    return found;
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

  /** See {@link JournalContents#relocations}. */
  Collection<MessageRef> relocations() throws IOException {
    TreeMap<Long, MessageRef> relocations = new TreeMap<>();
    try (ExcerptReader reader = reader()) {
      for (int cycle = files.firstCycle(); cycle >= 0; cycle = files.cycleAfter(cycle)) {
        boolean isComplete = cycle < files.completeBelow();
        if (withoutCopies.contains(cycle)) {
          continue;
        }
        boolean any = false;
        boolean more = reader.moveToCycle(cycle);
        while (more && reader.nextInFile()) {
          if (isCopy(reader)) {
            MessageRef relocation = relocation(reader);
            relocations.put(relocation.ordinal(), relocation);
            any = true;
          }
        }
        if (isComplete && !any) {
          withoutCopies.add(cycle);
        }
      }
    }
    return relocations.values();
  }

  /** The checksum of others is not computed. */
  private static boolean isCopy(ExcerptReader reader) {
    return reader.length() >= RecordCodec.JOURNAL_HEAD_BYTES && !isBatch(reader) && isWhole(reader);
  }

  private static MessageRef relocation(ExcerptReader reader) {
    int at = reader.offset() + RecordCodec.JOURNAL_HEAD_BYTES;
    long ordinal = reader.view().getLong(reader.offset() + RecordCodec.ORDINAL_OFFSET);
    int body = at + Integer.BYTES - reader.offset() + Position.offset(reader.position());
    return new MessageRef(ordinal, reader.position(), body, reader.view().getInt(at), 0, true);
  }
}
