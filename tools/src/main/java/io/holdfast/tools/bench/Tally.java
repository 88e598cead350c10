package io.holdfast.tools.bench;

import java.util.concurrent.atomic.AtomicLong;

/** A worker's counters: its thread adds, any thread reads. */
final class Tally {
  private final AtomicLong all = new AtomicLong();
  private final AtomicLong measured = new AtomicLong();
  private final AtomicLong lastNs = new AtomicLong();

  /**
   * @param count messages
   * @param inWindow whether they count for the rate, that is, came after the warm-up
   * @param nowNs when, by {@link System#nanoTime}
   */
  void add(long count, boolean inWindow, long nowNs) {
    // A single writer needs no atomic addition, only that others see it some time.
    all.lazySet(all.get() + count);
    if (inWindow) {
      measured.lazySet(measured.get() + count);
    }
    lastNs.lazySet(nowNs);
  }

  /**
   * @return messages since the start
   */
  long all() {
    return all.get();
  }

  /**
   * @return messages after the warm-up
   */
  long measured() {
    return measured.get();
  }

  /**
   * @return time of the last {@link #add}; 0 before the first
   */
  long lastNs() {
    return lastNs.get();
  }
}
