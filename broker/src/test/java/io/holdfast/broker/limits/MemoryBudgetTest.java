package io.holdfast.broker.limits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MemoryBudgetTest {
  private static final long MIB = 1 << 20;

  @ParameterizedTest
  @ValueSource(longs = {32, 64, 128, 256, 1024, 16384})
  void shouldLeaveRoomForTheRest(long heapMib) {
    MemoryBudget budget = new MemoryBudget(heapMib * MIB, 1, 1);
    long heap = heapMib * MIB;
    long others = limitsOfOthers(budget);
    assertTrue(others < heap * 3 / 5, others + " bytes");
    assertTrue(others > heap / 6, others + " bytes");
    while (budget.hasRoomForTopic()) {
      budget.topicOpened();
    }
    long limits = limitsOfOthers(budget) + budget.parts().get("topics").usedBytes();
    assertTrue(limits < heap * 3 / 4, limits + " bytes");
    assertTrue(limits > heap / 5, limits + " bytes");
  }

  private static long limitsOfOthers(MemoryBudget budget) {
    long limits = 0;
    for (Map.Entry<String, MemoryBudget.Usage> part : budget.parts().entrySet()) {
      assertTrue(part.getValue().limitBytes() > 0, part::toString);
      limits += part.getKey().equals("topics") ? 0 : part.getValue().limitBytes();
    }
    return limits;
  }

  @Test
  void shouldHaveRoomForTenThousandTopicsOfAChannelInTheLaunchersHeap() {
    // What -Xmx256m leaves beside a survivor space.
    MemoryBudget budget = new MemoryBudget(247 * MIB, 1, 1);
    for (int i = 0; i < 20_000; i++) {
      assertTrue(budget.hasRoomForTopic(), i + " topics and channels");
      budget.topicOpened();
    }
  }

  @Test
  void shouldLendTopicsWhatOthersHaveNotTaken() {
    MemoryBudget budget = new MemoryBudget(256 * MIB, 1, 1);
    MemoryPart queues = budget.queues();
    long most = queues.limitBytes();
    for (int i = 0; i < 7000; i++) {
      budget.topicOpened();
    }
    // That is their own.
    assertEquals(most, queues.limitBytes());
    for (int i = 7000; i < 20_000; i++) {
      budget.topicOpened();
    }
    long left = queues.limitBytes();
    assertTrue(left < most * 3 / 4 && left > most / 3, left + " of " + most);
    assertFalse(queues.tryReserve(left + 1));
    for (int i = 0; i < 13_000; i++) {
      budget.topicClosed();
    }
    assertEquals(most, queues.limitBytes());
    // What they have taken topics do without.
    budget.queues().reserve(most);
    budget.deferred().reserve(budget.deferred().limitBytes());
    budget.inFlight().reserve(budget.inFlight().limitBytes());
    budget.connections().reserve(budget.connections().limitBytes());
    while (budget.hasRoomForTopic()) {
      budget.topicOpened();
    }
    long topics = budget.parts().get("topics").usedBytes();
    assertTrue(topics < 256 * MIB / 6, topics + " bytes");
  }

  @Test
  void shouldHaveFilesClosedBeforeTheyTakeAllMemory() {
    MemoryBudget budget = new MemoryBudget(256 * MIB, 1, 1);
    assertTrue(budget.mostOpenLogs() > 4000);
    for (int i = 0; i < 20_000; i++) {
      budget.topicOpened();
    }
    assertTrue(budget.mostOpenLogs() > 800 && budget.mostOpenLogs() < 1000);
  }

  @Test
  void shouldSayTheDivisionInOneLine() {
    assertEquals(
        "memory budget of a heap of 256 MiB: queues 43 MiB, in_flight 22 MiB, deferred 34 MiB,"
            + " input 64 MiB, output 64 MiB, connections 38 MiB, topics 104 MiB",
        new MemoryBudget(256 * MIB, 64 * MIB, 64 * MIB).describe());
  }

  @Test
  void shouldShareAPart() {
    MemoryPart part = new MemoryPart(10_000);
    MemoryShare one = new MemoryShare(part);
    MemoryShare other = new MemoryShare(part);
    assertTrue(one.tryTake(1));
    assertEquals(1024, part.usedBytes());
    assertTrue(other.tryTake(8900));
    // No whole chunk is left, but what it needs.
    assertTrue(one.tryTake(1050));
    assertFalse(one.tryTake(100));
    assertFalse(other.tryTake(100));
    assertEquals(1051, one.usedBytes());
    other.take(100);
    assertEquals(1051 + 9000, part.usedBytes());
    one.give(1000);
    one.trim();
    assertEquals(51 + 9000, part.usedBytes());
    other.giveAll();
    one.giveAll();
    assertEquals(0, part.usedBytes());
  }

  @Test
  void shouldNotKeepMuchMoreThanIsUsed() {
    MemoryPart part = new MemoryPart(1 << 20);
    MemoryShare share = new MemoryShare(part);
    for (int i = 0; i < 100; i++) {
      share.take(1000);
    }
    for (int i = 0; i < 100; i++) {
      share.give(1000);
      assertTrue(part.usedBytes() <= share.usedBytes() + 3 * 1024);
    }
    share.trim();
    assertEquals(0, part.usedBytes());
  }
}
