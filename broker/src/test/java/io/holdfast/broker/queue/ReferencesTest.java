package io.holdfast.broker.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class ReferencesTest {
  private record Due(long dueNs, long ordinal) {}

  private static Message message(long ordinal) {
    return new Message(
        ordinal,
        ordinal % 7 - 1,
        (int) ordinal * 3,
        Integer.MAX_VALUE - (int) ordinal,
        (int) ordinal % 70_000,
        5 * ordinal,
        ordinal % 2 == 0);
  }

  private static String text(Message message) {
    return message.ordinal()
        + " at "
        + message.batchPosition()
        + " + "
        + message.bodyOffset()
        + ", "
        + message.bodyLength()
        + " bytes, "
        + message.attempts()
        + " attempts, "
        + message.timestampNs
        + (message.isRelocated() ? ", relocated" : "");
  }

  @RepeatedTest(3)
  void shouldGiveWhatIsDueInOrder() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    DeferredQueue queue = new DeferredQueue();
    PriorityQueue<Due> expected =
        new PriorityQueue<>(Comparator.comparingLong(Due::dueNs).thenComparingLong(Due::ordinal));
    long ordinal = 0;
    for (int round = 0; round < 20; round++) {
      int adds = random.nextInt(1000);
      for (int i = 0; i < adds; i++) {
        Due due = new Due(random.nextInt(500), ordinal++);
        queue.add(message(due.ordinal()), due.dueNs());
        expected.add(due);
      }
      long nowNs = random.nextInt(600);
      for (Message message = queue.pollDue(nowNs);
          message != null;
          message = queue.pollDue(nowNs)) {
        assertEquals(text(message(expected.poll().ordinal())), text(message), "seed " + seed);
      }
      assertEquals(expected.size(), queue.size());
      if (!expected.isEmpty()) {
        assertEquals(expected.peek().dueNs(), queue.firstDueNs());
      }
    }
    queue.clear();
    assertNull(queue.pollDue(Long.MAX_VALUE));
  }

  @RepeatedTest(3)
  void shouldGiveWhatCameBackInOrder() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    RequeuedMessages queue = new RequeuedMessages();
    ArrayDeque<Long> expected = new ArrayDeque<>();
    long ordinal = 0;
    for (int step = 0; step < 20_000; step++) {
      if (random.nextInt(1000) < (step / 2000 % 2 == 0 ? 700 : 300)) {
        queue.add(message(ordinal), ordinal);
        expected.add(ordinal++);
      } else if (!expected.isEmpty()) {
        assertEquals(expected.peek(), queue.firstKey());
        assertEquals(text(message(expected.poll())), text(queue.first()), "seed " + seed);
        queue.removeFirst();
      }
      assertEquals(expected.size(), queue.size());
    }
    List<Long> seen = new ArrayList<>();
    queue.visit((message, dueMs) -> seen.add(message.ordinal()));
    assertEquals(List.copyOf(expected), seen);
    assertEquals(seen, queue.messages().map(Message::ordinal).toList());
  }

  @Test
  void shouldKeepWhereAMessageWasRelocated() {
    DeferredQueue queue = new DeferredQueue();
    queue.add(message(1), 10);
    queue.visit(0, (message, dueMs) -> message.relocateTo(message(20)), 0);
    Message relocated = queue.pollDue(10);
    assertEquals(message(20).batchPosition(), relocated.batchPosition());
    assertEquals(true, relocated.isRelocated());
    assertEquals(1, relocated.ordinal());
  }
}
