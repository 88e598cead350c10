package io.holdfast.broker.core;

import io.holdfast.broker.policy.Policies;
import io.holdfast.broker.policy.TopicPolicy;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.queue.Topics;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says in the log where dead letters can be lost: they go to a topic that drops its oldest messages
 * when it is full. Stateless.
 */
final class DeadLetterTargets {
  private static final Logger LOG = LoggerFactory.getLogger(DeadLetterTargets.class);

  private DeadLetterTargets() {}

  /** Looks at all channels; a line for each such topic. */
  static void warn(Topics topics, Policies policies) {
    Map<String, List<Channel>> byTarget = new TreeMap<>();
    for (Topic topic : topics.all()) {
      for (Channel channel : topic.channels()) {
        if (channel.policy().hasDeadLetterTopic()) {
          byTarget
              .computeIfAbsent(channel.policy().deadLetter(), name -> new ArrayList<>())
              .add(channel);
        }
      }
    }
    byTarget.forEach(
        (name, channels) -> {
          Topic target = topics.existing(name);
          TopicPolicy policy = target == null ? policies.ofTopic(name, Map.of()) : target.policy();
          if (policy.isBounded() && policy.whenFull() == TopicPolicy.WhenFull.DROP_OLDEST) {
            Channel first = channels.get(0);
            LOG.warn(
                "policy: dead letters of TOPIC({}) CHANNEL({}){} go to TOPIC({}), which drops its"
                    + " oldest messages when it is full (drop_oldest): they may be lost",
                first.topicName(),
                first.name(),
                channels.size() == 1 ? "" : " and of " + (channels.size() - 1) + " more",
                name);
          }
        });
  }
}
