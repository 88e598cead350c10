package io.holdfast.storage.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class HeldMessagesTest {
  private final HeldMessages held = new HeldMessages();

  private static HeldMessage message(long ordinal, int attempts, boolean relocated) {
    MessageRef ref = new MessageRef(ordinal, 3 * ordinal, 7, 9, attempts, relocated);
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
            "" + ref.isRelocated(),
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

  @Test
  void shouldKeepMarksAndRedrives() {
    MessageRef ref = new MessageRef(5, 6, 7, 8, 3, true);
    for (HeldMessage.Mark mark : HeldMessage.Mark.values()) {
      held.put(mark.isDead() ? HeldMessage.dead(ref, 77, mark) : new HeldMessage(ref, 77, 88));
      assertEquals(mark, held.get(5).mark());
      assertEquals(mark.isDead() ? 0 : 88, held.get(5).delayMs());
      assertEquals(77, held.get(5).dueMs());
    }
    ref.redrive();
    held.put(new HeldMessage(ref, 0));
    assertEquals(1, held.get(5).ref().lives());
    assertEquals(0, held.get(5).ref().attempts());
    assertTrue(held.get(5).ref().isRelocated());
    held.deliver(5, 6); // of the first life, heard late
    assertEquals(0, held.get(5).ref().attempts());
  }

  /** All that can become of a message, in each order: the last of it holds. */
  @Test
  void shouldKnowTheLatestOfARedrivenMessageInWhateverOrder() {
    List<HeldMessage> story = new ArrayList<>();
    for (int life = 0; life < 2; life++) {
      int lives = life << 20;
      story.add(new HeldMessage(new MessageRef(5, 6, 7, 8, lives + 1), 0));
      story.add(new HeldMessage(new MessageRef(5, 6, 7, 8, lives + 2), 0));
      MessageRef dead = new MessageRef(5, 6, 7, 8, lives + 2);
      story.add(HeldMessage.dead(dead, 100 + life, HeldMessage.Mark.DEAD_ATTEMPTS));
    }
    story.add(new HeldMessage(new MessageRef(5, 6, 7, 8, 2 << 20), 0));
    for (int last = 0; last < story.size(); last++) {
      for (int seed = 0; seed < 50; seed++) {
        HeldMessages heard = new HeldMessages();
        List<HeldMessage> shuffled = new ArrayList<>(story.subList(0, last + 1));
        shuffled.addAll(story.subList(0, last / 2));
        Collections.shuffle(shuffled, new Random(seed));
        shuffled.forEach(heard::merge);
        HeldMessage expected = story.get(last);
        HeldMessage known = heard.get(5);
        assertEquals(expected.ref().packedAttempts(), known.ref().packedAttempts());
        assertEquals(expected.mark(), known.mark());
        assertEquals(expected.dueMs(), known.dueMs());
      }
    }
  }

  @Test
  void shouldGoByTheOrderOfRecordsWhereLivesAreCountedNoMore() {
    MessageRef ref = new MessageRef(5, 6, 7, 8, MessageRef.MAX_LIVES << 20 | 9);
    held.merge(HeldMessage.dead(ref, 77, HeldMessage.Mark.DEAD_ATTEMPTS));
    MessageRef again = new MessageRef(5, 6, 7, 8, ref.packedAttempts());
    again.redrive();
    assertEquals(MessageRef.MAX_LIVES, again.lives());
    held.merge(new HeldMessage(again, 0));
    assertEquals(0, held.get(5).ref().attempts());
    assertEquals(HeldMessage.Mark.NONE, held.get(5).mark());
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
