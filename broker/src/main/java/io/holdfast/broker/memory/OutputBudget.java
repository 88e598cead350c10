package io.holdfast.broker.memory;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory that output takes which clients have not taken yet, over all connections. From half of
 * it on, who has output waiting gets no more, and who does not take any for a while loses its
 * connection; when all of it is in use nobody gets more. Thread-safe.
 */
public final class OutputBudget {
  private final long maxBytes;
  private final AtomicLong usedBytes = new AtomicLong();

  public OutputBudget(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /** More, or with a negative number less, output waits. */
  public void add(long bytes) {
    usedBytes.addAndGet(bytes);
  }

  /** Adds so many bytes unless that were too many. */
  public boolean tryAdd(long bytes) {
    if (usedBytes.addAndGet(bytes) <= maxBytes) {
      return true;
    }
    usedBytes.addAndGet(-bytes);
    return false;
  }

  /** Whether clients that do not keep up must wait. */
  public boolean isTight() {
    return usedBytes.get() >= maxBytes / 2;
  }

  /** Whether everybody must wait. */
  public boolean isFull() {
    return usedBytes.get() >= maxBytes;
  }

  /** Bytes waiting now. */
  public long usedBytes() {
    return usedBytes.get();
  }
}
