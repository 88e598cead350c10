package io.holdfast.broker.stats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class LatencyCountsTest {
  private final LatencyCounts counts = new LatencyCounts(new double[] {0.001, 0.1});

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
}
