package io.holdfast.storage.journal;

import io.holdfast.storage.log.ExcerptReader;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The cursor of a journal whose records are excerpts in files. Files are opened at first use. Not
 * thread-safe (the channel's lock).
 */
final class FilesCursor implements JournalCursor {
  private static final Logger LOG = LoggerFactory.getLogger(JournalCursor.class);

  private final JournalContents journal;
  private final JournalFiles files;

  /** For messages to people. */
  private final String name;

  private Consumer<String> unreadableTo = LOG::error;

  private final ExcerptReader inOrder;
  private final ExcerptReader byReference;

  /** The ordinal {@link #next} looks for. */
  private long nextOrdinal;

  /** Whether {@link #inOrder} stands on a checked record holding or before {@link #nextOrdinal}. */
  private boolean onRecord;

  private boolean positioned;

  // The record inOrder stands on.
  private ByteBuffer view;
  private long endOrdinal;
  private long timestampNs;
  private long deferMs;
  private long batchPosition;
  private int fileToView;

  /** Offset in the view of the length field of message {@link #nextOrdinal}. */
  private int at;

  private int recordEnd;

  /** The record that {@link #read} checked last. */
  private long checkedPosition = MessageRef.NOWHERE;

  private long unreadable;

  /** Place and kind of the first damage since the last whole record, null for none. */
  private String defectBefore;

  FilesCursor(JournalContents journal, JournalFiles files, String name) {
    this.journal = journal;
    this.files = files;
    this.name = name;
    inOrder = files.reader();
    byReference = files.reader();
  }

  @Override
  public void onUnreadable(Consumer<String> listener) {
    unreadableTo = listener;
  }

  private void report(String format, Object... of) {
    unreadableTo.accept(String.format(Locale.ROOT, format, of));
  }

  @Override
  public long nextOrdinal() {
    return nextOrdinal;
  }

  @Override
  public OrdinalRanges skipped() {
    return journal.skipped();
  }

  @Override
  public void moveTo(long ordinal) {
    nextOrdinal = ordinal;
    onRecord = false;
    positioned = false;
  }

  @Override
  public void moveTo(Batch batch, long ordinal) {
    nextOrdinal = ordinal;
    onRecord = false;
    inOrder.moveTo(batch.position());
    positioned = true;
  }

  @Override
  public boolean next(MessageView to, long end) throws IOException {
    if (nextOrdinal >= end) {
      return false;
    }
    if (!onRecord && !findRecord(end)) {
      if (nextOrdinal < end) {
        skipTo(end);
      }
      return false;
    }
    if (nextOrdinal >= end) {
      return false;
    }
    int length = view.getInt(at);
    to.set(
        nextOrdinal,
        timestampNs,
        deferMs,
        batchPosition,
        inOrder.bodies(),
        at + 4,
        length,
        at + 4 + fileToView);
    at += 4 + length;
    nextOrdinal++;
    onRecord = nextOrdinal < endOrdinal;
    return true;
  }

  /** Says in one line what cannot be read and why. */
  private void skipTo(long ordinal) {
    long missing = ordinal - nextOrdinal - skipped().overlap(nextOrdinal, ordinal);
    if (missing > 0) {
      report(
          "%s: %d message(s), %d to %d, cannot be read and are skipped: %s",
          name,
          missing,
          nextOrdinal,
          lastUsedBelow(ordinal),
          defectBefore == null ? "they are in no file" : defectBefore);
      unreadable += missing;
    }
    defectBefore = null;
    nextOrdinal = ordinal;
  }

  /** Goes to the record of nextOrdinal, or the first one behind it. */
  private boolean findRecord(long end) throws IOException {
    if (!positioned) {
      positioned = files.enter(inOrder, nextOrdinal);
    }
    while (inOrder.next()) {
      if (enterRecord(end)) {
        return true;
      }
      if (nextOrdinal >= end) {
        return false;
      }
    }
    return false;
  }

  private long lastUsedBelow(long ordinal) {
    OrdinalRanges skipped = skipped();
    for (int i = 0; i < skipped.count(); i++) {
      if (skipped.from(i) < ordinal && ordinal <= skipped.to(i)) {
        return skipped.from(i) - 1;
      }
    }
    return ordinal - 1;
  }

  /** Looks at the record the reader stands on; false when it is over, damaged or not a batch. */
  private boolean enterRecord(long end) throws IOException {
    view = inOrder.view();
    int offset = inOrder.offset();
    int headBytes = RecordCodec.JOURNAL_HEAD_BYTES;
    String defect =
        RecordCodec.headDefect(
            view, offset, inOrder.length(), RecordCodec.JOURNAL_MAGIC, headBytes);
    long first = 0;
    if (defect == null) {
      first = view.getLong(offset + RecordCodec.ORDINAL_OFFSET);
      endOrdinal = first + view.getInt(offset + RecordCodec.COUNT_OFFSET);
      if (endOrdinal <= nextOrdinal) {
        return false;
      }
      defect = inOrder.crcDefect();
    }
    if (defect != null) {
      if (defectBefore == null) {
        String unreadableBlock = inOrder.unreadable();
        defectBefore =
            inOrder.where(inOrder.position())
                + ": "
                + (unreadableBlock == null ? defect : unreadableBlock);
      }
      return false;
    }
    if (RecordCodec.type(view, offset) != RecordCodec.TYPE_BATCH) {
      return false;
    }
    if (endOrdinal == first) {
      // Keeps the count and has no message; the record behind it tells how far a gap goes.
      return false;
    }
    if (first > nextOrdinal) {
      skipTo(Math.min(first, end));
      if (first >= end) {
        // Belongs to what is read after the bound; come back to it then.
        positioned = false;
        return false;
      }
    }
    defectBefore = null;
    batchPosition = inOrder.position();
    timestampNs = view.getLong(offset + RecordCodec.TIME_OFFSET);
    deferMs = view.getLong(offset + RecordCodec.DEFER_OFFSET);
    fileToView = Position.offset(batchPosition) - offset;
    at = offset + headBytes;
    recordEnd = offset + view.getInt(offset + RecordCodec.LENGTH_OFFSET);
    for (long ordinal = first; ordinal < nextOrdinal && at < recordEnd; ordinal++) {
      at += 4 + view.getInt(at);
    }
    onRecord = true;
    return true;
  }

  @Override
  public boolean read(MessageRef ref, MessageView to) throws IOException {
    long bodyEnd = (long) ref.bodyOffset() + ref.bodyLength();
    int offset = byReference.attachTo(ref.batchPosition(), bodyEnd);
    if (offset < 0) {
      report("%s: nothing can be read any more", byReference.where(ref.batchPosition()));
      return false;
    }
    ByteBuffer from = byReference.view();
    if (checkedPosition != ref.batchPosition()) {
      String defect = byReference.defect();
      if (defect != null) {
        report("%s: %s; skipped", byReference.where(ref.batchPosition()), defect);
        return false;
      }
      checkedPosition = ref.batchPosition();
    }
    long first = from.getLong(offset + RecordCodec.ORDINAL_OFFSET);
    int count = from.getInt(offset + RecordCodec.COUNT_OFFSET);
    int bodyAt = offset + ref.bodyOffset() - Position.offset(ref.batchPosition());
    int end = offset + from.getInt(offset + RecordCodec.LENGTH_OFFSET);
    boolean fits =
        ref.ordinal() >= first
            && ref.ordinal() < first + count
            && bodyAt >= offset + RecordCodec.JOURNAL_HEAD_BYTES + 4
            && ref.bodyLength() >= 0
            && bodyAt + (long) ref.bodyLength() <= end
            && from.getInt(bodyAt - 4) == ref.bodyLength();
    if (!fits) {
      report(
          "%s: message %d is not where it should be; skipped",
          byReference.where(ref.batchPosition()), ref.ordinal());
      return false;
    }
    to.set(
        ref.ordinal(),
        from.getLong(offset + RecordCodec.TIME_OFFSET),
        from.getLong(offset + RecordCodec.DEFER_OFFSET),
        ref.batchPosition(),
        byReference.bodies(),
        bodyAt,
        ref.bodyLength(),
        ref.bodyOffset());
    return true;
  }

  @Override
  public long unreadable() {
    return unreadable;
  }

  @Override
  public void release() {
    inOrder.close();
    byReference.close();
    checkedPosition = MessageRef.NOWHERE;
    onRecord = false;
    positioned = false;
  }

  @Override
  public void filesRemoved() {
    if (inOrder.closeIfRemoved()) {
      onRecord = false;
      positioned = false;
    }
    if (byReference.closeIfRemoved()) {
      checkedPosition = MessageRef.NOWHERE;
    }
  }

  @Override
  public void close() {
    release();
  }
}
