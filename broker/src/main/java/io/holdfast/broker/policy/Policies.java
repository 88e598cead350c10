package io.holdfast.broker.policy;

import java.util.Map;

/** Says which policy is in force: set by hand beats the configuration, that beats the default. */
public interface Policies {
  /** Without a configuration, and whatever was set by hand: all is as with nsqd. */
  Policies NONE =
      new Policies() {
        @Override
        public ChannelPolicy ofChannel(String topic, String channel, Map<String, String> byHand) {
          return ChannelPolicy.DEFAULT;
        }

        @Override
        public TopicPolicy ofTopic(String topic, Map<String, String> byHand) {
          return TopicPolicy.DEFAULT;
        }
      };

  /**
   * The policy of a channel. Any thread; cheap enough for each new channel.
   *
   * @param byHand what was set by hand: field to value as text, empty for nothing
   */
  ChannelPolicy ofChannel(String topic, String channel, Map<String, String> byHand);

  /**
   * The policy of a topic.
   *
   * @param byHand as for {@link #ofChannel}
   */
  TopicPolicy ofTopic(String topic, Map<String, String> byHand);
}
