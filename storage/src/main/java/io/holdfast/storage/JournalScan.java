package io.holdfast.storage;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * The messages of a topic's journal in order, for the tools: read-only and in constant memory, also
 * beside a running broker. At the end it can be asked again for what was published since. Not
 * thread-safe.
 */
public final class JournalScan implements Closeable {
  private final RecordScan records;
  private final Defect.Listener listener;
  private final boolean headsOnly;

  private long firstOrdinal;
  private long timestampNs;
  private long deferMs;
  private boolean carried;
  private int count;
  private int read;
  private int at;
  private int end;
  private ByteBuffer bodies;
  private ByteBuffer bodiesOf;

  JournalScan(Path dir, RecordScan.Mode mode, Defect.Listener listener) {
    records = new RecordScan(dir, RecordCodec.JOURNAL_MAGIC, mode, listener);
    this.listener = listener;
    headsOnly = mode == RecordScan.Mode.HEADS;
  }

  /** Continues before the newest file that begins at or below an ordinal. */
  void moveTo(Path dir, long ordinal) throws IOException {
    int found = -1;
    for (int cycle : RecordScan.cycles(dir)) {
      long first = firstOrdinalOf(dir, cycle);
      if (first > ordinal) {
        break;
      }
      found = cycle;
    }
    if (found >= 0) {
      records.moveToCycle(found);
    }
  }

  /** The ordinal a file begins with, -1 when nothing in it can be read. */
  static long firstOrdinalOf(Path dir, int cycle) throws IOException {
    try (JournalScan scan = new JournalScan(dir, RecordScan.Mode.HEADS, Defect.Listener.NONE)) {
      scan.records.moveToCycle(cycle);
      return scan.nextBatch() && scan.records.cycle() == cycle ? scan.firstOrdinal : -1;
    }
  }

  /** Goes to the next publish command; false when there is none (yet). */
  public boolean nextBatch() throws IOException {
    while (next()) {
      if (!carried) {
        return true;
      }
    }
    return false;
  }

  /**
   * Goes to the next publish command, or to the copy of one message that was carried forward and of
   * which a channel needs this copy, because the message's own record is gone. As each message is
   * found once this way, it is what one wants who asks for the messages.
   */
  public boolean nextBatchOrCopy(TopicView topic) throws IOException {
    while (next()) {
      if (!carried || firstOrdinal < topic.firstOrdinal() && topic.needsCopy(this)) {
        return true;
      }
    }
    return false;
  }

  /** Goes to the next record, whatever it is. */
  boolean next() throws IOException {
    while (records.next()) {
      ByteBuffer view = records.view();
      int offset = records.offset();
      int type = RecordCodec.type(view, offset);
      carried = type == RecordCodec.TYPE_CARRIED;
      if (type != RecordCodec.TYPE_BATCH && !carried) {
        report("record type " + type + " is not known");
        continue;
      }
      firstOrdinal = view.getLong(offset + RecordCodec.ORDINAL_OFFSET);
      timestampNs = view.getLong(offset + RecordCodec.TIME_OFFSET);
      deferMs = view.getLong(offset + RecordCodec.DEFER_OFFSET);
      count = Math.max(0, view.getInt(offset + RecordCodec.COUNT_OFFSET));
      end = offset + view.getInt(offset + RecordCodec.LENGTH_OFFSET);
      rewind();
      if (!headsOnly && !sectionFits(view)) {
        report("its " + count + " messages do not fit in the record's length");
        continue;
      }
      return true;
    }
    return false;
  }

  /** Back to the first message of the batch. */
  void rewind() {
    at = records.offset() + RecordCodec.JOURNAL_HEAD_BYTES;
    read = 0;
  }

  private boolean sectionFits(ByteBuffer view) {
    long next = at;
    for (int i = 0; i < count; i++) {
      if (next + Integer.BYTES > end || view.getInt((int) next) < 0) {
        return false;
      }
      next += Integer.BYTES + view.getInt((int) next);
    }
    return next == end;
  }

  private void report(String what) {
    listener.defect(
        new Defect(
            file(),
            offset(),
            false,
            what,
            "the broker reports and skips it; its messages are lost"));
  }

  /**
   * Goes to the next message of the batch.
   *
   * @param to valid until the next call
   * @return false when that was the last one
   */
  public boolean nextMessage(MessageView to) {
    if (read == count) {
      return false;
    }
    ByteBuffer view = records.view();
    if (bodiesOf != view) {
      bodiesOf = view;
      bodies = view.duplicate();
    }
    int length = view.getInt(at);
    int body = at + Integer.BYTES;
    int fileToView = ExcerptLog.offsetOf(records.position()) - records.offset();
    bodies.clear();
    to.set(
        firstOrdinal + read,
        timestampNs,
        deferMs,
        records.position(),
        bodies,
        body,
        length,
        body + fileToView);
    at = body + length;
    read++;
    return true;
  }

  /** All messages of the batch as they stand in the record: length, body, length, body ... */
  ByteBuffer section() {
    ByteBuffer section = records.view().duplicate();
    section.limit(end).position(records.offset() + RecordCodec.JOURNAL_HEAD_BYTES);
    return section;
  }

  /** Whether this is a copy of an older message. */
  public boolean isCarried() {
    return carried;
  }

  /** Where the record stands, see {@link MessageView#batchPosition}. */
  long position() {
    return records.position();
  }

  /** The ordinal of the batch's first message. */
  public long firstOrdinal() {
    return firstOrdinal;
  }

  /** One above the ordinal of its last message. */
  public long endOrdinal() {
    return firstOrdinal + count;
  }

  /** Its messages. */
  public int count() {
    return count;
  }

  /** When it was published, ns since 1970. */
  public long timestampNs() {
    return timestampNs;
  }

  /** The deferral it was published with, ms; 0 for none. */
  public long deferMs() {
    return deferMs;
  }

  /** Bytes of its record. */
  public int recordBytes() {
    return records.length();
  }

  /** The file it is in. */
  public Path file() {
    return records.file(records.cycle());
  }

  /** Where in the file its record begins. */
  public int offset() {
    return ExcerptLog.offsetOf(records.position());
  }

  /** How far {@link #file} has been read, bytes. */
  public long fileOffset() {
    return records.fileOffset();
  }

  RecordScan records() {
    return records;
  }

  @Override
  public void close() throws IOException {
    records.close();
  }
}
