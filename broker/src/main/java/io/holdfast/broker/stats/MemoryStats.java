package io.holdfast.broker.stats;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;

/**
 * The JVM's heap under the names of Go's (contract §5, {@code memory}; §7).
 *
 * @param heapObjects always 0: a JVM does not count them
 * @param heapIdleBytes committed but unused
 * @param heapInUseBytes used, garbage included
 * @param heapReleasedBytes reserved (-Xmx) but not committed
 * @param gcPauseUsec100 longest of the last 256 pauses, us; the JVM tells whole ms
 * @param gcPauseUsec99 99th percentile of these
 * @param gcPauseUsec95 95th percentile of these
 * @param nextGcBytes heap size up to which the JVM goes without asking for more: what is committed
 * @param gcTotalRuns collections since start
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record MemoryStats(
    long heapObjects,
    long heapIdleBytes,
    long heapInUseBytes,
    long heapReleasedBytes,
    @JsonProperty("gc_pause_usec_100") long gcPauseUsec100,
    @JsonProperty("gc_pause_usec_99") long gcPauseUsec99,
    @JsonProperty("gc_pause_usec_95") long gcPauseUsec95,
    long nextGcBytes,
    long gcTotalRuns) {

  /** Has pauses counted from now on; for the broker's start. */
  public static void recordPauses() {
    GcPauses.shared();
  }

  /** Reads the current values. */
  public static MemoryStats now() {
    MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
    long runs = 0;
    for (GarbageCollectorMXBean gc : ManagementFactory.getGarbageCollectorMXBeans()) {
      runs += Math.max(gc.getCollectionCount(), 0); // -1: not counted
    }
    GcPauses.Percentiles pauses = GcPauses.shared().percentiles();
    return new MemoryStats(
        0,
        Math.max(heap.getCommitted() - heap.getUsed(), 0),
        heap.getUsed(),
        Math.max(heap.getMax() - heap.getCommitted(), 0),
        pauses.maxUs(),
        pauses.p99Us(),
        pauses.p95Us(),
        heap.getCommitted(),
        runs);
  }

  /** Runs the garbage collector and waits for it. */
  public static void collectGarbage() {
    ManagementFactory.getMemoryMXBean().gc();
  }
}
