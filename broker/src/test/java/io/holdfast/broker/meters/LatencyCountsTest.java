package io.holdfast.broker.meters;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class LatencyCountsTest {
  private final LatencyCounts counts = LatencyCounts.shared(new double[] {0.001, 0.1});

  @Test
  void aValueIsInTheFirstBucketThatIsNotBelowIt() {
    counts.record(1_000_000);
    counts.record(1_000_001);
    counts.record(100_000_000, 3);
    counts.record(100_000_001);
    assertArrayEquals(new long[] {1, 4, 1}, counts.bucketCounts());
    assertEquals(0.402000002, counts.sumSeconds(), 1e-12);
  }

  @Test
  void aNegativeDurationCountsAsNone() {
    counts.record(-5);
    assertArrayEquals(new long[] {1, 0, 0}, counts.bucketCounts());
    assertEquals(0, counts.sumSeconds());
  }

  @Test
  void manyWritersAndOneOwnerLoseNothing() throws Exception {
    Thread[] threads = new Thread[6];
    for (int t = 0; t < threads.length; t++) {
      threads[t] =
          new Thread(
              () -> {
                for (int i = 0; i < 10_000; i++) {
                  counts.record(2_000_000);
                }
              });
      threads[t].start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertArrayEquals(new long[] {0, 60_000, 0}, counts.bucketCounts());
    LatencyCounts owned = LatencyCounts.owned(new double[] {0.001});
    owned.recordOwned(1_000_000);
    owned.recordOwned(3_000_000);
    assertArrayEquals(new long[] {1, 1}, owned.bucketCounts());
    assertEquals(0.004, owned.sumSeconds(), 1e-12);
  }
}
