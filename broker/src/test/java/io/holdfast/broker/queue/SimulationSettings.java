package io.holdfast.broker.queue;

import io.holdfast.broker.policy.ChannelPolicy;
import io.holdfast.broker.policy.ChannelPolicy.Backoff;
import io.holdfast.broker.policy.ChannelPolicy.Expired;
import io.holdfast.broker.policy.TopicPolicy;
import io.holdfast.broker.policy.TopicPolicy.WhenFull;
import java.util.Random;

/**
 * What a run is configured with; drawn from its seed.
 *
 * @param memQueueSize messages in a memory queue
 * @param memQueueBytes bytes in a memory queue
 * @param maxDeferred deferred and requeued references per channel
 * @param fileBytes a journal file rolls when it is larger
 * @param sampling whether some consumers sample
 * @param channel of all channels
 * @param topic of all topics
 */
record SimulationSettings(
    int memQueueSize,
    long memQueueBytes,
    int maxDeferred,
    long fileBytes,
    boolean sampling,
    ChannelPolicy channel,
    TopicPolicy topic) {
  /** What sampling consumers want, percent. */
  static final int SAMPLE_RATE = 60;

  private static final int MAX_DEAD = 1_000_000;
  private static final int[] SIZES = {0, 1, 10, 1000};
  private static final int[] DEFERRED = {5, 20, 100_000};
  private static final int[] FILES = {4 << 10, 32 << 10};
  private static final int[] DEPTHS = {0, 3, 20, 60};

  /** Without policies. */
  SimulationSettings(
      int memQueueSize, long memQueueBytes, int maxDeferred, long fileBytes, boolean sampling) {
    this(
        memQueueSize,
        memQueueBytes,
        maxDeferred,
        fileBytes,
        sampling,
        ChannelPolicy.DEFAULT,
        TopicPolicy.DEFAULT);
  }

  static SimulationSettings draw(Random random) {
    ChannelPolicy channel = drawChannel(random);
    TopicPolicy topic = drawTopic(random);
    return new SimulationSettings(
        SIZES[random.nextInt(SIZES.length)],
        random.nextBoolean() ? 1 << 20 : 3000,
        DEFERRED[random.nextInt(DEFERRED.length)],
        FILES[random.nextInt(FILES.length)],
        // Which ones were sampled out, only the channel knows; where more than their number
        // matters, there are none.
        channel.messageTtlMs() == 0 && !topic.isBounded() && random.nextInt(4) == 0,
        channel,
        topic);
  }

  private static ChannelPolicy drawChannel(Random random) {
    String deadLetter =
        switch (random.nextInt(4)) {
          case 0 -> ChannelPolicy.DROP;
          case 1 -> FixedPolicies.GRAVES;
          default -> ChannelPolicy.KEEP;
        };
    return policy(
        random.nextBoolean() ? 0 : 1 + random.nextInt(3),
        deadLetter,
        random.nextInt(3) == 0 ? 1 + random.nextInt(6000) : 0,
        random.nextBoolean() ? Expired.DEAD : Expired.DROP,
        random.nextInt(4) == 0);
  }

  private static ChannelPolicy policy(
      int maxAttempts, String deadLetter, long ttlMs, Expired expired, boolean ordered) {
    return new ChannelPolicy(
        maxAttempts, deadLetter, MAX_DEAD, ttlMs, expired, ordered, 0, 0, Backoff.NONE);
  }

  /** The channels' policy, but for the order. */
  ChannelPolicy channelWithoutOrder() {
    return policy(
        channel.maxAttempts(),
        channel.deadLetter(),
        channel.messageTtlMs(),
        channel.expired(),
        false);
  }

  private static TopicPolicy drawTopic(Random random) {
    if (random.nextInt(3) > 0) {
      return TopicPolicy.DEFAULT;
    }
    int depth = DEPTHS[random.nextInt(DEPTHS.length)];
    boolean byBytes = depth == 0 || random.nextInt(4) == 0;
    return FixedPolicies.bounds(
        depth,
        byBytes ? 1000 + random.nextInt(10_000) : 0,
        random.nextBoolean() ? WhenFull.REJECT : WhenFull.DROP_OLDEST);
  }
}
