package io.holdfast.broker.cluster.state;

import io.holdfast.storage.ledger.LedgerState;
import java.util.Map;

/**
 * A channel of a replicated topic, as the log says. Changed on the apply thread, under the topic's
 * lock; everything but {@link #state} may be read by any thread.
 */
public final class ReplicatedChannel {
  private final String name;
  private final long number;
  private volatile boolean paused;
  private volatile long epoch;
  private volatile Map<String, String> policy = Map.of();
  private LedgerState state;

  ReplicatedChannel(String name, long number, LedgerState state) {
    this.name = name;
    this.number = number;
    this.state = state;
  }

  /** As clients know it. */
  public String name() {
    return name;
  }

  /** Its number in the log's entries. */
  public long number() {
    return number;
  }

  /** Whether it delivers nothing. */
  public boolean isPaused() {
    return paused;
  }

  /** Raised when it is emptied or rewound: records of an older one count for nothing. */
  public long epoch() {
    return epoch;
  }

  /** What was set by hand, field to value as text; not to be changed. */
  public Map<String, String> policy() {
    return policy;
  }

  /** What is finished and held; under the topic's lock, not to be changed: copy it. */
  public LedgerState state() {
    return state;
  }

  void setPaused(boolean paused) {
    this.paused = paused;
  }

  void setEpoch(long epoch) {
    this.epoch = epoch;
  }

  void setPolicy(Map<String, String> policy) {
    this.policy = policy;
  }

  void setState(LedgerState state) {
    this.state = state;
  }
}
