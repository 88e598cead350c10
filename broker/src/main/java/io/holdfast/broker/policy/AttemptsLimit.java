package io.holdfast.broker.policy;

/** Decides by {@code max_attempts} whether a message is delivered no more. Stateless. */
public final class AttemptsLimit {
  private AttemptsLimit() {}

  /**
   * Whether a message is dead: asked when a delivery has ended without FIN, and when one would
   * begin, as the limit may have been lowered.
   *
   * @param attempts deliveries so far, since it was last redriven
   */
  public static boolean isReached(ChannelPolicy rules, int attempts) {
    return rules.maxAttempts() > 0 && attempts >= rules.maxAttempts();
  }
}
