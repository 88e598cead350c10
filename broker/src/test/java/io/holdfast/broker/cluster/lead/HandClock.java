package io.holdfast.broker.cluster.lead;

import io.holdfast.broker.queue.ChannelSettings;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A clock that stands still until it is moved, and whose wall clock can be wrong. */
public final class HandClock implements ChannelSettings.Clock {
  private static final long EPOCH_MS = 1_700_000_000_000L;

  private final AtomicLong ms = new AtomicLong(1);
  private final AtomicLong offsetMs = new AtomicLong();

  void advance(long byMs) {
    ms.addAndGet(byMs);
  }

  /** The wall clock is moved, and nothing else. */
  void step(long byMs) {
    offsetMs.addAndGet(byMs);
  }

  @Override
  public long nanos() {
    return TimeUnit.MILLISECONDS.toNanos(ms.get());
  }

  @Override
  public long wallMs() {
    return EPOCH_MS + ms.get() + offsetMs.get();
  }

  /** The wall clock, ns since 1970. */
  public long wallNs() {
    return TimeUnit.MILLISECONDS.toNanos(wallMs());
  }
}
