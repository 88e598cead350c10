package io.holdfast.storage.raft;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.log.ExcerptReader;
import io.holdfast.storage.log.LogFiles;
import io.holdfast.storage.record.RecordFormat;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * Reads the records of a log from the oldest file on, up to the first that is not the next one:
 * damaged, or of another sequence, or not linked to the entry before. What a power cut tore is such
 * a break as well, so that the entries are always those of a moment that there was. Behind a break
 * only two things count: a RESUME that an earlier opening wrote there, and what later records say
 * was on disk before them.
 */
final class RaftLogReplay {
  private static final int CHUNK_BYTES = 64 << 10;

  private final LogFiles log;
  private final RaftLogState state;
  private final EntryCursors cursors;

  /** Of the record read last; 0 before the first. */
  private long sequence;

  /** The file in which records begin that may not be forced. */
  private int unforcedCycle;

  private String defect;
  private long brokenAt;

  /** What whole records behind the break say was on disk. */
  private long provenTo;

  /** The highest index of them. */
  private long seenTo;

  /** How many records Chronicle says there are behind the break, in its file. */
  private long missing;

  RaftLogReplay(LogFiles log, RaftLogState state, EntryCursors cursors) {
    this.log = log;
    this.state = state;
    this.cursors = cursors;
  }

  void run() throws IOException {
    try (ExcerptReader reader = new ExcerptReader(log, RecordFormat.RAFT)) {
      reader.onBreak((at, what) -> broken(reader, at, what));
      while (reader.next()) {
        take(reader);
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private void broken(ExcerptReader reader, long at, String what) {
    if (defect != null) {
      return;
    }
    defect = what;
    brokenAt = at;
    try {
      missing = reader.missingAtEnd();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void take(ExcerptReader reader) throws IOException {
    long at = reader.position();
    String damage = reader.unreadable();
    if (damage == null) {
      damage = RecordFormat.RAFT.defect(reader.view(), reader.offset(), reader.length());
    }
    if (damage != null) {
      broken(reader, at, damage);
      return;
    }
    RaftRecord record = RaftRecord.read(reader.view(), reader.offset());
    if (defect != null && !resumes(record, at)) {
      noteBehindBreak(record);
      return;
    }
    String wrong = defectOf(record);
    if (wrong != null) {
      broken(reader, at, wrong);
      noteBehindBreak(record);
      return;
    }
    defect = null;
    provenTo = 0;
    seenTo = 0;
    if (record.unforced() == 0 || sequence == 0) {
      unforcedCycle = Position.cycle(at);
    }
    sequence = record.sequence();
    state.recordAt(at, record.bytes());
    apply(record, at, reader);
  }

  private boolean resumes(RaftRecord record, long at) {
    return record.type() == RaftRecord.RESUME
        && sequence > 0
        && record.sequence() == sequence + 1
        && Position.cycle(at) > Position.cycle(brokenAt);
  }

  private void noteBehindBreak(RaftRecord record) {
    provenTo = Math.max(provenTo, record.forcedTo());
    seenTo = Math.max(seenTo, record.index());
  }

  /** Says why a whole record is not the next one, null when it is. */
  private String defectOf(RaftRecord record) throws IOException {
    if (sequence > 0 && record.sequence() != sequence + 1) {
      return "record " + record.sequence() + " follows record " + sequence;
    }
    long index = record.index();
    boolean known = state.start() > 0;
    boolean fits =
        switch (record.type()) {
          case RaftRecord.ENTRY -> index >= state.floor() && (!known || index <= state.last() + 1);
          case RaftRecord.CUT -> index >= state.floor() && (!known || index <= state.last());
          case RaftRecord.FIRST -> index > state.floor() && (!known || index <= state.last());
          case RaftRecord.BEGIN -> true;
          case RaftRecord.RESUME -> !known || index == state.last() + 1;
          default -> false;
        };
    if (!fits || index < 1 || record.unforced() < 0 || record.forcedTo() < 0) {
      return "no record of type " + record.type() + " and index " + index + " can come here";
    }
    return known && isLinked(record.type()) ? linkDefect(record) : null;
  }

  private static boolean isLinked(int type) {
    return type == RaftRecord.ENTRY || type == RaftRecord.CUT || type == RaftRecord.RESUME;
  }

  private String linkDefect(RaftRecord record) throws IOException {
    long term = state.lastTerm();
    int crc = state.lastCrc();
    if (record.index() < state.start()) {
      // The entry before was in a file that is gone.
      return null;
    }
    if (record.index() <= state.last()) {
      RaftRecord replaced = cursors.find(record.index(), state.placeOf(record.index()));
      term = replaced.prevTerm();
      crc = replaced.prevCrc();
    }
    return term == record.prevTerm() && crc == record.prevCrc()
        ? null
        : "the entry before " + record.index() + " is another one";
  }

  private void apply(RaftRecord record, long at, ExcerptReader reader) {
    switch (record.type()) {
      case RaftRecord.ENTRY -> state.entry(record, at);
      case RaftRecord.CUT -> state.cut(record);
      case RaftRecord.FIRST -> state.first(record.index());
      case RaftRecord.BEGIN -> state.begin(record);
      default -> state.resume(record);
    }
    boolean hasDoubt =
        record.type() != RaftRecord.ENTRY
            && record.bytes() >= RaftRecord.HEAD_BYTES + 2 * Long.BYTES;
    if (hasDoubt) {
      ByteBuffer view = reader.view();
      int payload = reader.offset() + RaftRecord.HEAD_BYTES;
      state.doubt(view.getLong(payload), view.getLong(payload + Long.BYTES));
    }
  }

  /** Of the last record that counts, 0 when there is none. */
  long sequence() {
    return sequence;
  }

  /** Whether there is more behind the last record that counts. */
  boolean isBroken() {
    return defect != null;
  }

  /** What the break is, for people. */
  String defect() {
    return defect;
  }

  /** Where it is, see {@link Position}. */
  long brokenAt() {
    return brokenAt;
  }

  /** Up to which sequence records behind the break say that all was on disk. */
  long provenTo() {
    return provenTo;
  }

  /**
   * The highest index that an entry behind the break can have had.
   *
   * @param disk to look at how much is written there
   */
  long lostTo(Disk disk) throws IOException {
    long bytes = 0;
    int from = Position.offset(brokenAt);
    for (int cycle = Position.cycle(brokenAt); cycle >= 0; cycle = log.cycleAfter(cycle)) {
      bytes += Math.max(0, writtenEnd(disk, log.file(cycle)) - from);
      from = 0;
    }
    long records = Math.max(1, Math.max(missing, bytes / RaftRecord.HEAD_BYTES));
    return Math.max(seenTo, state.last() + records);
  }

  /** Where the zeros begin that are the rest of a file. */
  private static long writtenEnd(Disk disk, Path file) throws IOException {
    try (FileChannel channel = disk.openToRead(file)) {
      long end = DurableFiles.dataEnd(file);
      ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
      while (end > 0) {
        long from = Math.max(0, end - CHUNK_BYTES);
        chunk.clear().limit((int) (end - from));
        int count = 1;
        while (chunk.hasRemaining() && count > 0) {
          count = disk.read(file, channel, chunk, from + chunk.position());
        }
        for (int at = chunk.position() - 1; at >= 0; at--) {
          if (chunk.get(at) != 0) {
            return from + at + 1;
          }
        }
        end = from;
      }
      return 0;
    }
  }

  /** The file in which the records begin that need not be on disk. */
  int unforcedCycle() {
    return unforcedCycle;
  }
}
