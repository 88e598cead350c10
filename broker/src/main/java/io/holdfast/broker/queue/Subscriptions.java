package io.holdfast.broker.queue;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.broker.policy.ChannelPolicy;
import java.util.ArrayList;
import java.util.List;

/** How consumers come to a channel and leave it. Takes the channel's lock itself. Any thread. */
final class Subscriptions {
  private final Object lock;
  private final ChannelState state;
  private final PolicyInForce<ChannelPolicy> policy;
  private final Consumers consumers;

  @GuardedBy("lock")
  private final Deliveries deliveries;

  @GuardedBy("lock")
  private final Wakeups wakeups;

  /**
   * @param lock the channel's
   */
  Subscriptions(
      Object lock,
      ChannelState state,
      PolicyInForce<ChannelPolicy> policy,
      Consumers consumers,
      Deliveries deliveries,
      Wakeups wakeups) {
    this.lock = lock;
    this.state = state;
    this.policy = policy;
    this.consumers = consumers;
    this.deliveries = deliveries;
    this.wakeups = wakeups;
  }

  /** See {@link Channel#addClient}. */
  void add(Consumer client) throws BrokerException {
    synchronized (lock) {
      if (state.exiting || consumers.isClosed()) {
        throw new BrokerException("exiting");
      }
      consumers.add(client);
      // It may have waited for what another broker sends; here it waits not before it is told so.
      client.setWaiting(false);
    }
  }

  /**
   * Removes a consumer and requeues at once what it had in flight.
   *
   * @return whether it was the last one
   */
  boolean remove(Consumer client) {
    List<Consumer> wake = new ArrayList<>();
    boolean last;
    synchronized (lock) {
      if (!consumers.remove(client)) {
        return false;
      }
      wakeups.remove(client);
      // Where the order is kept another consumer is served now.
      int came = Math.max(deliveries.leave(client), policy.get().ordered() ? 1 : 0);
      wakeups.next(came, wake);
      last = consumers.isEmpty();
    }
    wake.forEach(Consumer::wake);
    return last;
  }

  /**
   * None may come from now on, because the channel is to be deleted for having none.
   *
   * @return false when it has some
   */
  boolean close() {
    synchronized (lock) {
      return !state.exiting && consumers.close();
    }
  }

  /** Some may come again: the channel could not be deleted. */
  void reopen() {
    synchronized (lock) {
      consumers.reopen();
    }
  }
}
