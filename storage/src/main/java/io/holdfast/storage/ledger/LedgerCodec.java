package io.holdfast.storage.ledger;

import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.OrdinalRanges;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The ledger's records: the common head of {@link RecordCodec}, then by type (v = variable-length
 * integer, 7 bits a byte, low ones first; count is the head's). A record of version 2 has before
 * that a v generation, above 0, how often the channel was rewound; one of version 1 is of
 * generation 0. A checkpoint of a new generation takes the place of all that older ones said, if it
 * is whole:
 *
 * <pre>
 * 1 FINISH              count x (v zigzag distance of the range's begin from the last end, v length)
 * 2 HOLD                count x held
 * 3 EMPTY               i64 floor
 * 4 CHECKPOINT_BEGIN    i64 floor, i64 end, i64 begin: the channel's first message (-1 or absent: not
 *                       known)
 * 5 CHECKPOINT_FINISHED count x as FINISH
 * 6 CHECKPOINT_HELD     count x held
 * 7 CHECKPOINT_END      nothing; count is that of the checkpoint's records before it, 0 not known
 * 8 DELIVER             count x as FINISH: delivered for the first time
 * 9 CHECKPOINT_DELIVERED count x as FINISH: delivered once, and waiting in the backend again
 * 10 HOLD_DELAYED       count x (held, v delay ms)
 * 11 CHECKPOINT_HELD_DELAYED count x (held, v delay ms)
 * 12 HOLD_MARKED        count x (held, v delay ms, u8 mark): with dead letters, or such as were redriven
 * 13 CHECKPOINT_HELD_MARKED count x (held, v delay ms, u8 mark)
 * held                  v ordinal, i64 batch position (its top bit set: of a relocated message),
 *                       i32 body offset, v body length, v attempts, i64 due ms
 *                       (12, 13: how often it was redriven x 2^20 + attempts; of a dead one when it died)
 * mark                  0 lives, 1 dead by attempts, 2 dead by age, 3 and 4 the same and still to be
 *                       published to the dead letters' topic
 * </pre>
 */
public final class LedgerCodec {
  static final int FINISH = 1;
  static final int HOLD = 2;
  static final int EMPTY = 3;
  static final int CHECKPOINT_BEGIN = 4;
  static final int CHECKPOINT_FINISHED = 5;
  static final int CHECKPOINT_HELD = 6;
  static final int CHECKPOINT_END = 7;
  static final int DELIVER = 8;
  static final int CHECKPOINT_DELIVERED = 9;

  /** As {@code HOLD}, with what was left of the deferral when it was recorded. */
  public static final int HOLD_DELAYED = 10;

  /** The same in a checkpoint. */
  public static final int CHECKPOINT_HELD_DELAYED = 11;

  /** As {@code HOLD_DELAYED}, with marks and redrives. */
  public static final int HOLD_MARKED = 12;

  /** The same in a checkpoint. */
  public static final int CHECKPOINT_HELD_MARKED = 13;

  /** More entries go into several records, so that a record fits in an excerpt. */
  static final int MAX_ENTRIES = 4096;

  private static final long RELOCATED_BIT = 1L << 63;
  private static final int MAX_VAR_BYTES = 10;
  private static final int MAX_RANGE_BYTES = 20;
  private static final int MAX_HELD_BYTES = 56;

  private LedgerCodec() {}

  /** The most bytes a held message takes. */
  static int maxHeldBytes() {
    return MAX_HELD_BYTES;
  }

  /** The most bytes a generation takes. */
  static int maxGenerationBytes() {
    return MAX_VAR_BYTES;
  }

  static void putGeneration(ByteBuffer to, long generation) {
    putVar(to, generation);
  }

  /**
   * The generation a record belongs to.
   *
   * @param from at the payload's beginning; its position moves behind the generation
   * @param offset where the record begins
   */
  public static long getGeneration(ByteBuffer from, int offset) {
    return RecordCodec.hasGeneration(from, offset) ? getVar(from) : 0;
  }

  /** The most bytes a range takes. */
  public static int maxRangeBytes() {
    return MAX_RANGE_BYTES;
  }

  /**
   * Writes ranges of ordinals.
   *
   * @param to has room for {@link #maxRangeBytes} each
   * @param first range to write
   * @param count of ranges
   */
  public static void putRanges(ByteBuffer to, OrdinalRanges ranges, int first, int count) {
    long last = 0;
    for (int i = first; i < first + count; i++) {
      putVar(to, zigzag(ranges.from(i) - last));
      putVar(to, ranges.to(i) - ranges.from(i));
      last = ranges.to(i);
    }
  }

  /**
   * Reads ranges of ordinals.
   *
   * @param from its position moves
   * @param to receives them, behind what it has
   */
  public static void getRanges(ByteBuffer from, int count, OrdinalRanges to) {
    long last = 0;
    for (int i = 0; i < count; i++) {
      long begin = last + unzigzag(getVar(from));
      last = begin + getVar(from);
      to.add(begin, last);
    }
  }

  /**
   * The type of record that these messages need: one with delays where any is known, one with marks
   * where any is dead or was.
   *
   * @param plain {@link #HOLD} or {@link #CHECKPOINT_HELD}
   */
  static int heldType(int plain, List<HeldMessage> messages) {
    int type = plain;
    for (HeldMessage message : messages) {
      if (message.isMarked()) {
        return plain == HOLD ? HOLD_MARKED : CHECKPOINT_HELD_MARKED;
      }
      if (message.dueMs() != 0 && message.delayMs() != HeldMessage.DELAY_UNKNOWN) {
        type = plain == HOLD ? HOLD_DELAYED : CHECKPOINT_HELD_DELAYED;
      }
    }
    return type;
  }

  private static boolean hasDelays(int type) {
    return type == HOLD_DELAYED || type == CHECKPOINT_HELD_DELAYED || hasMarks(type);
  }

  static boolean hasMarks(int type) {
    return type == HOLD_MARKED || type == CHECKPOINT_HELD_MARKED;
  }

  static void putHeld(ByteBuffer to, int type, List<HeldMessage> messages) {
    for (HeldMessage message : messages) {
      MessageRef ref = message.ref();
      putVar(to, ref.ordinal());
      to.putLong(ref.batchPosition() | (ref.isRelocated() ? RELOCATED_BIT : 0));
      to.putInt(ref.bodyOffset());
      putVar(to, ref.bodyLength());
      putVar(to, ref.packedAttempts());
      to.putLong(message.dueMs());
      if (hasDelays(type)) {
        putVar(to, message.delayMs());
      }
      if (hasMarks(type)) {
        to.put((byte) message.mark().code());
      }
    }
  }

  /**
   * Reads one held message.
   *
   * @param from its position moves
   * @param type of the record
   */
  public static HeldMessage getHeld(ByteBuffer from, int type) {
    long ordinal = getVar(from);
    long batchPosition = from.getLong();
    int bodyOffset = from.getInt();
    int bodyLength = (int) getVar(from);
    long attempts = getVar(from);
    MessageRef ref =
        new MessageRef(
            ordinal,
            batchPosition & ~RELOCATED_BIT,
            bodyOffset,
            bodyLength,
            (int) Math.min(attempts, hasMarks(type) ? Integer.MAX_VALUE : MessageRef.MAX_ATTEMPTS),
            (batchPosition & RELOCATED_BIT) != 0);
    long dueMs = from.getLong();
    if (!hasDelays(type)) {
      return new HeldMessage(ref, dueMs);
    }
    int delayMs = (int) Math.max(0, Math.min(getVar(from), Integer.MAX_VALUE));
    if (!hasMarks(type)) {
      return new HeldMessage(ref, dueMs, delayMs);
    }
    // One that is not known: rather kept than delivered.
    return new HeldMessage(ref, dueMs, delayMs, HeldMessage.Mark.of(from.get() & 0xff));
  }

  /**
   * Writes a held message without the place of its record, which differs from node to node: v
   * ordinal, v attempts with lives, i64 due ms, v delay ms, u8 mark.
   *
   * @param to has room for {@link #maxPlacelessBytes}
   */
  public static void putPlaceless(ByteBuffer to, HeldMessage message) {
    putVar(to, message.ref().ordinal());
    putVar(to, message.ref().packedAttempts());
    to.putLong(message.dueMs());
    putVar(to, message.delayMs());
    to.put((byte) message.mark().code());
  }

  /** The most bytes of {@link #putPlaceless}. */
  public static int maxPlacelessBytes() {
    return 3 * MAX_VAR_BYTES + Long.BYTES + 1;
  }

  /**
   * Reads what {@link #putPlaceless} wrote.
   *
   * @param from its position moves
   * @return at {@link MessageRef#NOWHERE}
   */
  public static HeldMessage getPlaceless(ByteBuffer from) {
    long ordinal = getVar(from);
    int attempts = (int) Math.max(0, Math.min(getVar(from), Integer.MAX_VALUE));
    long dueMs = from.getLong();
    int delayMs = (int) Math.max(0, Math.min(getVar(from), Integer.MAX_VALUE));
    HeldMessage.Mark mark = HeldMessage.Mark.of(from.get() & 0xff);
    return new HeldMessage(
        new MessageRef(ordinal, MessageRef.NOWHERE, 0, 0, attempts), dueMs, delayMs, mark);
  }

  private static long zigzag(long value) {
    return (value << 1) ^ (value >> 63);
  }

  private static long unzigzag(long value) {
    return (value >>> 1) ^ -(value & 1);
  }

  /** The most bytes a number takes, see {@link #putVar}. */
  public static int maxVarBytes() {
    return MAX_VAR_BYTES;
  }

  /** Writes a number, 7 bits a byte, low ones first; a negative one takes the most. */
  public static void putVar(ByteBuffer to, long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      to.put((byte) (rest | 0x80));
      rest >>>= 7;
    }
    to.put((byte) rest);
  }

  /**
   * Reads what {@link #putVar} wrote.
   *
   * @throws java.nio.BufferUnderflowException when there is not so much
   */
  public static long getVar(ByteBuffer from) {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      byte b = from.get();
      value |= (b & 0x7fL) << shift;
      if (b >= 0) {
        break;
      }
    }
    return value;
  }
}
