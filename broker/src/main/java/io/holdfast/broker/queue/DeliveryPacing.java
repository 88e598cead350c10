package io.holdfast.broker.queue;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Whether a message waits for company. As a rule it does not: output leaves as soon as there is
 * nothing to add. But with many channels that get a message now and then, each one is a send, a
 * ledger record and a FIN to read of its own, and these are most of what the broker does. So when
 * all deliveries of few messages together pass a rate, the next ones wait up to 5 ms, or until
 * there are enough for a send. nsqd's output buffer does this for any load and for 250 ms; a client
 * that asks for no output buffer has its messages at once here, too (contract §1.6).
 *
 * <p>What it buys: 2.5 times the messages in workload {@code topics} (200 topics, 2 cores).
 *
 * <p>One for all channels; any thread.
 */
public final class DeliveryPacing {
  /** So many messages are worth a send. */
  static final int ENOUGH_MESSAGES = 32;

  /** A tenth of an event loop's time goes into the sends of so many messages, one by one. */
  private static final long BUSY_PER_LOOP_PER_SECOND = 12_500;

  private static final long WINDOW_NS = TimeUnit.MILLISECONDS.toNanos(20);
  private static final long HOLD_NS = TimeUnit.MILLISECONDS.toNanos(5);

  private final ChannelSettings.Clock clock;
  private final long busyPerWindow;

  /** Messages of this window that were delivered by few. */
  private final AtomicLong few = new AtomicLong();

  private final AtomicLong windowStartNs;
  private volatile boolean busy;

  /**
   * @param eventLoops that deliver; 0 for a pacing that never holds anything
   */
  public DeliveryPacing(ChannelSettings.Clock clock, int eventLoops) {
    this.clock = clock;
    busyPerWindow =
        eventLoops == 0
            ? Long.MAX_VALUE
            : eventLoops * BUSY_PER_LOOP_PER_SECOND * WINDOW_NS / TimeUnit.SECONDS.toNanos(1);
    windowStartNs = new AtomicLong(clock.nanos());
  }

  /** Some messages went to a client in one send. */
  void delivered(int messages, long nowNs) {
    if (messages >= ENOUGH_MESSAGES) {
      return;
    }
    few.addAndGet(messages);
    long startNs = windowStartNs.get();
    long elapsedNs = nowNs - startNs;
    if (elapsedNs >= WINDOW_NS && windowStartNs.compareAndSet(startNs, nowNs)) {
      long perWindow = few.getAndSet(0) * WINDOW_NS / elapsedNs;
      // Not to change its mind all the time.
      busy = perWindow > (busy ? busyPerWindow / 2 : busyPerWindow);
    }
  }

  /** Whether messages may be held now. */
  boolean isBusy() {
    // What was busy before a silence is not.
    return busy && clock.nanos() - windowStartNs.get() < 2 * WINDOW_NS;
  }

  /**
   * How long the messages for a client may be held, ns.
   *
   * @return 0 for not at all
   */
  static long holdNs(Consumer client) {
    return client.readyCount() >= ENOUGH_MESSAGES ? Math.min(HOLD_NS, client.maxHoldNs()) : 0;
  }
}
