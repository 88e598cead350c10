package io.holdfast.broker.queue;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.policy.ChannelPolicy;
import io.holdfast.storage.topic.BackendQueue;
import java.io.IOException;
import java.util.Map;

/**
 * What is done to a channel by its administrators and its topic: paused, emptied, given another
 * policy, ended. Takes the channel's lock itself. Workers.
 */
final class ChannelAdmin {
  private final Object lock;
  private final ChannelState state;
  private final ChannelSettings settings;
  private final PolicyInForce<ChannelPolicy> policy;
  private final BackendQueue backend;
  private final Consumers consumers;

  @GuardedBy("lock")
  private final ReadyMessages ready;

  @GuardedBy("lock")
  private final ChannelMessages messages;

  @GuardedBy("lock")
  private final DeadLetters dead;

  private final ChannelLedger ledger;
  private final ChannelScan timing;

  /**
   * @param lock the channel's
   */
  ChannelAdmin(
      Object lock,
      ChannelState state,
      ChannelSettings settings,
      PolicyInForce<ChannelPolicy> policy,
      BackendQueue backend,
      Consumers consumers,
      ReadyMessages ready,
      ChannelMessages messages,
      DeadLetters dead,
      ChannelLedger ledger,
      ChannelScan timing) {
    this.lock = lock;
    this.state = state;
    this.settings = settings;
    this.policy = policy;
    this.backend = backend;
    this.consumers = consumers;
    this.ready = ready;
    this.messages = messages;
    this.dead = dead;
    this.ledger = ledger;
    this.timing = timing;
  }

  /** See {@link Channel#pause}. */
  void pause() throws IOException {
    state.paused = true;
    settings.persistence().persist();
  }

  /** See {@link Channel#unpause}. */
  void unpause() throws IOException {
    state.paused = false;
    wakeAll();
    settings.persistence().persist();
  }

  private void wakeAll() {
    consumers.all().forEach(Consumer::wake);
  }

  /** See {@link Channel#drain}. */
  void drain() {
    synchronized (lock) {
      state.draining = true;
    }
  }

  /** See {@link Channel#empty}. */
  void empty() throws IOException {
    synchronized (lock) {
      if (state.exiting) {
        return;
      }
      messages.clearLiving();
      ledger.recordDropped(() -> backend.empty(messages.dead()), messages);
    }
    // Their slots are free again.
    wakeAll();
  }

  /** See {@link Channel#exit}. */
  void exit(boolean deleting) {
    synchronized (lock) {
      if (state.exiting) {
        return;
      }
      if (!deleting) {
        ledger.checkpoint(messages.iterator());
      }
      state.exiting = true;
      ledger.close();
      timing.end();
      if (deleting) {
        messages.clear();
      }
    }
    consumers.all().forEach(Consumer::close);
    if (!deleting) {
      ledger.record(backend::removeOldFiles);
    }
    synchronized (lock) {
      backend.close();
    }
    settings.memory().topics().release(MemoryBudget.TOPIC_BYTES);
  }

  // ---------------------------------------------------------------- policy

  /** See {@link Channel#setHandPolicy}. */
  void setHandPolicy(Map<String, String> byHand) throws IOException {
    try {
      policy.setByHand(byHand);
    } finally {
      policyChanged();
    }
  }

  /** See {@link Channel#refreshPolicies}. */
  void refreshPolicies() {
    policy.refresh();
    policyChanged();
  }

  /** What the old policy held up the new one may not. */
  private void policyChanged() {
    synchronized (lock) {
      if (!state.exiting) {
        ready.setOrdered(policy.get().ordered());
        dead.bound(policy.get().maxDead());
        ledger.write();
      }
    }
    wakeAll();
  }
}
