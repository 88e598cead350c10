package io.holdfast.storage.ledger;

import io.holdfast.storage.log.ExcerptLog;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.roaringbitmap.RoaringBitmap;

/** Writes a ledger's records, as few as hold what there is to say. The channel's lock guards it. */
final class LedgerWriter {
  private final ExcerptLog log;
  private final Runnable onWritten;
  private final LedgerRecord record = new LedgerRecord();

  /** Records written by this process. */
  private int records;

  private long bytesSinceCheckpoint;

  /** Set when a record could not be written: memory knows more than the disk until a checkpoint. */
  private boolean behind;

  /** How often the channel was rewound; each record says it. */
  private long generation;

  /** Whether there are or were records that version 1.0 does not know. */
  private boolean usesFormat2;

  private Runnable onFormat2 = () -> {};

  /**
   * @param onWritten run after each record; must not block
   */
  LedgerWriter(ExcerptLog log, Runnable onWritten) {
    this.log = log;
    this.onWritten = onWritten;
  }

  // ---------------------------------------------------------------- state

  /** See {@link ChannelAccount#onFormat2}. */
  void onFormat2(Runnable told) {
    onFormat2 = told;
    if (usesFormat2) {
      told.run();
    }
  }

  /** A record of format 2 comes next. */
  void useFormat2() {
    if (!usesFormat2) {
      usesFormat2 = true;
      onFormat2.run();
    }
  }

  boolean isBehind() {
    return behind;
  }

  /** Sets it: a checkpoint has made up for it, or one of before is still to. */
  void behind(boolean isBehind) {
    behind = isBehind;
  }

  long bytesSinceCheckpoint() {
    return bytesSinceCheckpoint;
  }

  long generation() {
    return generation;
  }

  void generation(long next) {
    generation = next;
  }

  /** Sets how much was written since the last checkpoint. */
  void bytesSinceCheckpoint(long bytes) {
    bytesSinceCheckpoint = bytes;
  }

  /** Gives back what the records were made in. */
  void release() {
    record.release();
  }

  // ---------------------------------------------------------------- records

  /** Messages in ascending order, of one type. */
  void ranges(int type, OrdinalRanges ranges) throws IOException {
    for (int i = 0; i < ranges.count(); i += LedgerCodec.MAX_ENTRIES) {
      int count = Math.min(LedgerCodec.MAX_ENTRIES, ranges.count() - i);
      ByteBuffer to = record.begin(generation, count * LedgerCodec.maxRangeBytes());
      LedgerCodec.putRanges(to, ranges, i, count);
      write(type, count);
    }
  }

  /** Messages with attempts or due times, of one type. */
  void held(int type, List<HeldMessage> messages) throws IOException {
    for (int i = 0; i < messages.size(); i += LedgerCodec.MAX_ENTRIES) {
      int to = Math.min(messages.size(), i + LedgerCodec.MAX_ENTRIES);
      heldRecord(type, messages.subList(i, to));
    }
  }

  private void heldRecord(int type, List<HeldMessage> messages) throws IOException {
    int exactType = LedgerCodec.heldType(type, messages);
    if (LedgerCodec.hasMarks(exactType)) {
      useFormat2();
    }
    ByteBuffer to = record.begin(generation, messages.size() * LedgerCodec.maxHeldBytes());
    LedgerCodec.putHeld(to, exactType, messages);
    write(exactType, messages.size());
  }

  /** Everything below an ordinal was dropped. */
  void empty(long floor) throws IOException {
    record.begin(generation, Long.BYTES).putLong(floor);
    write(LedgerCodec.EMPTY, 0);
  }

  /**
   * All records of a checkpoint.
   *
   * @param begin see {@link LedgerState#begin}; negative for not known
   * @param delivered null for nothing
   * @return the file that the first of them is in
   */
  int checkpoint(
      long begin, FinishedSet finished, long end, Iterator<HeldMessage> held, FinishedSet delivered)
      throws IOException {
    ByteBuffer to = record.begin(generation, 3 * Long.BYTES);
    to.putLong(finished.floor());
    to.putLong(end);
    if (begin >= 0 || generation > 0) {
      to.putLong(begin);
    }
    boolean isFloorOnly = finished.segments().isEmpty() && delivered == null && !held.hasNext();
    if (isFloorOnly && log.isIdle()) {
      // A new channel, or one that has finished everything: there are thousands of them.
      writeFile();
      return log.currentCycle();
    }
    return writeParts(finished, held, delivered);
  }

  /** Writes a file of two records: the beginning that was made, and the end of a checkpoint. */
  private void writeFile() throws IOException {
    int bytes = record.end(LedgerCodec.CHECKPOINT_BEGIN, 0);
    ByteBuffer first = record.copy();
    record.begin(generation, 0);
    bytes += record.end(LedgerCodec.CHECKPOINT_END, 1);
    List<ByteBuffer> both = List.of(first, record.copy());
    try {
      log.appendFile(both);
    } catch (IOException | RuntimeException e) {
      throw failed(e);
    }
    written(both.size(), bytes);
  }

  /** As records of any number, after the beginning that was made; returns its file. */
  private int writeParts(FinishedSet finished, Iterator<HeldMessage> held, FinishedSet delivered)
      throws IOException {
    int firstRecord = records;
    write(LedgerCodec.CHECKPOINT_BEGIN, 0);
    int cycle = log.currentCycle();
    segments(LedgerCodec.CHECKPOINT_FINISHED, finished);
    if (delivered != null) {
      segments(LedgerCodec.CHECKPOINT_DELIVERED, delivered);
    }
    List<HeldMessage> chunk = new ArrayList<>();
    while (held.hasNext()) {
      chunk.add(held.next());
      if (chunk.size() == LedgerCodec.MAX_ENTRIES || !held.hasNext()) {
        heldRecord(LedgerCodec.CHECKPOINT_HELD, chunk);
        chunk.clear();
      }
    }
    record.begin(generation, 0);
    // Says how many records there are to be: after a power cut one of them may be missing.
    write(LedgerCodec.CHECKPOINT_END, records - firstRecord);
    return cycle;
  }

  private void segments(int type, FinishedSet set) throws IOException {
    OrdinalRanges ranges = new OrdinalRanges();
    for (Map.Entry<Long, RoaringBitmap> segment : set.segments().entrySet()) {
      FinishedSet.addRanges(segment.getKey(), segment.getValue(), ranges);
      ranges(type, ranges);
      ranges.clear();
    }
  }

  private void write(int type, int count) throws IOException {
    int bytes = record.end(type, count);
    try {
      log.append(record.head(), record.payload());
    } catch (IOException | RuntimeException e) {
      throw failed(e);
    }
    written(1, bytes);
  }

  private IOException failed(Exception e) {
    behind = true;
    return e instanceof IOException io ? io : new IOException(e.toString(), e);
  }

  private void written(int count, int bytes) {
    bytesSinceCheckpoint += bytes;
    records += count;
    onWritten.run();
  }
}
