package io.holdfast.broker.queue;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What becomes of a channel's messages by itself: those in flight time out, deferred ones become
 * ready. Knows when that is next, so that the scan need not look before. Takes the channel's lock
 * where it is not said that the caller has it.
 */
final class ChannelScan {
  /** Clients woken at a time that found no memory for messages in flight. */
  private static final int STARVED_WAKES = 64;

  private final String name;
  private final Object lock;
  private final Consumers consumers;
  private final ReadyMessages ready;

  @GuardedBy("lock")
  private final Deliveries deliveries;

  @GuardedBy("lock")
  private final Wakeups wakeups;

  private final QueueScan scan;

  /** No deadline or due time is before this, {@link System#nanoTime}. */
  private volatile long nextEventNs;

  /** Whether the scan looks at the channel. */
  private volatile boolean scanned;

  private volatile boolean over;

  /**
   * @param name of the channel, for the log
   * @param lock the channel's
   */
  ChannelScan(
      String name,
      Object lock,
      Consumers consumers,
      ReadyMessages ready,
      Deliveries deliveries,
      Wakeups wakeups,
      QueueScan scan) {
    this.name = name;
    this.lock = lock;
    this.consumers = consumers;
    this.ready = ready;
    this.deliveries = deliveries;
    this.wakeups = wakeups;
    this.scan = scan;
  }

  String name() {
    return name;
  }

  /** Something is to happen at this time, {@link System#nanoTime}. Under the lock. */
  void watch(long eventNs) {
    if (!scanned) {
      scanned = true;
      nextEventNs = eventNs;
      scan.add(this);
    } else if (eventNs - nextEventNs < 0) {
      nextEventNs = eventNs;
    }
  }

  /** As {@link #watch}, for the first of what becomes ready by itself, if any. Under the lock. */
  void watchDeferred() {
    if (ready.awaitsTime()) {
      watch(ready.firstDueNs(Long.MAX_VALUE));
    }
  }

  /** Whether a deadline or due time may have passed. Any thread. */
  boolean isDue(long nowNs) {
    return nowNs - nextEventNs >= 0;
  }

  /**
   * Requeues what has timed out and makes ready what is due. Scan thread.
   *
   * @return whether the scan is to keep looking at this channel
   */
  boolean processQueues(long nowNs) {
    List<Consumer> wake = new ArrayList<>();
    boolean keep;
    synchronized (lock) {
      if (over) {
        return false;
      }
      int came = deliveries.timeOut(consumers.all(), nowNs, wake);
      came += ready.releaseDue(nowNs);
      if (deliveries.endStarving()) {
        came += STARVED_WAKES;
      }
      wakeups.next(came, wake);
      keep = deliveries.inFlightCount() > 0 || ready.awaitsTime();
      scanned = keep;
      long otherwiseNs = ready.firstDueNs(nowNs + TimeUnit.HOURS.toNanos(1));
      nextEventNs = deliveries.firstDeadlineNs(consumers.all(), otherwiseNs);
    }
    wake.forEach(Consumer::wake);
    return keep;
  }

  /** Whether the channel has ended. Any thread. */
  boolean isOver() {
    return over;
  }

  /** The channel ends: nothing of it times out any more. Under the lock. */
  void end() {
    over = true;
    scan.remove(this);
  }
}
