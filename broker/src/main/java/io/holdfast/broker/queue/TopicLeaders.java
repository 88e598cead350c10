package io.holdfast.broker.queue;

import java.util.concurrent.CompletableFuture;

/** Knows which broker leads the topics that several share. Thread-safe. */
public interface TopicLeaders {
  /**
   * Done when this broker leads the topics among which one of this name is or would be; waits a
   * while for a leader. Does not block.
   *
   * @return fails with a {@link ServedElsewhereException} when another one leads them, else with a
   *     {@link BrokerException}
   */
  CompletableFuture<Void> ledHere(String topic);

  /**
   * The topic of a name, made if there is none; only where it is led. Blocks.
   *
   * @throws BrokerException when it was not made, or nobody knows
   */
  Topic create(String topic) throws BrokerException;
}
