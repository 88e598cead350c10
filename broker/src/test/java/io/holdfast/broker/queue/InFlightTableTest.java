package io.holdfast.broker.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/** Finding messages in flight by ordinal. */
class InFlightTableTest {
  private final InFlightTable table = new InFlightTable();

  private static Message message(long ordinal) {
    return new Message(ordinal, 0, 0, 0, 0, 0);
  }

  @Test
  void shouldFindWhatWasAddedAndNothingElse() {
    Message message = message(7);
    table.add(message);
    assertSame(message, table.get(7));
    assertNull(table.get(8));
    assertNull(table.get(-1));
    assertEquals(1, table.size());
    table.remove(message);
    assertNull(table.get(7));
    assertEquals(0, table.size());
  }

  @Test
  void shouldForgetAllWhenCleared() {
    for (int i = 0; i < 100; i++) {
      table.add(message(i));
    }
    table.clear();
    assertEquals(0, table.size());
    for (int i = 0; i < 100; i++) {
      assertNull(table.get(i));
    }
  }

  /** Removing moves others, round the end of the table, too. */
  @RepeatedTest(5)
  void shouldKeepAllOthersWhenSomeAreRemoved() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Map<Long, Message> expected = new HashMap<>();
    // Few ordinals, so that they meet; or many in sequence, as they are in a channel.
    long spread = random.nextBoolean() ? 40 : 5000;
    for (int i = 0; i < 20_000; i++) {
      long ordinal = random.nextLong(spread);
      Message there = expected.get(ordinal);
      assertSame(there, table.get(ordinal), () -> "seed " + seed);
      if (there == null) {
        Message added = message(ordinal);
        table.add(added);
        expected.put(ordinal, added);
      } else {
        table.remove(there);
        expected.remove(ordinal);
      }
      assertEquals(expected.size(), table.size(), () -> "seed " + seed);
    }
    List<Message> left = new ArrayList<>(expected.values());
    left.forEach(message -> assertSame(message, table.get(message.ordinal())));
  }
}
