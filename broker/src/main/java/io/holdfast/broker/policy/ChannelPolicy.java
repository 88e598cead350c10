package io.holdfast.broker.policy;

/**
 * What is in force for a channel: every field has a value.
 *
 * @param maxAttempts a message that was delivered so often and came back is dead; 0 for no limit
 * @param deadLetter what becomes of the dead: {@link #KEEP}, {@link #DROP}, or the topic they are
 *     published to
 * @param maxDead dead letters kept; the one that is dead longest goes first
 * @param messageTtlMs older messages expire instead of being delivered; 0 for never
 * @param expired what becomes of the expired
 * @param ordered whether messages go out one at a time, in the order of publishing
 * @param msgTimeoutMs for consumers that asked for none; 0 for the broker's option
 * @param maxInFlight with all consumers together; 0 for no limit
 * @param requeueBackoff delay of what comes back by REQ 0 or a timeout
 */
public record ChannelPolicy(
    int maxAttempts,
    String deadLetter,
    int maxDead,
    long messageTtlMs,
    Expired expired,
    boolean ordered,
    long msgTimeoutMs,
    int maxInFlight,
    Backoff requeueBackoff) {

  /** Dead letters stay with their channel. */
  public static final String KEEP = "keep";

  /** Dead letters are finished. */
  public static final String DROP = "drop";

  /** Dead letters that a channel keeps where nothing is said. */
  public static final int DEFAULT_MAX_DEAD = 100_000;

  /** What a channel has for which nothing was set: all as with nsqd. */
  public static final ChannelPolicy DEFAULT =
      new ChannelPolicy(0, KEEP, DEFAULT_MAX_DEAD, 0, Expired.DROP, false, 0, 0, Backoff.NONE);

  /** What becomes of a message that is too old. */
  public enum Expired {
    /** It is finished. */
    DROP,
    /** It is a dead letter. */
    DEAD
  }

  /**
   * Growing delays.
   *
   * @param minMs after the first attempt; 0 for no delays
   * @param maxMs the longest
   */
  public record Backoff(long minMs, long maxMs) {
    /** No delays. */
    public static final Backoff NONE = new Backoff(0, 0);

    /**
     * The delay after a number of attempts: doubled with each.
     *
     * @param attempts at least 1
     * @return ms
     */
    public long delayMs(int attempts) {
      int doublings = Math.min(Math.max(0, attempts - 1), Long.SIZE - 2);
      return minMs > maxMs >> doublings ? maxMs : minMs << doublings;
    }
  }

  /** Whether dead letters go to a topic. */
  public boolean hasDeadLetterTopic() {
    return !deadLetter.equals(KEEP) && !deadLetter.equals(DROP);
  }
}
