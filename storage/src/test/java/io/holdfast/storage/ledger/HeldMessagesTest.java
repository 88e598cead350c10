package io.holdfast.storage.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class HeldMessagesTest {
  private final HeldMessages held = new HeldMessages();

  private static HeldMessage message(long ordinal, int attempts, boolean carried) {
    MessageRef ref = new MessageRef(ordinal, 3 * ordinal, 7, 9, attempts, carried);
    return new HeldMessage(ref, 1000 + ordinal);
  }

  private static String text(HeldMessage message) {
    MessageRef ref = message.ref();
    return String.join(
        " ",
        List.of(
            "" + ref.ordinal(),
            "" + ref.batchPosition(),
            "" + ref.bodyOffset(),
            "" + ref.bodyLength(),
            "" + ref.attempts(),
            "" + ref.isCarried(),
            "" + message.dueMs()));
  }

  @Test
  void shouldGiveBackWhatWasPut() {
    held.put(message(5, 0, true));
    held.put(message(4, 3, false));
    assertEquals(text(message(5, 0, true)), text(held.get(5)));
    assertEquals(text(message(4, 3, false)), text(held.get(4)));
    assertNull(held.get(3));
    assertEquals(2, held.size());
  }

  @RepeatedTest(5)
  void shouldDoAsATree() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    TreeMap<Long, String> tree = new TreeMap<>();
    int range = 200 << random.nextInt(6);
    for (int step = 0; step < 5000; step++) {
      long ordinal = random.nextInt(range);
      switch (random.nextInt(40)) {
        case 0 -> {
          long to = ordinal + random.nextInt(range / 4);
          held.remove(ordinal, to);
          tree.subMap(ordinal, to).clear();
        }
        case 1 -> {
          long to = ordinal + random.nextInt(50);
          held.deliver(ordinal, to);
          tree.subMap(ordinal, to).replaceAll((o, t) -> text(message(o, 1, t.contains("true"))));
        }
        case 2 -> {
          held.removeOrdinals(o -> o % 31 == ordinal % 31);
          tree.keySet().removeIf(o -> o % 31 == ordinal % 31);
        }
        default -> {
          HeldMessage message =
              message(step % 2 == 0 ? ordinal : step, random.nextInt(2), random.nextBoolean());
          held.put(message);
          tree.put(message.ref().ordinal(), text(message));
        }
      }
      assertEquals(tree.size(), held.size());
    }
    assertEquals(
        List.copyOf(tree.values()),
        held.stream().map(HeldMessagesTest::text).toList(),
        () -> "seed " + seed);
    tree.forEach((ordinal, text) -> assertEquals(text, text(held.get(ordinal))));
  }
}
