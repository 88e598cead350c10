package io.holdfast.broker.queue;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Told of topics and channels that come and go: nsqlookupd's side. Must not block. */
public interface TopologyListener {
  /** Nobody is interested. */
  TopologyListener NONE =
      new TopologyListener() {
        @Override
        public void topicCreated(String topic) {
          // Nobody is interested.
        }

        @Override
        public void topicDeleted(String topic) {
          // Nobody is interested.
        }

        @Override
        public void channelCreated(String topic, String channel) {
          // Nobody is interested.
        }

        @Override
        public void channelDeleted(String topic, String channel) {
          // Nobody is interested.
        }

        @Override
        public CompletableFuture<? extends Collection<String>> channelsOf(String topic) {
          return CompletableFuture.completedFuture(List.of());
        }
      };

  void topicCreated(String topic);

  void topicDeleted(String topic);

  void channelCreated(String topic, String channel);

  void channelDeleted(String topic, String channel);

  /** Many may have come or gone at once. */
  default void changed() {}

  /** The channels that a new topic is to begin with, once the nsqlookupds have answered. */
  CompletableFuture<? extends Collection<String>> channelsOf(String topic);
}
