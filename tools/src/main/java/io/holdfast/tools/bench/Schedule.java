package io.holdfast.tools.bench;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * When a run starts, counts and ends; shared by its workers. Times by {@link System#nanoTime}. All
 * methods are safe from any thread.
 */
final class Schedule {
  private final AtomicLong budget;
  private final long window;
  private volatile long startNs;
  private volatile long measureNs;
  private volatile long endNs;
  private volatile boolean stopped;
  private volatile LongSupplier outstanding = () -> 0;

  /**
   * @param count messages to publish after the warm-up; 0 = until the time is over
   * @param window most messages published and not yet consumed; 0 = no limit
   */
  Schedule(long count, long window) {
    this.budget = count == 0 ? null : new AtomicLong(count);
    this.window = window;
  }

  /**
   * Sets the times; before any worker runs.
   *
   * @param nowNs the start
   * @param warmupNs length of the warm-up
   * @param lengthNs length of the measurement; {@link Long#MAX_VALUE} = no end
   */
  void begin(long nowNs, long warmupNs, long lengthNs) {
    startNs = nowNs;
    measureNs = nowNs + warmupNs;
    endNs = lengthNs == Long.MAX_VALUE ? Long.MAX_VALUE : measureNs + lengthNs;
  }

  /** How many messages are published and not yet consumed, for the window. */
  void countOutstanding(LongSupplier supplier) {
    outstanding = supplier;
  }

  long startNs() {
    return startNs;
  }

  long measureNs() {
    return measureNs;
  }

  long endNs() {
    return endNs;
  }

  boolean measures(long ns) {
    return ns - measureNs >= 0;
  }

  boolean over(long nowNs) {
    return stopped || (endNs != Long.MAX_VALUE && nowNs - endNs >= 0);
  }

  void stop() {
    stopped = true;
  }

  boolean windowFull() {
    return window > 0 && outstanding.getAsLong() >= window;
  }

  /**
   * Asks to publish; during the warm-up it costs nothing.
   *
   * @param messages how many
   * @param nowNs the time
   * @return how many are granted; 0 when the run's share is used up
   */
  long claim(long messages, long nowNs) {
    if (budget == null || !measures(nowNs)) {
      return messages;
    }
    long left = budget.getAndAdd(-messages);
    return Math.max(0, Math.min(left, messages));
  }
}
