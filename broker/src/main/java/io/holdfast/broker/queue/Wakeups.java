package io.holdfast.broker.queue;

import io.holdfast.broker.policy.ChannelPolicy;
import java.util.List;

/**
 * Which consumers of a channel are woken, and when: whoever found nothing waits here, one is taken
 * out for each message that becomes ready, and where the broker is busy that one is woken a little
 * later, see {@link DeliveryPacing}. The channel's lock guards it; {@link Consumer#wake} is called
 * without.
 */
final class Wakeups {
  private final Object lock;
  private final ReadyMessages ready;
  private final DeliveryPacing pacing;
  private final PolicyInForce<ChannelPolicy> policy;
  private final Consumers consumers;
  private final WaitingClients waiting;
  private final HoldHistory history = new HoldHistory();

  /** Whether a client is woken in a few ms for what has come by then. */
  private boolean holding;

  /**
   * @param lock the channel's
   */
  Wakeups(
      Object lock,
      ReadyMessages ready,
      Consumers consumers,
      PolicyInForce<ChannelPolicy> policy,
      ChannelSettings settings) {
    this.lock = lock;
    this.ready = ready;
    this.consumers = consumers;
    this.policy = policy;
    pacing = settings.pacing();
    waiting = new WaitingClients(settings.topology());
  }

  /** A consumer found nothing. */
  void add(Consumer client) {
    waiting.add(client);
  }

  /** A consumer leaves. */
  void remove(Consumer client) {
    waiting.remove(client);
  }

  /** Takes out the client to be woken, null when there is nothing for it or none waits. */
  Consumer next() {
    return ready.isEmpty() ? null : poll();
  }

  private Consumer poll() {
    if (!policy.get().ordered()) {
      return waiting.poll();
    }
    Consumer served = consumers.served();
    if (served == null || !served.isWaiting()) {
      return null;
    }
    waiting.remove(served);
    return served;
  }

  /** As {@link #next}, after something was published: that may wait for company. */
  Consumer nextAfterPut() {
    return mayHold() && hold() ? null : next();
  }

  /** Takes out as many clients as messages came back, as far as so many wait. */
  void next(int messages, List<Consumer> to) {
    for (int i = 0; i < messages; i++) {
      Consumer client = poll();
      if (client == null) {
        return;
      }
      to.add(client);
    }
  }

  private boolean mayHold() {
    return !ready.isEmpty()
        && ready.depth() < DeliveryPacing.ENOUGH_MESSAGES
        && pacing.isBusy()
        && !policy.get().ordered();
  }

  /**
   * Has the client that waits woken later, when more may have come. Where several wait, they are
   * there to have a message each.
   *
   * @return false when it is to be woken now
   */
  private boolean hold() {
    assert Thread.holdsLock(lock);
    Consumer next = waiting.only();
    long holdNs = next == null ? 0 : DeliveryPacing.holdNs(next);
    if (holdNs == 0) {
      return false;
    }
    if (!holding && history.mayBegin()) {
      holding = next.runLater(this::endHold, holdNs);
    }
    return holding;
  }

  private void endHold() {
    Consumer client;
    synchronized (lock) {
      holding = false;
      history.ended(ready.depth());
      client = next();
    }
    wake(client);
  }

  /** Wakes a client, if it is one. Without the lock. */
  static void wake(Consumer client) {
    if (client != null) {
      client.wake();
    }
  }
}
