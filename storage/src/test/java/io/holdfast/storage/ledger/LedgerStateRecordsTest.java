package io.holdfast.storage.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A state as records, and copies of it. */
class LedgerStateRecordsTest {
  private record Row(int type, int count, ByteBuffer payload) {}

  private static List<Row> rows(LedgerState state) throws IOException {
    List<Row> rows = new ArrayList<>();
    LedgerStateRecords.write(
        state,
        (type, count, payload) -> {
          ByteBuffer copy = ByteBuffer.allocate(payload.remaining()).put(payload).flip();
          assertTrue(copy.remaining() <= 128 << 10, "" + copy.remaining());
          rows.add(new Row(type, count, copy));
        });
    return rows;
  }

  private static LedgerState read(List<Row> rows) throws IOException {
    LedgerState state = null;
    for (Row row : rows) {
      state = LedgerStateRecords.read(state, row.type(), row.count(), row.payload().duplicate());
    }
    return state;
  }

  private static HeldMessage held(long ordinal, int attempts, long dueMs, HeldMessage.Mark mark) {
    return new HeldMessage(
        new MessageRef(ordinal, MessageRef.NOWHERE, 0, 0, attempts), dueMs, 7, mark);
  }

  private static LedgerState large() {
    LedgerState state = new LedgerState(100);
    Random random = new Random(5);
    state.begin(50);
    for (int i = 0; i < 30_000; i++) {
      // Of several segments, in many ranges.
      long at = 200 + (long) (random.nextDouble() * 3_000_000);
      state.finish(at, at + 1);
      state.deliver(at + 5, at + 7);
    }
    for (int i = 0; i < 9_000; i++) {
      HeldMessage.Mark mark = HeldMessage.Mark.of(random.nextInt(5));
      int attempts = random.nextInt(1 << 22);
      state.hold(held(200 + random.nextInt(3_000_000), attempts, random.nextInt(5000), mark));
    }
    state.mention(4_000_000);
    return state;
  }

  private static void assertSame(LedgerState wanted, LedgerState is) {
    assertEquals(wanted.floor(), is.floor());
    assertEquals(wanted.begin(), is.begin());
    assertEquals(wanted.endOrdinal(), is.endOrdinal());
    assertEquals(wanted.finished().segments(), is.finished().segments());
    assertEquals(wanted.delivered().segments(), is.delivered().segments());
    assertEquals(wanted.held().size(), is.held().size());
    for (HeldMessage message : wanted.held()) {
      long ordinal = message.ref().ordinal();
      HeldMessage read = is.held(ordinal);
      assertEquals(message.ref().packedAttempts(), read.ref().packedAttempts());
      assertEquals(message.dueMs(), read.dueMs());
      assertEquals(message.delayMs(), read.delayMs(), "" + message);
      assertEquals(message.mark(), read.mark());
      assertEquals(MessageRef.NOWHERE, read.ref().batchPosition());
    }
  }

  @Test
  void everythingComesBack() throws Exception {
    LedgerState state = large();
    // A dead one has no delay.
    assertTrue(state.held().size() > 5000);
    List<Row> rows = rows(state);
    assertTrue(rows.size() > 10, "" + rows.size());
    LedgerState read = read(rows);
    assertSame(state, read);
    read.finish(100, 3_500_000);
    assertEquals(3_500_000, read.floor());
    assertEquals(0, read.held().size());
  }

  @Test
  void aNewStateIsOneRecord() throws Exception {
    List<Row> rows = rows(new LedgerState(17));
    assertEquals(1, rows.size());
    assertSame(new LedgerState(17), read(rows));
  }

  @Test
  void aCopyGoesItsOwnWay() {
    LedgerState state = large();
    LedgerState copy = state.copy();
    assertSame(state, copy);
    long last = 3_999_999;
    copy.finish(last, last + 1);
    copy.deliver(last - 5, last - 4);
    copy.hold(held(last - 1, 3, 0, HeldMessage.Mark.NONE));
    assertFalse(state.isFinished(last));
    assertEquals(0, state.attempts(last - 5));
    assertEquals(0, state.attempts(last - 1));
    assertEquals(3, copy.attempts(last - 1));
    state.finish(100, 150);
    assertEquals(100, copy.floor());
  }

  @Test
  void whatCannotBeReadIsAnError() throws Exception {
    List<Row> rows = rows(large());
    Row held = rows.get(rows.size() - 1);
    assertThrows(
        IOException.class,
        () -> LedgerStateRecords.read(null, held.type(), held.count(), held.payload()));
    LedgerState state = new LedgerState(0);
    assertThrows(
        IOException.class,
        () ->
            LedgerStateRecords.read(
                state, held.type(), held.count() + 1, held.payload().duplicate()));
    assertThrows(
        IOException.class, () -> LedgerStateRecords.read(state, 99, 0, ByteBuffer.allocate(0)));
  }
}
