package io.holdfast.broker.queue;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.broker.policy.ChannelPolicy;
import io.holdfast.storage.ledger.HeldMessages;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.topic.BackendQueue;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
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
  private final Deliveries deliveries;

  @GuardedBy("lock")
  private final ChannelMessages messages;

  @GuardedBy("lock")
  private final DeadLetters dead;

  private final ChannelLedger ledger;
  private final ChannelScan timing;

  /** Where changes go first, as other brokers share the topic; null for nowhere. */
  private TopicLog log;

  /** The channel's name there. */
  private String name;

  /** What the last {@link #applyMove} came to: messages that wait, and that were given up. */
  private volatile long[] lastMove = new long[2];

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
      Deliveries deliveries,
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
    this.deliveries = deliveries;
    this.messages = messages;
    this.dead = dead;
    this.ledger = ledger;
    this.timing = timing;
  }

  /**
   * Other brokers share the topic: changes go there first, and what begins with "apply" comes from
   * there. Before anybody finds the channel.
   */
  void changeThrough(TopicLog of, String as) {
    log = of;
    name = as;
  }

  /** See {@link Channel#pause}. */
  void pause() throws IOException {
    if (log != null) {
      log.pauseChannel(name, true);
      return;
    }
    state.paused = true;
    settings.persistence().persist();
  }

  /** See {@link Channel#unpause}. */
  void unpause() throws IOException {
    if (log != null) {
      log.pauseChannel(name, false);
      return;
    }
    state.paused = false;
    wakeAll();
    settings.persistence().persist();
  }

  /** It delivers nothing, or goes on. */
  void applyPaused(boolean on) {
    state.paused = on;
    if (!on) {
      wakeAll();
    }
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
    if (log != null) {
      log.emptyChannel(name);
      return;
    }
    synchronized (lock) {
      if (state.exiting) {
        return;
      }
      messages.clearLiving();
      List<HeldMessage> dead = messages.dead();
      ledger.recordDropped(() -> backend.empty(dead), messages);
    }
    // Their slots are free again.
    wakeAll();
  }

  /**
   * Puts the channel to another position; a call of {@link #settleRewind} is to follow. Topic's
   * lock, while no file is removed, nothing relocated and no dead letter published.
   *
   * @param first it has everything from this ordinal on
   * @param relocations where messages from there on stand whose own record is gone
   * @return how many messages wait now, and how many unfinished ones were given up
   * @throws IOException when the disk refuses; nothing has changed
   */
  long[] rewind(long first, Collection<MessageRef> relocations) throws IOException {
    long[] counts = new long[2];
    synchronized (lock) {
      if (state.exiting) {
        throw new IOException("exiting");
      }
      counts[1] = backend.depthBelow(first);
      List<HeldMessage> staying = new ArrayList<>();
      long nowMs = settings.clock().wallMs();
      messages.visit(
          (message, delayMs) -> {
            if (message.ordinal() < first) {
              counts[1]++;
            } else if (delayMs > 0 && message.packedAttempts() == 0) {
              // Not due since it was published.
              staying.add(HeldMessage.after(message, delayMs, nowMs));
            }
          });
      messages.dead().stream().filter(d -> d.ref().ordinal() < first).forEach(staying::add);
      HeldMessages held = backend.rewind(first, relocations, staying);
      messages.clear();
      deliveries.restore(held);
      counts[0] = ready.depth() + ready.deferredCount();
      timing.watchDeferred();
    }
    wakeAll();
    return counts;
  }

  /**
   * Everything the channel has is void, what is in flight too: it was emptied or put to another
   * position, and begins anew as those have agreed who share the topic. Topic's lock.
   *
   * @param agreed a copy, which the channel changes
   * @param epoch of what the channel writes down from now on
   * @param keptFrom what the topic holds back begins here; negative for nothing
   */
  void applyMove(LedgerState agreed, long epoch, long keptFrom) throws IOException {
    synchronized (lock) {
      if (state.exiting) {
        return;
      }
      long[] unfinished = {backend.depthBelow(agreed.floor())};
      messages.visit(
          (message, delayMs) -> unfinished[0] += message.ordinal() < agreed.floor() ? 1 : 0);
      messages.clear();
      deliveries.restore(backend.restart(agreed, epoch, keptFrom));
      lastMove = new long[] {ready.depth() + ready.deferredCount(), unfinished[0]};
      timing.watchDeferred();
    }
    wakeAll();
  }

  /** See {@link #applyMove}. */
  long[] lastMove() {
    return lastMove.clone();
  }

  /** Returns when the new position is on disk; without locks but the topic's admin lock. */
  void settleRewind() throws IOException {
    backend.force();
    backend.removeOldFiles();
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
    settings.memory().topicClosed();
  }

  // ---------------------------------------------------------------- policy

  /** See {@link Channel#setHandPolicy}. */
  void setHandPolicy(Map<String, String> byHand) throws IOException {
    if (log != null) {
      log.setChannelPolicy(name, byHand);
      return;
    }
    try {
      policy.setByHand(byHand);
    } finally {
      policyChanged();
    }
  }

  /** Another policy is in force. */
  void applyPolicy(Map<String, String> byHand) {
    policy.adopt(byHand);
    policyChanged();
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
