package io.holdfast.broker.queue;

import java.io.IOException;
import java.util.Map;
import java.util.function.Function;

/**
 * The policy of one channel or topic: what was set for it by hand, and what is in force with that.
 * Any thread reads.
 *
 * @param <P> a record of {@code io.holdfast.broker.policy}
 */
final class PolicyInForce<P> {
  private final Function<Map<String, String>, P> rule;
  private final ChannelSettings.Persistence persistence;
  private volatile Map<String, String> byHand;
  private volatile P policy;

  /**
   * @param rule says what is in force with what was set by hand
   * @param byHand as it was when the broker stopped
   * @param persistence writes down what is set by hand
   */
  PolicyInForce(
      Function<Map<String, String>, P> rule,
      Map<String, String> byHand,
      ChannelSettings.Persistence persistence) {
    this.rule = rule;
    this.persistence = persistence;
    this.byHand = Map.copyOf(byHand);
    policy = rule.apply(this.byHand);
  }

  /** What is in force. */
  P get() {
    return policy;
  }

  /** What was set by hand: field to value as text; cannot be changed. */
  Map<String, String> byHand() {
    return byHand;
  }

  /** The configuration may have changed. */
  synchronized void refresh() {
    policy = rule.apply(byHand);
  }

  /** What was set by hand is this from now on, and is written down elsewhere. */
  synchronized void adopt(Map<String, String> to) {
    byHand = Map.copyOf(to);
    refresh();
  }

  /**
   * Sets what was set by hand: in force at once, on disk when this returns.
   *
   * @throws IOException when the disk refuses; all is as it was then
   */
  synchronized void setByHand(Map<String, String> to) throws IOException {
    Map<String, String> before = byHand;
    byHand = Map.copyOf(to);
    refresh();
    boolean done = false;
    try {
      persistence.persist();
      done = true;
    } finally {
      if (!done) {
        byHand = before;
        refresh();
      }
    }
  }
}
