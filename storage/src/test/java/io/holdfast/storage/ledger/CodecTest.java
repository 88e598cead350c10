package io.holdfast.storage.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.OrdinalRanges;
import java.nio.ByteBuffer;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

/** {@link RecordCodec}, {@link LedgerCodec} and {@link OrdinalRanges}. */
class CodecTest {
  private static final int OFFSET = 24;
  private static final int HEAD_BYTES = RecordCodec.JOURNAL_HEAD_BYTES;

  /** A journal record at an odd place of a buffer that is a little longer. */
  private static ByteBuffer record(int payloadBytes) {
    ByteBuffer payload = ByteBuffer.allocate(payloadBytes);
    for (int i = 0; i < payloadBytes; i++) {
      payload.put(i, (byte) (31 * i));
    }
    int bytes = HEAD_BYTES + payloadBytes;
    ByteBuffer all = ByteBuffer.allocateDirect(OFFSET + bytes + 8);
    RecordCodec.putHead(all, OFFSET, RecordCodec.JOURNAL_MAGIC, RecordCodec.TYPE_BATCH, bytes, 3);
    all.putLong(OFFSET + RecordCodec.ORDINAL_OFFSET, 77);
    all.putLong(OFFSET + RecordCodec.TIME_OFFSET, 123_456_789);
    all.putLong(OFFSET + RecordCodec.DEFER_OFFSET, 5000);
    RecordCodec.putCrc(
        all, OFFSET, RecordCodec.finishCrc(RecordCodec.startCrc(payload), all, OFFSET, HEAD_BYTES));
    all.put(OFFSET + HEAD_BYTES, payload, 0, payloadBytes);
    return all;
  }

  private static String defect(ByteBuffer record, int available) {
    String head =
        RecordCodec.headDefect(record, OFFSET, available, RecordCodec.JOURNAL_MAGIC, HEAD_BYTES);
    return head != null ? head : RecordCodec.crcDefect(record, OFFSET, HEAD_BYTES);
  }

  @Test
  void shouldAcceptWhatItWrote() {
    for (int payloadBytes : new int[] {0, 1, 5, 4096}) {
      ByteBuffer record = record(payloadBytes);
      assertNull(defect(record, HEAD_BYTES + payloadBytes));
      assertEquals(RecordCodec.TYPE_BATCH, RecordCodec.type(record, OFFSET));
      assertEquals(0, record.position());
      assertEquals(record.capacity(), record.limit());
    }
  }

  @Test
  void shouldDetectEverySingleFlippedBit() {
    int bytes = HEAD_BYTES + 30;
    for (int i = 0; i < bytes; i++) {
      for (int bit = 0; bit < 8; bit++) {
        ByteBuffer record = record(30);
        record.put(OFFSET + i, (byte) (record.get(OFFSET + i) ^ 1 << bit));
        assertNotNull(defect(record, bytes), "byte " + i + " bit " + bit);
      }
    }
  }

  @Test
  void shouldSayWhatIsWrong() {
    ByteBuffer record = record(10);
    assertTrue(defect(record, HEAD_BYTES - 1).contains("too short"));
    assertTrue(defect(record, HEAD_BYTES + 9).contains("does not fit"));
    record.put(OFFSET + 2, (byte) 9);
    assertTrue(defect(record, HEAD_BYTES + 10).contains("version 9"));
    record.putShort(OFFSET, (short) RecordCodec.LEDGER_MAGIC);
    assertTrue(defect(record, HEAD_BYTES + 10).contains("no record"));
    ByteBuffer changed = record(10);
    changed.put(OFFSET + HEAD_BYTES, (byte) 99);
    assertTrue(defect(changed, HEAD_BYTES + 10).contains("checksum"));
  }

  @Provide
  Arbitrary<List<long[]>> ranges() {
    Arbitrary<Long> from =
        Arbitraries.oneOf(
            Arbitraries.longs().between(0, 300), Arbitraries.longs().between(0, 1L << 60));
    Arbitrary<Long> length =
        Arbitraries.oneOf(
            Arbitraries.longs().between(1, 3), Arbitraries.longs().between(1, 1L << 40));
    return Combinators.combine(from, length)
        .as((a, b) -> new long[] {a, a + b})
        .list()
        .ofMaxSize(40);
  }

  @Property(tries = 300)
  void shouldReadBackRanges(@ForAll("ranges") List<long[]> list) {
    OrdinalRanges ranges = new OrdinalRanges();
    for (long[] range : list) {
      ranges.add(range[0], range[1]);
    }
    ByteBuffer bytes = ByteBuffer.allocate(ranges.count() * LedgerCodec.maxRangeBytes());
    LedgerCodec.putRanges(bytes, ranges, 0, ranges.count());
    bytes.flip();
    OrdinalRanges read = new OrdinalRanges();
    LedgerCodec.getRanges(bytes, ranges.count(), read);
    assertFalse(bytes.hasRemaining());
    assertEquals(ranges.count(), read.count());
    for (int i = 0; i < read.count(); i++) {
      assertEquals(ranges.from(i), read.from(i));
      assertEquals(ranges.to(i), read.to(i));
    }
  }

  @Test
  void shouldMergeOrdinalsInSequence() {
    OrdinalRanges ranges = new OrdinalRanges();
    for (long ordinal = 5; ordinal < 1000; ordinal++) {
      ranges.add(ordinal);
    }
    ranges.add(2000);
    ranges.add(3);
    assertEquals(3, ranges.count());
    assertEquals(5, ranges.from(0));
    assertEquals(1000, ranges.to(0));
    assertEquals(3, ranges.from(2));
    ranges.clear();
    assertTrue(ranges.isEmpty());
    ranges.add(1000, 1001);
    assertEquals(1, ranges.count());
  }

  @Property(tries = 200)
  void shouldReadBackHeldMessages(
      @ForAll long ordinal,
      @ForAll @LongRange(min = 0) long position,
      @ForAll boolean relocated,
      @ForAll int bodyOffset,
      @ForAll @IntRange(min = 0, max = MessageRef.MAX_ATTEMPTS) int attempts,
      @ForAll long dueMs,
      @ForAll @IntRange(min = 0) int delayMs) {
    MessageRef ref =
        new MessageRef(ordinal & Long.MAX_VALUE, position, bodyOffset, 1234, attempts, relocated);
    HeldMessage held = new HeldMessage(ref, dueMs, delayMs);
    ByteBuffer bytes = ByteBuffer.allocate(LedgerCodec.maxHeldBytes());
    int type = LedgerCodec.heldType(LedgerCodec.HOLD, List.of(held));
    LedgerCodec.putHeld(bytes, type, List.of(held));
    bytes.flip();
    HeldMessage read = LedgerCodec.getHeld(bytes, type);
    assertFalse(bytes.hasRemaining());
    assertEquals(held.ref().ordinal(), read.ref().ordinal());
    assertEquals(position, read.ref().batchPosition());
    assertEquals(relocated, read.ref().isRelocated());
    assertEquals(bodyOffset, read.ref().bodyOffset());
    assertEquals(1234, read.ref().bodyLength());
    assertEquals(held.ref().attempts(), read.ref().attempts());
    assertEquals(dueMs, read.dueMs());
    boolean isPlain = dueMs == 0 || delayMs == HeldMessage.DELAY_UNKNOWN;
    assertEquals(isPlain ? LedgerCodec.HOLD : LedgerCodec.HOLD_DELAYED, type);
    assertEquals(dueMs == 0 ? 0 : delayMs, read.delayMs());
  }

  /** A list without them is written as version 1.0 does, whatever is beside it in other records. */
  @Property(tries = 200)
  void shouldReadBackMarksAndRedrives(
      @ForAll HeldMessage.Mark mark,
      @ForAll @IntRange(min = 0) int packedAttempts,
      @ForAll @LongRange(min = 0) long dueMs,
      @ForAll boolean inCheckpoint) {
    MessageRef ref = new MessageRef(7, 8, 9, 10, packedAttempts, true);
    HeldMessage marked =
        mark.isDead() ? HeldMessage.dead(ref, dueMs, mark) : new HeldMessage(ref, dueMs, 5);
    HeldMessage plain = new HeldMessage(new MessageRef(6, 5, 4, 3, 2), 99);
    int plainType = inCheckpoint ? LedgerCodec.CHECKPOINT_HELD : LedgerCodec.HOLD;
    assertEquals(plainType, LedgerCodec.heldType(plainType, List.of(plain)));
    List<HeldMessage> both = List.of(plain, marked);
    int type = LedgerCodec.heldType(plainType, both);
    boolean isMarked = mark.isDead() || packedAttempts > MessageRef.MAX_ATTEMPTS;
    assertEquals(isMarked, LedgerCodec.hasMarks(type));
    ByteBuffer bytes = ByteBuffer.allocate(2 * LedgerCodec.maxHeldBytes());
    LedgerCodec.putHeld(bytes, type, both);
    bytes.flip();
    HeldMessage first = LedgerCodec.getHeld(bytes, type);
    assertEquals(99, first.dueMs());
    assertEquals(HeldMessage.DELAY_UNKNOWN, first.delayMs());
    HeldMessage read = LedgerCodec.getHeld(bytes, type);
    assertFalse(bytes.hasRemaining());
    assertEquals(mark, read.mark());
    assertEquals(packedAttempts, read.ref().packedAttempts());
    assertEquals(dueMs, read.dueMs());
  }
}
