package io.holdfast.storage.ledger;

import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.Map;
import org.roaringbitmap.RoaringBitmap;

/**
 * A {@link LedgerState} as a row of records, to be kept elsewhere than in a ledger's files: the
 * payloads are those of a checkpoint, see {@link LedgerCodec}, but held messages are without places
 * ({@link LedgerCodec#putPlaceless}). Records come in any number, each of at most 128 KiB.
 */
public final class LedgerStateRecords {
  private static final int MAX_BYTES = 128 << 10;

  private LedgerStateRecords() {}

  /** Takes one record after the other. */
  public interface Sink {
    /**
     * Writes a record.
     *
     * @param count of entries in the payload
     * @param payload from position to limit, until this returns
     */
    void record(int type, int count, ByteBuffer payload) throws IOException;
  }

  /** Writes all that a state says. */
  public static void write(LedgerState state, Sink sink) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(MAX_BYTES);
    buffer.putLong(state.floor()).putLong(state.endOrdinal()).putLong(state.begin());
    sink.record(LedgerCodec.CHECKPOINT_BEGIN, 0, buffer.flip());
    writeSet(LedgerCodec.CHECKPOINT_FINISHED, state.finished(), buffer, sink);
    writeSet(LedgerCodec.CHECKPOINT_DELIVERED, state.delivered(), buffer, sink);
    int count = 0;
    buffer.clear();
    for (Iterator<HeldMessage> held = state.held().iterator(); held.hasNext(); ) {
      LedgerCodec.putPlaceless(buffer, held.next());
      count++;
      if (!held.hasNext() || buffer.remaining() < LedgerCodec.maxPlacelessBytes()) {
        sink.record(LedgerCodec.CHECKPOINT_HELD_MARKED, count, buffer.flip());
        buffer.clear();
        count = 0;
      }
    }
  }

  private static void writeSet(int type, FinishedSet set, ByteBuffer buffer, Sink sink)
      throws IOException {
    OrdinalRanges ranges = new OrdinalRanges();
    for (Map.Entry<Long, RoaringBitmap> segment : set.segments().entrySet()) {
      FinishedSet.addRanges(segment.getKey(), segment.getValue(), ranges);
      for (int i = 0; i < ranges.count(); i += LedgerCodec.MAX_ENTRIES) {
        int count = Math.min(LedgerCodec.MAX_ENTRIES, ranges.count() - i);
        buffer.clear();
        LedgerCodec.putRanges(buffer, ranges, i, count);
        sink.record(type, count, buffer.flip());
      }
      ranges.clear();
    }
  }

  /**
   * Adds what one record says.
   *
   * @param state null before the first record
   * @param payload from position to limit
   * @return the state
   * @throws IOException when it cannot be such a record
   */
  public static LedgerState read(LedgerState state, int type, int count, ByteBuffer payload)
      throws IOException {
    try {
      if ((state == null) != (type == LedgerCodec.CHECKPOINT_BEGIN)) {
        throw new IOException("a ledger record of type " + type + " is out of place");
      }
      return state == null ? begin(payload) : add(state, type, count, payload);
    } catch (BufferUnderflowException e) {
      throw new IOException("a ledger record of type " + type + " ends too early", e);
    }
  }

  private static LedgerState begin(ByteBuffer payload) {
    LedgerState state = new LedgerState(payload.getLong());
    state.mention(payload.getLong());
    state.begin(payload.getLong());
    return state;
  }

  private static LedgerState add(LedgerState state, int type, int count, ByteBuffer payload)
      throws IOException {
    switch (type) {
      case LedgerCodec.CHECKPOINT_FINISHED, LedgerCodec.CHECKPOINT_DELIVERED -> {
        OrdinalRanges ranges = new OrdinalRanges();
        LedgerCodec.getRanges(payload, count, ranges);
        (type == LedgerCodec.CHECKPOINT_FINISHED ? state.finished() : state.delivered())
            .add(ranges);
      }
      case LedgerCodec.CHECKPOINT_HELD_MARKED -> {
        for (int i = 0; i < count; i++) {
          state.holdAt(LedgerCodec.getPlaceless(payload));
        }
      }
      default -> throw new IOException("a ledger record of type " + type + " is not known");
    }
    return state;
  }
}
