package io.holdfast.broker.queue;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The machine's clocks, and a steady one for ages: the wall clock at the start, then monotonic
 * time, drawn towards the wall clock by at most a second in a minute. A wall clock that is set
 * forward must not make a backlog too old at once. Where it is set back, what is published then
 * bears earlier times: so the steady clock never shows more than the wall clock. Thread-safe.
 */
final class SteadyClock implements ChannelSettings.Clock {
  private static final Logger LOG = LoggerFactory.getLogger(SteadyClock.class);
  private static final long LOOK_NS = TimeUnit.SECONDS.toNanos(1);
  private static final long NS_PER_DRAWN_NS = 60;
  private static final long WARN_MS = TimeUnit.MINUTES.toMillis(1);

  private final LongSupplier nanos;
  private final LongSupplier wallMs;

  /** Steady time at {@link #seenNs}, ms since 1970; changed together. */
  @GuardedBy("this")
  private long seenMs;

  private volatile long seenNs;

  /** To be added to monotonic time, ms. */
  private volatile long offsetMs;

  @GuardedBy("this")
  private boolean warned;

  /**
   * @param nanos monotonic
   * @param wallMs ms since 1970
   */
  SteadyClock(LongSupplier nanos, LongSupplier wallMs) {
    this.nanos = nanos;
    this.wallMs = wallMs;
    seenNs = nanos.getAsLong();
    seenMs = wallMs.getAsLong();
    offsetMs = seenMs - TimeUnit.NANOSECONDS.toMillis(seenNs);
  }

  @Override
  public long nanos() {
    return nanos.getAsLong();
  }

  @Override
  public long wallMs() {
    return wallMs.getAsLong();
  }

  @Override
  public long steadyMs() {
    long nowNs = nanos.getAsLong();
    long wall = wallMs.getAsLong();
    if (nowNs - seenNs >= LOOK_NS) {
      draw(nowNs, wall);
    }
    return Math.min(wall, offsetMs + TimeUnit.NANOSECONDS.toMillis(nowNs));
  }

  private synchronized void draw(long nowNs, long wall) {
    long elapsedNs = nowNs - seenNs;
    if (elapsedNs < LOOK_NS) {
      return;
    }
    long steady = seenMs + TimeUnit.NANOSECONDS.toMillis(elapsedNs);
    long differenceMs = wall - steady;
    long mostMs = TimeUnit.NANOSECONDS.toMillis(elapsedNs / NS_PER_DRAWN_NS);
    if (Math.abs(differenceMs) <= WARN_MS) {
      warned = false;
    } else if (!warned) {
      warned = true;
      LOG.warn(
          "the wall clock is {} s {} the time that has passed; message_ttl and retention follow it"
              + " by at most 1 s in a minute",
          TimeUnit.MILLISECONDS.toSeconds(Math.abs(differenceMs)),
          differenceMs > 0 ? "ahead of" : "behind");
    }
    seenMs = steady + Math.max(-mostMs, Math.min(mostMs, differenceMs));
    seenNs = nowNs;
    offsetMs = seenMs - TimeUnit.NANOSECONDS.toMillis(nowNs);
  }
}
