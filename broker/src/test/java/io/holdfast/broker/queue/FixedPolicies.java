package io.holdfast.broker.queue;

import io.holdfast.broker.policy.ChannelPolicy;
import io.holdfast.broker.policy.ChannelPolicy.Backoff;
import io.holdfast.broker.policy.ChannelPolicy.Expired;
import io.holdfast.broker.policy.Policies;
import io.holdfast.broker.policy.TopicPolicy;
import io.holdfast.broker.policy.TopicPolicy.WhenFull;
import java.util.Map;

/**
 * Policies that a test sets: the same for all channels and topics, whatever was set by hand; but
 * channels of the dead letters' topic "dlt" have none.
 */
public final class FixedPolicies implements Policies {
  /** A topic for dead letters that has no policy itself. */
  static final String GRAVES = "graves";

  public volatile ChannelPolicy channel = ChannelPolicy.DEFAULT;
  volatile TopicPolicy topic = TopicPolicy.DEFAULT;

  @Override
  public ChannelPolicy ofChannel(String ofTopic, String name, Map<String, String> byHand) {
    return ofTopic.equals("dlt") || ofTopic.equals(GRAVES) ? ChannelPolicy.DEFAULT : channel;
  }

  @Override
  public TopicPolicy ofTopic(String name, Map<String, String> byHand) {
    return name.equals(GRAVES) ? TopicPolicy.DEFAULT : topic;
  }

  /** Of a channel with dead letters. */
  public static ChannelPolicy attempts(int maxAttempts, String deadLetter, int maxDead) {
    return new ChannelPolicy(
        maxAttempts, deadLetter, maxDead, 0, Expired.DROP, false, 0, 0, Backoff.NONE);
  }

  /** Of a channel whose messages expire. */
  static ChannelPolicy ttl(long ttlMs, Expired expired) {
    return new ChannelPolicy(
        0,
        ChannelPolicy.KEEP,
        ChannelPolicy.DEFAULT_MAX_DEAD,
        ttlMs,
        expired,
        false,
        0,
        0,
        Backoff.NONE);
  }

  /** Of a channel that keeps the order. */
  static ChannelPolicy ordered(int maxAttempts, long ttlMs) {
    return new ChannelPolicy(
        maxAttempts,
        ChannelPolicy.KEEP,
        ChannelPolicy.DEFAULT_MAX_DEAD,
        ttlMs,
        Expired.DROP,
        true,
        0,
        0,
        Backoff.NONE);
  }

  /** Of a channel with bounds on deliveries. */
  static ChannelPolicy deliveries(long msgTimeoutMs, int maxInFlight, Backoff backoff) {
    return new ChannelPolicy(
        0,
        ChannelPolicy.KEEP,
        ChannelPolicy.DEFAULT_MAX_DEAD,
        0,
        Expired.DROP,
        false,
        msgTimeoutMs,
        maxInFlight,
        backoff);
  }

  /** Of a topic with bounds. */
  static TopicPolicy bounds(long maxDepth, long maxBytes, WhenFull whenFull) {
    return new TopicPolicy(-1, 0, maxDepth, maxBytes, whenFull);
  }
}
