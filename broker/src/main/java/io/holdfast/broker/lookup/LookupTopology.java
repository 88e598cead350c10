package io.holdfast.broker.lookup;

import io.holdfast.broker.cluster.ClusterTopic;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.queue.TopologyListener;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Tells nsqlookupd of the broker's topics and channels, and asks it for those of a new topic. */
public final class LookupTopology implements TopologyListener {
  private final LookupLoop loop;
  private final ChannelLookup channelLookup;

  /**
   * @param loop keeps the registrations
   * @param channelLookup asks for channels
   */
  public LookupTopology(LookupLoop loop, ChannelLookup channelLookup) {
    this.loop = loop;
    this.channelLookup = channelLookup;
  }

  /**
   * Everything a broker has now, for {@link LookupLoop}: also what it shares with others and they
   * lead, as consumers are served here all the same, unless nobody leads it.
   */
  public static List<Registration> registrations(Broker broker) {
    List<Registration> all = new ArrayList<>();
    for (Topic topic : broker.topics()) {
      all.add(new Registration(topic.name(), null));
      for (Channel channel : topic.channels()) {
        all.add(new Registration(topic.name(), channel.name()));
      }
    }
    if (broker.cluster() != null) {
      for (ClusterTopic topic : broker.cluster().known().present()) {
        all.add(new Registration(topic.name(), null));
        topic.channels().forEach(c -> all.add(new Registration(topic.name(), c.name())));
      }
    }
    return all;
  }

  @Override
  public void topicCreated(String topic) {
    loop.topicCreated(topic);
  }

  @Override
  public void topicDeleted(String topic) {
    loop.topicDeleted(topic);
  }

  @Override
  public void channelCreated(String topic, String channel) {
    loop.channelCreated(topic, channel);
  }

  @Override
  public void channelDeleted(String topic, String channel) {
    loop.channelDeleted(topic, channel);
  }

  @Override
  public void changed() {
    loop.changed();
  }

  @Override
  public CompletableFuture<? extends Collection<String>> channelsOf(String topic) {
    return channelLookup.channels(topic);
  }
}
