package io.holdfast.broker.limits;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Lets a line be logged at first and then once a minute at most, where a client could otherwise
 * fill the log. Thread-safe.
 */
public final class SeldomLog {
  private static final long EVERY_NS = TimeUnit.MINUTES.toNanos(1);

  private final AtomicLong lastNs = new AtomicLong(System.nanoTime() - EVERY_NS);

  /** Whether to log now. */
  public boolean isDue() {
    long nowNs = System.nanoTime();
    long last = lastNs.get();
    return nowNs - last >= EVERY_NS && lastNs.compareAndSet(last, nowNs);
  }
}
