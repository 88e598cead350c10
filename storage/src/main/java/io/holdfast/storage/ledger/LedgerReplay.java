package io.holdfast.storage.ledger;

import io.holdfast.storage.log.ExcerptReader;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns a ledger's records into a {@link LedgerState}, from the oldest file on. A checkpoint adds
 * to what came before it, which is usually gone by then: it may stand in an old file that somebody
 * copied to a later number. A damaged record is reported and skipped, which at worst delivers a
 * finished message once more.
 *
 * <p>Only a rewind un-finishes messages. It is a checkpoint of a higher generation, which takes the
 * place of all that was said before, if it is whole, and counts for nothing if it is not, as after
 * a crash on the way: then all is as before. Where there is nothing before it, it is damaged, and
 * what is left of it counts. Records of an older generation than the present one are of a file that
 * somebody copied, those of a newer one belong to a rewind that did not come to be.
 */
public final class LedgerReplay {
  private static final Logger LOG = LoggerFactory.getLogger(LedgerReplay.class);

  private final long maxHeld;
  private final OrdinalRanges ranges = new OrdinalRanges();
  private LedgerState state;
  private LedgerState checkpoint;

  // Of the state, of the checkpoint, and the highest that any record mentions.
  private long generation;
  private long checkpointGeneration;
  private long highestGeneration;
  private long bytes;
  private long checkpointBytes;
  private long skipped;
  private boolean whole;
  private boolean incomplete;

  /** Records of {@link #checkpoint} so far. */
  private int checkpointRecords;

  /** For those who want to know of all held messages. */
  public LedgerReplay() {
    this(Long.MAX_VALUE);
  }

  /**
   * @param maxHeld see {@link LedgerState#leftSomeOut}
   */
  LedgerReplay(long maxHeld) {
    this.maxHeld = maxHeld;
  }

  /** Reads what a reader has before it. */
  void run(ExcerptReader reader) throws IOException {
    while (reader.next()) {
      String defect = apply(reader);
      if (defect != null) {
        skipped++;
        incomplete = true;
        LOG.error("{}: {}; skipped", reader.where(reader.position()), defect);
      }
    }
  }

  /**
   * Applies the record that a reader stands on.
   *
   * @return null, or what is wrong with it; it has been skipped then
   */
  public String apply(ExcerptReader reader) {
    int headBytes = RecordCodec.LEDGER_HEAD_BYTES;
    ByteBuffer view = reader.view();
    int at = reader.offset();
    String defect =
        RecordCodec.headDefect(view, at, reader.length(), RecordCodec.LEDGER_MAGIC, headBytes);
    if (defect == null) {
      defect = RecordCodec.crcDefect(view, at, headBytes);
    }
    if (defect != null) {
      return defect;
    }
    int recordBytes = view.getInt(at + RecordCodec.LENGTH_OFFSET);
    bytes += recordBytes;
    view.limit(at + recordBytes).position(at + headBytes);
    try {
      long of = LedgerCodec.getGeneration(view, at);
      highestGeneration = Math.max(highestGeneration, of);
      int count = view.getInt(at + RecordCodec.COUNT_OFFSET);
      return apply(RecordCodec.type(view, at), of, count, view);
    } catch (BufferUnderflowException e) {
      return "the record ends too early";
    } finally {
      view.clear();
    }
  }

  private String apply(int type, long of, int count, ByteBuffer payload) {
    checkpointRecords++;
    switch (type) {
      case LedgerCodec.FINISH -> finish(current(of), payload, count);
      case LedgerCodec.DELIVER -> deliver(current(of), payload, count);
      case LedgerCodec.HOLD, LedgerCodec.HOLD_DELAYED, LedgerCodec.HOLD_MARKED ->
          hold(current(of), payload, type, count);
      case LedgerCodec.EMPTY -> current(of).empty(payload.getLong());
      case LedgerCodec.CHECKPOINT_BEGIN -> begin(of, payload);
      case LedgerCodec.CHECKPOINT_FINISHED -> finish(summed(of), payload, count);
      case LedgerCodec.CHECKPOINT_DELIVERED -> deliver(summed(of), payload, count);
      case LedgerCodec.CHECKPOINT_HELD,
          LedgerCodec.CHECKPOINT_HELD_DELAYED,
          LedgerCodec.CHECKPOINT_HELD_MARKED ->
          hold(summed(of), payload, type, count);
      case LedgerCodec.CHECKPOINT_END -> end(of, count);
      default -> {
        return "record type " + type + " is not known";
      }
    }
    return null;
  }

  private void begin(long of, ByteBuffer payload) {
    if (checkpoint != null) {
      mergeCheckpoint(false);
    }
    checkpoint = new LedgerState(payload.getLong(), maxHeld);
    checkpointGeneration = of;
    checkpoint.mention(payload.getLong());
    if (payload.remaining() >= Long.BYTES) {
      checkpoint.begin(payload.getLong());
    }
    checkpointBytes = bytes;
    checkpointRecords = 1;
  }

  private void end(long of, int count) {
    if (checkpoint == null || of != checkpointGeneration) {
      return;
    }
    boolean isWhole = count == checkpointRecords - 1;
    if (count != 0 && !isWhole && state != null) {
      // Cut off from power before it was forced: what it sums up is still there, too.
      LOG.warn("a checkpoint lacks records; what came before it counts, too");
    }
    if (mergeCheckpoint(isWhole)) {
      whole = true;
      checkpointBytes = bytes - checkpointBytes;
      bytes = 0;
    }
  }

  /** The state that plain records change; without a readable checkpoint nothing is finished. */
  private LedgerState current(long of) {
    if (state == null) {
      incomplete = true;
      state = new LedgerState(0, maxHeld);
      generation = of;
    }
    return of == generation ? state : new LedgerState(0, 0);
  }

  /** What a checkpoint's records belong to; without its beginning they are true nevertheless. */
  private LedgerState summed(long of) {
    return checkpoint != null && of == checkpointGeneration ? checkpoint : current(of);
  }

  private void finish(LedgerState to, ByteBuffer payload, int count) {
    ranges.clear();
    LedgerCodec.getRanges(payload, count, ranges);
    for (int i = 0; i < ranges.count(); i++) {
      to.finish(ranges.from(i), ranges.to(i));
    }
  }

  private void deliver(LedgerState to, ByteBuffer payload, int count) {
    ranges.clear();
    LedgerCodec.getRanges(payload, count, ranges);
    for (int i = 0; i < ranges.count(); i++) {
      to.deliver(ranges.from(i), ranges.to(i));
    }
  }

  private static void hold(LedgerState to, ByteBuffer payload, int type, int count) {
    for (int i = 0; i < count; i++) {
      to.hold(LedgerCodec.getHeld(payload, type));
    }
  }

  /** Whether there was damage, so that the state may lack messages that the channel holds. */
  public boolean isIncomplete() {
    return incomplete;
  }

  /** What the ledger says, null when there was no record at all. */
  public LedgerState state() {
    if (checkpoint != null && (state == null || checkpointGeneration <= generation)) {
      // The rest of a rewind may be still to come.
      mergeCheckpoint(false);
    }
    return state;
  }

  /** How often the channel was rewound. */
  long generation() {
    return generation;
  }

  /** No record is of a higher generation. */
  long highestGeneration() {
    return highestGeneration;
  }

  /**
   * Each record of a checkpoint is true, also where its end is missing, by a crash or damage; but a
   * rewind is whole or nothing.
   *
   * @return whether it counts
   */
  private boolean mergeCheckpoint(boolean isWhole) {
    LedgerState said = checkpoint;
    checkpoint = null;
    if (state == null) {
      state = said;
      generation = checkpointGeneration;
    } else if (checkpointGeneration == generation) {
      state.addAll(said);
    } else if (checkpointGeneration > generation && isWhole) {
      said.mention(state.endOrdinal());
      state = said;
      generation = checkpointGeneration;
    } else {
      return false;
    }
    return true;
  }

  /** Records that could not be read. */
  long skipped() {
    return skipped;
  }

  /** Whether there was a whole checkpoint, as there is in every ledger that is not damaged. */
  public boolean hasCheckpoint() {
    return whole;
  }

  /** Bytes of records behind the last checkpoint. */
  long bytesSinceCheckpoint() {
    return bytes;
  }

  /** Bytes of the last checkpoint. */
  long checkpointBytes() {
    return checkpointBytes;
  }
}
