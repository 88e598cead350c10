package io.holdfast.broker.cluster;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * When a group that has stopped by an error is made anew: after two seconds, then ever later up to
 * a minute, and at once when the disk has got room. For one thread.
 */
final class GroupRestarts {
  private static final long FIRST_NS = TimeUnit.SECONDS.toNanos(2);
  private static final long LAST_NS = TimeUnit.MINUTES.toNanos(1);

  /** So much more room than when it failed is worth a try. */
  private static final long ROOM_BYTES = 8 << 20;

  private final LongSupplier freeBytes;
  private long delayNs = FIRST_NS;

  /** Whether it has stopped, as far as this knows. */
  private boolean isStopped;

  private long dueNs;
  private long freeWhenStopped;

  /** Since when it runs; of use only when it does. */
  private long wellNs;

  /**
   * Of a group that runs.
   *
   * @param freeBytes what the disk has left; asked only while the group has stopped
   */
  GroupRestarts(LongSupplier freeBytes) {
    this.freeBytes = freeBytes;
  }

  /** The group runs. */
  void isWell(long nowNs) {
    if (isStopped) {
      isStopped = false;
      wellNs = nowNs;
    } else if (delayNs > FIRST_NS && nowNs - wellNs > LAST_NS) {
      // What comes now is another error.
      delayNs = FIRST_NS;
    }
  }

  /** The group has stopped; whether it is to be tried again now. */
  boolean isDue(long nowNs) {
    if (!isStopped) {
      stopped(nowNs);
      return false;
    }
    if (freeBytes.getAsLong() - freeWhenStopped >= ROOM_BYTES) {
      delayNs = FIRST_NS;
      stopped(nowNs);
      return true;
    }
    if (nowNs - dueNs < 0) {
      return false;
    }
    delayNs = Math.min(LAST_NS, 2 * delayNs);
    stopped(nowNs);
    return true;
  }

  /** Or was tried in vain, if nobody says that it is well. */
  private void stopped(long nowNs) {
    isStopped = true;
    dueNs = nowNs + delayNs;
    freeWhenStopped = freeBytes.getAsLong();
  }
}
