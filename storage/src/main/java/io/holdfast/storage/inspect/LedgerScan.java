package io.holdfast.storage.inspect;

import io.holdfast.storage.ledger.LedgerCodec;
import io.holdfast.storage.ledger.LedgerReplay;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.log.ExcerptReader;
import io.holdfast.storage.log.LogView;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.record.RecordFormat;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.OrdinalRanges;
import io.holdfast.storage.values.Position;
import java.io.Closeable;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The records of a channel's ledger in order, for the tools: read by the broker's own reader, also
 * beside a running broker, and the state that they add up to, by the broker's own {@link
 * LedgerReplay}. Not thread-safe.
 */
public final class LedgerScan implements Closeable {
  /** What a record says. */
  public enum Type {
    /** Messages are finished; see {@link LedgerScan#ranges}. */
    FINISH,
    /** Attempts and due times of messages that wait; see {@link LedgerScan#held}. */
    HOLD,
    /** Everything below {@link LedgerScan#floor} was dropped. */
    EMPTY,
    /** A checkpoint begins: everything below {@link LedgerScan#floor} is finished. */
    CHECKPOINT_BEGIN,
    /** What is finished above the floor. */
    CHECKPOINT_FINISHED,
    /** What is held. */
    CHECKPOINT_HELD,
    /** The checkpoint is complete. */
    CHECKPOINT_END,
    /** Messages went out for the first time; see {@link LedgerScan#ranges}. */
    DELIVER,
    /** What went out once and waits in the backend again. */
    CHECKPOINT_DELIVERED
  }

  private final LogView files;
  private final ExcerptReader records;
  private final Defect.Listener listener;
  private final LedgerReplay replay = new LedgerReplay();
  private final OrdinalRanges ranges = new OrdinalRanges();
  private final List<HeldMessage> held = new ArrayList<>();
  private boolean damaged;
  private Type type;
  private long floor;
  private long end;
  private long generation;

  LedgerScan(LogView files, Defect.Listener listener) {
    this.files = files;
    this.listener = listener;
    records = new ExcerptReader(files, RecordFormat.LEDGER);
    records.onBreak(
        (place, what) -> report(place, what, "the broker searches for the records behind it"));
  }

  /** Goes to the next record; false when there is none (yet). */
  public boolean next() throws IOException {
    while (records.next() || (files.refresh() && records.next())) {
      String defect = replay.apply(records);
      if (defect == null) {
        decode();
        return true;
      }
      damaged = true;
      report(
          position(),
          defect,
          "the broker reports and skips it: what it finished is delivered once more");
    }
    return false;
  }

  private void report(long place, String what, String consequence) {
    Path file = files.file(Position.cycle(place));
    listener.defect(new Defect(file, Position.offset(place), false, what, consequence));
  }

  /** Whether there is damage: the ledger may have forgotten messages. */
  boolean isIncomplete() {
    return damaged || replay.isIncomplete() || (files.firstCycle() >= 0 && !replay.hasCheckpoint());
  }

  private void decode() {
    ByteBuffer view = records.view();
    int at = records.offset();
    int count = view.getInt(at + RecordCodec.COUNT_OFFSET);
    int recordType = RecordCodec.type(view, at);
    type =
        switch (recordType) {
          case LedgerCodec.HOLD_DELAYED, LedgerCodec.HOLD_MARKED -> Type.HOLD;
          case LedgerCodec.CHECKPOINT_HELD_DELAYED, LedgerCodec.CHECKPOINT_HELD_MARKED ->
              Type.CHECKPOINT_HELD;
          default -> Type.values()[recordType - 1];
        };
    ranges.clear();
    held.clear();
    view.position(at + RecordCodec.LEDGER_HEAD_BYTES);
    try {
      generation = LedgerCodec.getGeneration(view, at);
      switch (type) {
        case FINISH, CHECKPOINT_FINISHED, DELIVER, CHECKPOINT_DELIVERED ->
            LedgerCodec.getRanges(view, count, ranges);
        case HOLD, CHECKPOINT_HELD -> {
          for (int i = 0; i < count; i++) {
            held.add(LedgerCodec.getHeld(view, recordType));
          }
        }
        case EMPTY -> floor = view.getLong();
        case CHECKPOINT_BEGIN -> {
          floor = view.getLong();
          end = view.getLong();
        }
        case CHECKPOINT_END -> {}
      }
    } catch (BufferUnderflowException e) {
      throw new IllegalStateException("the replay has read " + records.where(position()), e);
    } finally {
      view.clear();
    }
  }

  /** What the record says. */
  public Type type() {
    return type;
  }

  /** The finished or delivered messages of the record. */
  public OrdinalRanges ranges() {
    return ranges;
  }

  /** The held messages of the record. */
  public List<HeldMessage> held() {
    return held;
  }

  /** Everything below was finished. */
  public long floor() {
    return floor;
  }

  /** One above the channel's last ordinal, in {@link Type#CHECKPOINT_BEGIN}. */
  public long end() {
    return end;
  }

  /** How often the channel had been rewound when the record was written. */
  public long generation() {
    return generation;
  }

  /** What the records so far add up to, null before the first. */
  public LedgerState state() {
    return replay.state();
  }

  /** The file the record is in. */
  public Path file() {
    return files.file(Position.cycle(position()));
  }

  private long position() {
    return records.position();
  }

  /** Where in the file the record begins. */
  public int offset() {
    return Position.offset(position());
  }

  /** Bytes of the record. */
  public int recordBytes() {
    return records.length();
  }

  @Override
  public void close() {
    records.close();
  }
}
