package io.holdfast.broker.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.limits.MemoryPart;
import io.holdfast.storage.values.OrdinalRanges;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The memory queue's bounds and its order. */
class MemoryQueueTest {
  private static final int BODY_BYTES = 100;

  private final MemoryPart part = new MemoryPart(1 << 20);
  private MemoryQueue queue = new MemoryQueue(3, 250, part);

  private static Message message(long ordinal, boolean withBody) {
    Message message = new Message(ordinal, 0, 0, BODY_BYTES, 0, 0);
    message.bytes = withBody ? new byte[BODY_BYTES] : null;
    return message;
  }

  private void put(long ordinal) {
    assertTrue(queue.reserve(0), "no room for " + ordinal);
    queue.put(message(ordinal, false));
  }

  private void requeue(long ordinal) {
    queue.requeue(message(ordinal, false));
  }

  private List<Long> takeAll() {
    List<Long> ordinals = new ArrayList<>();
    while (queue.size() > 0) {
      ordinals.add(queue.peek().ordinal());
      queue.remove();
    }
    return ordinals;
  }

  private static List<Long> ordinals(List<Message> messages) {
    return messages.stream().map(Message::ordinal).toList();
  }

  @Test
  void shouldBoundMessages() {
    assertEquals(3, queue.room());
    put(1);
    put(2);
    put(3);
    assertEquals(0, queue.room());
    assertFalse(queue.reserve(0));
    queue.remove();
    assertEquals(1, queue.room());
  }

  @Test
  void shouldBoundBytes() {
    assertTrue(queue.reserve(BODY_BYTES));
    queue.put(message(1, true));
    assertTrue(queue.reserve(BODY_BYTES));
    queue.put(message(2, true));
    assertFalse(queue.reserve(BODY_BYTES), "300 of 250 bytes");
    assertTrue(queue.reserve(0), "one whose body is in the journal");
    queue.put(message(3, false));
    queue.remove();
    assertTrue(queue.reserve(BODY_BYTES));
  }

  @Test
  void shouldBoundWhatAllQueuesTake() {
    MemoryQueue full = new MemoryQueue(100, 1000, new MemoryPart(MemoryQueue.MESSAGE_BYTES));
    assertTrue(full.tryPut(message(1, false)));
    assertFalse(full.tryPut(message(2, false)));
    assertFalse(full.reserve(0));
    full.putAnyway(message(3, false));
    assertEquals(2, full.size());
  }

  @Test
  void shouldGiveBackItsMemory() {
    put(1);
    queue.putAnyway(message(2, true));
    assertTrue(part.usedBytes() >= 2 * MemoryQueue.MESSAGE_BYTES + BODY_BYTES);
    queue.remove();
    queue.remove();
    queue.trim();
    assertEquals(0, part.usedBytes());
    queue.putAnyway(message(3, true));
    queue.clear();
    assertEquals(0, part.usedBytes());
    assertEquals(0, queue.size());
    assertNull(queue.peek());
  }

  /** New ones that were here before go first, those that come later do not. */
  @Test
  void shouldTakeRequeuedOnesInTheirTurn() {
    queue = new MemoryQueue(10, 250, part);
    put(1);
    put(2);
    requeue(11);
    put(3);
    requeue(12);
    assertFalse(queue.isRequeuedNext());
    assertEquals(2, queue.requeued());
    assertEquals(List.of(1L, 2L, 11L, 3L, 12L), takeAll());
    assertEquals(5, queue.taken());
    assertFalse(queue.hasNew());
  }

  @Test
  void shouldCountRequeuedOnesForBoundOfNewOnes() {
    requeue(11);
    requeue(12);
    requeue(13);
    requeue(14);
    assertEquals(0, queue.room());
    assertFalse(queue.reserve(0));
  }

  @Test
  void shouldShowOrderWithoutChangingIt() {
    queue = new MemoryQueue(10, 250, part);
    put(1);
    requeue(11);
    put(2);
    requeue(12);
    requeue(13);
    List<Message> inOrder = new ArrayList<>();
    List<Message> last = new ArrayList<>();
    queue.peek(4, inOrder::add, last::add);
    assertEquals(List.of(1L, 11L, 2L), ordinals(inOrder));
    assertEquals(List.of(12L), ordinals(last));
    assertEquals(List.of(1L, 11L, 2L, 12L, 13L), takeAll());
  }

  @Test
  void shouldDropNewestFirstAndNeverRequeuedOnes() {
    put(1);
    requeue(11);
    put(2);
    OrdinalRanges dropped = new OrdinalRanges();
    assertEquals(1, queue.dropNew(2, dropped));
    assertEquals(2, dropped.from(0));
    assertEquals(1, queue.dropNew(0, dropped));
    assertEquals(List.of(11L), takeAll());
  }
}
