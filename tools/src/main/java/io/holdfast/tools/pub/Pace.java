package io.holdfast.tools.pub;

/** A schedule for --rate: when the next messages are due. One thread. */
final class Pace {
  private static final long TICKS_PER_SECOND = 20;

  private final long rate;
  private long dueNs;

  /**
   * @param rate messages a second, at least 1
   * @param startNs when the first message is due, by {@link System#nanoTime}
   */
  Pace(long rate, long startNs) {
    this.rate = rate;
    this.dueNs = startNs;
  }

  /**
   * Batches must stay small against the rate, or it would come in bursts.
   *
   * @return messages that may go together, at least 1
   */
  long messagesPerTick() {
    return Math.max(1, rate / TICKS_PER_SECOND);
  }

  /**
   * Plans the next messages. Time lost by a slow input or broker is not made up for by a burst.
   *
   * @param messages how many
   * @param nowNs the time, by {@link System#nanoTime}
   * @return how long to wait before sending them, ms
   */
  long waitMs(int messages, long nowNs) {
    dueNs = Math.max(dueNs, nowNs - 1_000_000_000L / TICKS_PER_SECOND);
    long waitNs = dueNs - nowNs;
    dueNs += messages * 1_000_000_000L / rate;
    return Math.max(0, waitNs / 1_000_000);
  }
}
