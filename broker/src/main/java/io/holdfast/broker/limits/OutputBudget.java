package io.holdfast.broker.limits;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory that output takes which clients have not taken yet, over all connections. The more of
 * it is taken, the smaller is each client's share; when all of it is in use nobody gets more
 * messages, and the larger ones of those who take nothing lose their connections. Thread-safe.
 */
public final class OutputBudget {
  /** A client may have this much waiting whatever others do, while anything is left. */
  private static final long MIN_SHARE_BYTES = 64 * 1024;

  /** Of what is left of the first half, a client's share. The other half is for newcomers. */
  private static final int SHARES = 8;

  private final long maxBytes;
  private final AtomicLong usedBytes = new AtomicLong();

  /** Connections with output waiting. */
  private final AtomicInteger holders = new AtomicInteger();

  public OutputBudget(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /** So many bytes of a connection's output wait where others did before; 0 when none. */
  public void change(long fromBytes, long toBytes) {
    usedBytes.addAndGet(toBytes - fromBytes);
    if (fromBytes == 0 && toBytes > 0) {
      holders.incrementAndGet();
    } else if (fromBytes > 0 && toBytes == 0) {
      holders.decrementAndGet();
    }
  }

  /** A connection with nothing waiting gets so many bytes, unless that were too many. */
  public boolean tryAdd(long bytes) {
    if (usedBytes.addAndGet(bytes) <= maxBytes) {
      holders.incrementAndGet();
      return true;
    }
    usedBytes.addAndGet(-bytes);
    return false;
  }

  /** A client with more waiting gets no more messages. */
  public long shareBytes() {
    return Math.max(MIN_SHARE_BYTES, (maxBytes / 2 - usedBytes.get()) / SHARES);
  }

  /** What waits of a connection that has output waiting, on average. */
  public long averageBytes() {
    return usedBytes.get() / Math.max(1, holders.get());
  }

  /** Whether no client gets more messages. */
  public boolean isFull() {
    return usedBytes.get() >= maxBytes;
  }

  /** Bytes that may wait. */
  public long limitBytes() {
    return maxBytes;
  }

  /** Bytes waiting now. */
  public long usedBytes() {
    return usedBytes.get();
  }
}
