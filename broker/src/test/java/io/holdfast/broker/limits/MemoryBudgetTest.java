package io.holdfast.broker.limits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MemoryBudgetTest {
  private static final long MIB = 1 << 20;

  @ParameterizedTest
  @ValueSource(longs = {32, 64, 128, 256, 1024, 16384})
  void shouldLeaveRoomForTheRest(long heapMib) {
    MemoryBudget budget = new MemoryBudget(heapMib * MIB, 1, 1);
    long limits = 0;
    for (MemoryBudget.Usage part : budget.parts().values()) {
      assertTrue(part.limitBytes() > 0);
      limits += part.limitBytes();
    }
    assertTrue(limits < heapMib * MIB * 3 / 4, limits + " bytes");
    assertTrue(limits > heapMib * MIB / 5, limits + " bytes");
  }

  @Test
  void shouldSayTheDivisionInOneLine() {
    assertEquals(
        "memory budget of a heap of 256 MiB: queues 43 MiB, in_flight 22 MiB, deferred 34 MiB,"
            + " input 64 MiB, output 64 MiB, connections 38 MiB, topics 34 MiB",
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
