package io.holdfast.storage.inspect;

import io.holdfast.storage.journal.JournalView;
import io.holdfast.storage.log.ExcerptReader;
import io.holdfast.storage.log.LogView;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import io.holdfast.storage.values.Position;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The messages of a topic's journal in order, for the tools: read by the broker's own reader, in
 * constant memory, also beside a running broker. At the end it can be asked again for what was
 * published since. Not thread-safe.
 */
public final class JournalScan implements Closeable {
  private static final long NONE = -1;

  private final LogView log;
  private final ExcerptReader records;
  private final Defect.Listener listener;

  /** Ordinals that were passed without a message. */
  private final OrdinalRanges missing = new OrdinalRanges();

  private long expected = NONE;
  private long firstOrdinal;
  private long timestampNs;
  private long deferMs;
  private boolean relocated;
  private int count;
  private int read;
  private int at;
  private int end;

  /**
   * @param cycle file to begin with; negative for the oldest
   */
  JournalScan(JournalView journal, int cycle, Defect.Listener listener) {
    log = journal.log();
    this.listener = listener;
    records = journal.reader();
    records.onBreak(
        (place, what) -> report(place, what, "the broker searches for the records behind it"));
    records.moveToCycle(cycle);
  }

  /** Goes to the next publish command; false when there is none (yet). */
  public boolean nextBatch() throws IOException {
    while (next()) {
      if (!relocated) {
        return true;
      }
    }
    return false;
  }

  /**
   * Goes to the next publish command, or to a relocated message of which a channel needs this
   * place, because the message's own record is gone. As each message is found once this way, it is
   * what one wants who asks for the messages.
   */
  public boolean nextBatchOrCopy(TopicView topic) throws IOException {
    while (next()) {
      if (!relocated || (isMissing(topic, firstOrdinal) && topic.needsRelocation(this))) {
        return true;
      }
    }
    return false;
  }

  private boolean isMissing(TopicView topic, long ordinal) {
    boolean passed = ordinal < topic.firstOrdinal();
    for (int i = 0; i < missing.count() && !passed; i++) {
      passed = ordinal >= missing.from(i) && ordinal < missing.to(i);
    }
    return passed;
  }

  /** Goes to the next record, whatever it is. */
  boolean next() throws IOException {
    while (records.next() || (log.refresh() && records.next())) {
      ByteBuffer view = records.view();
      int offset = records.offset();
      String defect = records.defect();
      if (defect != null) {
        String block = records.unreadable();
        report(records.position(), block == null ? defect : block, lost(view, offset));
        continue;
      }
      int type = RecordCodec.type(view, offset);
      relocated = type == RecordCodec.TYPE_RELOCATED;
      if (type != RecordCodec.TYPE_BATCH && !relocated) {
        report(
            records.position(),
            "record type " + type + " is not known",
            "the broker passes it over");
        continue;
      }
      firstOrdinal = view.getLong(offset + RecordCodec.ORDINAL_OFFSET);
      timestampNs = view.getLong(offset + RecordCodec.TIME_OFFSET);
      deferMs = view.getLong(offset + RecordCodec.DEFER_OFFSET);
      count = Math.max(0, view.getInt(offset + RecordCodec.COUNT_OFFSET));
      end = offset + view.getInt(offset + RecordCodec.LENGTH_OFFSET);
      rewind();
      if (!relocated) {
        noteMissing();
      }
      return true;
    }
    return false;
  }

  private void noteMissing() {
    if (expected != NONE && firstOrdinal > expected) {
      missing.add(expected, firstOrdinal);
    }
    expected = Math.max(expected, endOrdinal());
  }

  /** What a damaged record held, as far as its head can be believed. */
  private String lost(ByteBuffer view, int offset) {
    String head =
        RecordCodec.headDefect(
            view,
            offset,
            records.length(),
            RecordCodec.JOURNAL_MAGIC,
            RecordCodec.JOURNAL_HEAD_BYTES);
    if (head != null) {
      return "the broker reports and skips it: its messages are lost";
    }
    return "the broker reports and skips it: its "
        + view.getInt(offset + RecordCodec.COUNT_OFFSET)
        + " message(s) from ordinal "
        + view.getLong(offset + RecordCodec.ORDINAL_OFFSET)
        + " on are lost";
  }

  private void report(long place, String what, String consequence) {
    Path file = log.file(Position.cycle(place));
    if (!Files.exists(file)) {
      // Removed meanwhile, and perhaps another file by now: nothing that is needed is missing.
      return;
    }
    listener.defect(new Defect(file, Position.offset(place), false, what, consequence));
  }

  /** Back to the first message of the batch. */
  void rewind() {
    at = records.offset() + RecordCodec.JOURNAL_HEAD_BYTES;
    read = 0;
  }

  /**
   * Goes to the next message of the batch.
   *
   * @param to valid until the next call
   * @return false when that was the last one
   */
  public boolean nextMessage(MessageView to) {
    if (read == count || at + Integer.BYTES > end) {
      return false;
    }
    int length = records.view().getInt(at);
    int body = at + Integer.BYTES;
    int fileToView = offset() - records.offset();
    to.set(
        firstOrdinal + read,
        timestampNs,
        deferMs,
        records.position(),
        records.bodies().clear(),
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

  /** Whether this is a relocated message. */
  public boolean isRelocated() {
    return relocated;
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
    return log.file(Position.cycle(position()));
  }

  /** Where in the file its record begins. */
  public int offset() {
    return Position.offset(position());
  }

  /** How far {@link #file} has been read, bytes. */
  public long fileOffset() {
    return (long) offset() + recordBytes();
  }

  @Override
  public void close() {
    records.close();
  }
}
