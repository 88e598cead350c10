package io.holdfast.broker.queue;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.broker.policy.TopicPolicy;
import java.io.IOException;
import java.util.Map;

/**
 * What is done to a topic by its administrators: paused, emptied, given another policy. Workers; of
 * a topic that other brokers share it goes through the {@link TopicLog}, and what begins with
 * "apply" comes from there.
 */
final class TopicAdmin {
  private final TopicContext context;
  private final TopicState state;
  private final Object lock;
  private final KeptBack keptBack;
  private final TopicChannels channels;
  private final PolicyInForce<TopicPolicy> policy;

  TopicAdmin(
      TopicContext context,
      TopicState state,
      KeptBack keptBack,
      TopicChannels channels,
      PolicyInForce<TopicPolicy> policy) {
    this.context = context;
    this.state = state;
    lock = state.lock;
    this.keptBack = keptBack;
    this.channels = channels;
    this.policy = policy;
  }

  /** See {@link Topic#pause}. */
  void pause() throws IOException {
    if (state.log != null) {
      state.log.pause(true);
      return;
    }
    synchronized (state.admin) {
      synchronized (lock) {
        state.paused = true;
        keptBack.pause();
      }
    }
    context.persistMetadata();
  }

  /** See {@link Topic#unpause}. */
  void unpause() throws IOException {
    if (state.log != null) {
      state.log.pause(false);
    } else {
      synchronized (state.admin) {
        synchronized (lock) {
          state.paused = false;
          channels.unpause();
        }
      }
      context.persistMetadata();
    }
    channels.findDeferred();
  }

  /**
   * It is paused, or not any more.
   *
   * @param keptFrom the first ordinal kept back from now on, or {@link KeptBack#NOTHING}
   */
  @GuardedBy("lock")
  void applyPaused(boolean on, long keptFrom) {
    state.paused = on;
    if (!on) {
      channels.extendAll();
    }
    keptBack.follow(keptFrom);
  }

  /** See {@link Topic#empty}. */
  void empty() throws IOException {
    if (state.log != null) {
      state.log.empty();
      return;
    }
    synchronized (state.admin) {
      synchronized (lock) {
        if (!state.exiting && !keptBack.isNothing()) {
          keptBack.drop();
          skipKept();
          if (!state.paused && channels.hasAudience()) {
            // Ephemeral ones, which get what comes from now on.
            keptBack.handOver();
          }
        }
      }
    }
    context.persistMetadata();
  }

  private void skipKept() throws IOException {
    for (Channel channel : channels.all()) {
      channel.intake().skipTo(keptBack.first());
    }
  }

  /** What was kept back is dropped. */
  @GuardedBy("lock")
  void applyEmptied(long keptFrom) {
    boolean wasNothing = keptBack.isNothing();
    keptBack.follow(keptFrom);
    if (!wasNothing) {
      channels.skipTo(keptBack.first());
    }
  }

  /** See {@link Topic#setHandPolicy}. */
  void setHandPolicy(Map<String, String> byHand) throws IOException {
    if (state.log != null) {
      state.log.setPolicy(byHand);
    } else {
      policy.setByHand(byHand);
    }
  }

  /** Another policy is in force. */
  @GuardedBy("lock")
  void applyPolicy(Map<String, String> byHand) {
    policy.adopt(byHand);
  }
}
