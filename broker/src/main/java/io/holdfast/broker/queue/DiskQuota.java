package io.holdfast.broker.queue;

import java.util.function.LongSupplier;

/**
 * How much of the disk a topic takes, and whether that is more than it may: measured by
 * housekeeping, and exact between two measurements, too.
 */
final class DiskQuota {
  private final String topic;
  private final LongSupplier maxBytes;

  /** What journal and ledgers took when housekeeping last looked. */
  private volatile long measuredBytes;

  /** Bytes published since; the topic's lock guards changes. */
  private volatile long bytesSince;

  /**
   * @param maxBytes 0 for no limit
   */
  DiskQuota(String topic, LongSupplier maxBytes) {
    this.topic = topic;
    this.maxBytes = maxBytes;
  }

  /** Bytes were published. The topic's lock. */
  @SuppressWarnings("NonAtomicVolatileUpdate") // the lock is the caller's
  void published(int bytes) {
    bytesSince += bytes;
  }

  /**
   * Measures. Housekeeping thread.
   *
   * @param diskBytes takes its time
   * @param lock the topic's
   */
  void measure(LongSupplier diskBytes, Object lock) {
    if (maxBytes.getAsLong() == 0) {
      return;
    }
    long before;
    synchronized (lock) {
      before = bytesSince;
    }
    measuredBytes = diskBytes.getAsLong();
    synchronized (lock) {
      // What was published while it was measured counts twice until the next time.
      bytesSince -= before;
    }
  }

  /** Why the topic takes no more, for the client; null when it does. Any thread. */
  String refusal(long moreBytes) {
    long max = maxBytes.getAsLong();
    long bytes = measuredBytes + bytesSince;
    return max == 0 || bytes + moreBytes <= max
        ? null
        : "TOPIC("
            + topic
            + ") takes "
            + bytes
            + " bytes on disk, max-disk-bytes-per-topic is "
            + max;
  }
}
