package io.holdfast.broker.stats;

import com.sun.management.GarbageCollectionNotificationInfo;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import javax.management.Notification;
import javax.management.NotificationEmitter;
import javax.management.openmbean.CompositeData;

/** The last garbage collection pauses, as many as Go keeps. Thread-safe. */
final class GcPauses {
  static final int KEPT = 256;
  private static final long US_PER_MS = 1000;

  /** Ring; guarded by this. */
  private final long[] pausesUs = new long[KEPT];

  /** Pauses ever added; guarded by this. */
  private long count;

  /** Percentiles in us, 0 if there was no pause yet. */
  record Percentiles(long maxUs, long p99Us, long p95Us) {}

  private static final class Shared {
    private static final GcPauses INSTANCE = new GcPauses().listening();
  }

  /** Returns the instance that listens to this JVM's collectors. */
  static GcPauses shared() {
    return Shared.INSTANCE;
  }

  private GcPauses listening() {
    for (GarbageCollectorMXBean gc : ManagementFactory.getGarbageCollectorMXBeans()) {
      // These beans report how long a concurrent cycle took, during which the broker ran on.
      boolean concurrent = gc.getName().contains("Concurrent") || gc.getName().contains("Cycles");
      if (!concurrent && gc instanceof NotificationEmitter emitter) {
        emitter.addNotificationListener(this::onNotification, null, null);
      }
    }
    return this;
  }

  private void onNotification(Notification notification, Object handback) {
    if (notification
        .getType()
        .equals(GarbageCollectionNotificationInfo.GARBAGE_COLLECTION_NOTIFICATION)) {
      GarbageCollectionNotificationInfo info =
          GarbageCollectionNotificationInfo.from((CompositeData) notification.getUserData());
      add(info.getGcInfo().getDuration() * US_PER_MS);
    }
  }

  synchronized void add(long pauseUs) {
    pausesUs[(int) (count++ % KEPT)] = pauseUs;
  }

  Percentiles percentiles() {
    long[] sorted;
    synchronized (this) {
      sorted = Arrays.copyOf(pausesUs, (int) Math.min(count, KEPT));
    }
    Arrays.sort(sorted);
    return new Percentiles(percentile(sorted, 100), percentile(sorted, 99), percentile(sorted, 95));
  }

  private static long percentile(long[] sorted, int percent) {
    if (sorted.length == 0) {
      return 0;
    }
    int rank = (int) Math.ceil(percent / 100.0 * sorted.length);
    return sorted[Math.max(rank, 1) - 1];
  }
}
