package io.holdfast.storage.journal;

import io.holdfast.storage.log.ExcerptLog;
import io.holdfast.storage.log.ExcerptReader;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.record.RecordFormat;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds a journal's messages by publish time: by bisection over its files, then record by record in
 * one file, so that the time taken depends on the size of a file and not on that of the journal.
 * Where a clock was set back, times do not rise with the ordinals; then the first place found is
 * one of several. For one caller at a time.
 */
final class JournalSeek {
  private static final long UNKNOWN = -1;

  private final ExcerptLog log;
  private final long nextOrdinal;

  /**
   * @param nextOrdinal what to answer when no message is late enough
   */
  JournalSeek(ExcerptLog log, long nextOrdinal) {
    this.log = log;
    this.nextOrdinal = nextOrdinal;
  }

  /**
   * The first message published at a time or later.
   *
   * @param timeNs since 1970
   */
  long ordinalAt(long timeNs) throws IOException {
    List<Integer> cycles = new ArrayList<>(log.cycles());
    int low = 0;
    int high = cycles.size();
    try (ExcerptReader reader = log.reader(RecordFormat.JOURNAL)) {
      // The last file that begins before the time; what is looked for is in it or begins the next.
      while (low < high) {
        int middle = (low + high) >>> 1;
        int known = middle;
        long first = UNKNOWN;
        while (known < high && first == UNKNOWN) {
          first = firstTimeNs(reader, cycles.get(known));
          known++;
        }
        if (first == UNKNOWN || first >= timeNs) {
          high = middle;
        } else {
          low = known;
        }
      }
      return scan(reader, low == 0 ? log.firstCycle() : cycles.get(low - 1), timeNs);
    }
  }

  /** The time of a file's first message, {@link #UNKNOWN} when it has none that can be read. */
  private static long firstTimeNs(ExcerptReader reader, int cycle) throws IOException {
    if (reader.moveToCycle(cycle)) {
      while (reader.next() && Position.cycle(reader.position()) == cycle) {
        if (isMessages(reader)) {
          return timeNs(reader);
        }
      }
    }
    return UNKNOWN;
  }

  private long scan(ExcerptReader reader, int cycle, long timeNs) throws IOException {
    if (cycle < 0 || !reader.moveToCycle(cycle)) {
      return nextOrdinal;
    }
    while (reader.next()) {
      if (isMessages(reader) && timeNs(reader) >= timeNs) {
        return reader.view().getLong(reader.offset() + RecordCodec.ORDINAL_OFFSET);
      }
    }
    return nextOrdinal;
  }

  private static long timeNs(ExcerptReader reader) {
    return reader.view().getLong(reader.offset() + RecordCodec.TIME_OFFSET);
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
        && RecordCodec.type(reader.view(), reader.offset()) == RecordCodec.TYPE_BATCH
        && reader.view().getInt(reader.offset() + RecordCodec.COUNT_OFFSET) > 0;
  }
}
