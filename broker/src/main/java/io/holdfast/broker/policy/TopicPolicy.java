package io.holdfast.broker.policy;

/**
 * What is in force for a topic: every field has a value.
 *
 * @param retainForMs finished messages stay at least so long; negative for the broker's option
 * @param retainBytes finished messages take at most so much, oldest go first; 0 for no bound
 * @param maxDepth messages that may wait; 0 for no limit
 * @param maxBytes bytes of bodies that may wait; 0 for no limit
 * @param whenFull what happens to a publish beyond these
 */
public record TopicPolicy(
    long retainForMs, long retainBytes, long maxDepth, long maxBytes, WhenFull whenFull) {

  /** What a topic has for which nothing was set: all as with nsqd. */
  public static final TopicPolicy DEFAULT = new TopicPolicy(-1, 0, 0, 0, WhenFull.REJECT);

  /** What happens when a topic is full. */
  public enum WhenFull {
    /** The publish is refused. */
    REJECT,
    /** The oldest messages that wait make room. */
    DROP_OLDEST
  }

  /** Whether there is any limit to what waits. */
  public boolean isBounded() {
    return maxDepth > 0 || maxBytes > 0;
  }
}
