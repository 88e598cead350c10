package io.holdfast.broker.http;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryUsage;
import java.util.Locale;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What /debug/pprof/heap shows: memory pools, buffers, collectors and the largest classes.
 * Stateless.
 */
final class HeapReport {
  private static final Logger LOG = LoggerFactory.getLogger(HeapReport.class);
  private static final int HISTOGRAM_LINES = 60;

  private HeapReport() {}

  /** Renders the report; stops the JVM for the histogram, a second or so per some GB of heap. */
  static String render() {
    StringBuilder out = new StringBuilder("heap profile (bytes)\n");
    row(out, "heap", ManagementFactory.getMemoryMXBean().getHeapMemoryUsage());
    row(out, "non-heap", ManagementFactory.getMemoryMXBean().getNonHeapMemoryUsage());
    out.append("\nPools:\n");
    for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
      row(out, pool.getName(), pool.getUsage());
    }
    out.append("\nBuffers:\n");
    for (BufferPoolMXBean pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
      out.append(
          String.format(
              Locale.ROOT,
              "   %-36s count: %-10d used: %-14d capacity: %d%n",
              pool.getName(),
              pool.getCount(),
              pool.getMemoryUsed(),
              pool.getTotalCapacity()));
    }
    out.append("\nCollectors:\n");
    for (GarbageCollectorMXBean gc : ManagementFactory.getGarbageCollectorMXBeans()) {
      out.append(
          String.format(
              Locale.ROOT,
              "   %-36s runs: %-10d total_ms: %d%n",
              gc.getName(),
              gc.getCollectionCount(),
              gc.getCollectionTime()));
    }
    return out.append("\nClasses (not collected garbage included):\n")
        .append(histogram())
        .toString();
  }

  private static void row(StringBuilder out, String name, MemoryUsage usage) {
    out.append(
        String.format(
            Locale.ROOT,
            "   %-36s used: %-14d committed: %-14d max: %d%n",
            name,
            usage.getUsed(),
            usage.getCommitted(),
            usage.getMax()));
  }

  private static String histogram() {
    MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
    try {
      Object text =
          beans.invoke(
              new ObjectName("com.sun.management:type=DiagnosticCommand"),
              "gcClassHistogram",
              new Object[] {new String[] {"-all"}}, // without it: a full collection first
              new String[] {String[].class.getName()});
      return text.toString().lines().limit(HISTOGRAM_LINES).reduce("", (a, b) -> a + b + "\n");
    } catch (JMException e) {
      LOG.debug("no class histogram", e);
      return "   not available on this JVM\n";
    }
  }
}
