package io.holdfast.storage.journal;

import io.holdfast.storage.journal.Bisection.Answer;
import io.holdfast.storage.log.ExcerptIndex;
import io.holdfast.storage.log.ExcerptReader;
import io.holdfast.storage.log.LogFiles;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.record.RecordFormat;
import io.holdfast.storage.values.Position;
import java.io.IOException;

/**
 * Finds places in a journal's files by bisection: over the files, then over what Chronicle's index
 * of one file has, so that the number of reads grows with the logarithm of the number of messages.
 * An entry of the index counts only if a whole publish command stands there; what is looked for is
 * then found by reading on from the last one before it. Where a clock was set back, times do not
 * rise with the ordinals; then the place found is one of several. Any thread.
 */
final class JournalSeek {
  private static final long UNKNOWN = -1;

  private final LogFiles files;

  JournalSeek(LogFiles files) {
    this.files = files;
  }

  /** Asks the publish command that a reader stands on. */
  private interface Test {
    boolean isBefore(ExcerptReader reader);
  }

  /**
   * The first message published at a time or later.
   *
   * @param timeNs since 1970
   * @param otherwise what to answer when none is late enough
   */
  long ordinalAt(long timeNs, long otherwise) throws IOException {
    try (ExcerptReader reader = new ExcerptReader(files, RecordFormat.JOURNAL)) {
      // The last file that begins before the time; what is looked for is in it or begins the next.
      int cycle = lastFile(at -> ask(firstTimeNs(reader, at), timeNs));
      boolean entered =
          cycle == Bisection.NONE
              ? reader.moveToCycle(files.firstCycle())
              : enter(reader, cycle, on -> timeNs(on) < timeNs);
      while (entered && reader.next()) {
        if (isMessages(reader) && timeNs(reader) >= timeNs) {
          return ordinal(reader);
        }
      }
      return otherwise;
    }
  }

  private static Answer ask(long firstNs, long timeNs) {
    return firstNs == UNKNOWN ? Answer.UNKNOWN : Answer.of(firstNs < timeNs);
  }

  /** The last file before what is looked for, {@link Bisection#NONE} when all are behind. */
  int lastFile(Bisection.Question question) throws IOException {
    int newest = files.cycleBefore(Integer.MAX_VALUE);
    int oldest = Math.max(0, files.firstCycle());
    return Bisection.lastBefore(oldest, newest + 1, cycle -> files.cycleAfter(cycle - 1), question);
  }

  /** The time of a file's first message, {@link #UNKNOWN} when it has none that can be read. */
  private static long firstTimeNs(ExcerptReader reader, int cycle) throws IOException {
    boolean more = reader.moveToCycle(cycle);
    while (more && reader.nextInFile()) {
      if (isMessages(reader)) {
        return timeNs(reader);
      }
    }
    return UNKNOWN;
  }

  /**
   * Has a reader go on at or before the publish command of a message, close to it.
   *
   * @param cycle the file that has it if any has
   * @return false when the file is gone
   */
  boolean enter(ExcerptReader reader, int cycle, long ordinal) throws IOException {
    return enter(reader, cycle, on -> ordinal(on) <= ordinal);
  }

  private boolean enter(ExcerptReader reader, int cycle, Test test) throws IOException {
    ExcerptIndex index = new ExcerptIndex(files, cycle);
    int entry;
    // What this one has read may be half written; the other one must not take it for the end.
    try (ExcerptReader probe = new ExcerptReader(files, RecordFormat.JOURNAL)) {
      entry =
          Bisection.lastBefore(
              0,
              index.size(),
              place -> place,
              place ->
                  isPublish(probe, index.position(place))
                      ? Answer.of(test.isBefore(probe))
                      : Answer.UNKNOWN);
    }
    if (entry == Bisection.NONE) {
      return reader.moveToCycle(cycle);
    }
    reader.moveTo(index.position(entry));
    return true;
  }

  /** Whether a whole publish command stands at a position; the reader is on it then. */
  private static boolean isPublish(ExcerptReader reader, long position) throws IOException {
    return position >= 0
        && reader.attachTo(position, Position.offset(position)) >= 0
        && reader.defect() == null
        && JournalFiles.isBatch(reader);
  }

  private static long timeNs(ExcerptReader reader) {
    return reader.view().getLong(reader.offset() + RecordCodec.TIME_OFFSET);
  }

  private static long ordinal(ExcerptReader reader) {
    return reader.view().getLong(reader.offset() + RecordCodec.ORDINAL_OFFSET);
  }

  /** Whether it is a publish command and whole as far as its head tells; the body is not read. */
  private static boolean isMessages(ExcerptReader reader) {
    return RecordCodec.headDefect(
                reader.view(),
                reader.offset(),
                reader.length(),
                RecordCodec.JOURNAL_MAGIC,
                RecordCodec.JOURNAL_HEAD_BYTES)
            == null
        && JournalFiles.isBatch(reader)
        && reader.view().getInt(reader.offset() + RecordCodec.COUNT_OFFSET) > 0;
  }
}
