package io.holdfast.broker.stats;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class MemoryStatsTest {
  @Test
  void shouldReadTheHeapAndItsPauses() {
    MemoryStats before = MemoryStats.now();
    assertTrue(before.heapInUseBytes() > 0);
    assertTrue(before.nextGcBytes() >= before.heapInUseBytes());
    MemoryStats.collectGarbage();
    await().until(() -> MemoryStats.now().gcPauseUsec100() > 0);
    assertTrue(MemoryStats.now().gcTotalRuns() > before.gcTotalRuns());
  }

  @Test
  void shouldKeepTheLastPauses() {
    GcPauses pauses = new GcPauses();
    assertEquals(new GcPauses.Percentiles(0, 0, 0), pauses.percentiles());
    pauses.add(1_000_000); // pushed out below
    for (int i = 1; i <= GcPauses.KEPT; i++) {
      pauses.add(i);
    }
    assertEquals(new GcPauses.Percentiles(256, 254, 244), pauses.percentiles());
  }
}
