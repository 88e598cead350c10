package io.holdfast.storage.topic;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.holdfast.storage.topic.Metadata.ChannelEntry;
import io.holdfast.storage.topic.Metadata.TopicEntry;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How the metadata differs from what it was before.
 *
 * @param of number of the {@code meta.json} that it goes on from, see {@link Metadata#number}
 * @param line 1 for the first one behind that
 * @param nextIdBase as {@link Metadata#nextIdBase}
 * @param topics that are new, or changed in more than their channels; null for none
 * @param channels that are new or changed, of other topics; null for none
 * @param gone topics and channels that are no more; null for none
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
record MetadataChange(
    @JsonProperty("of") long of,
    @JsonProperty("line") int line,
    @JsonProperty("next_id_base") long nextIdBase,
    @JsonProperty("topics") List<TopicEntry> topics,
    @JsonProperty("channels") List<ChannelOf> channels,
    @JsonProperty("gone") List<Gone> gone) {

  /** A channel and whose it is. */
  record ChannelOf(
      @JsonProperty("topic") String topic, @JsonProperty("channel") ChannelEntry channel) {}

  /**
   * What is no more.
   *
   * @param channel null for the topic itself
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Gone(@JsonProperty("topic") String topic, @JsonProperty("channel") String channel) {}

  /** Null for nothing is as good as empty. */
  MetadataChange {
    topics = topics == null ? List.of() : topics;
    channels = channels == null ? List.of() : channels;
    gone = gone == null ? List.of() : gone;
  }

  /**
   * What leads from one to the other.
   *
   * @param before by name
   * @param number see {@link #of}
   */
  static MetadataChange between(
      Map<String, TopicEntry> before, MetadataUpdate now, long number, int line) {
    List<TopicEntry> topics = new ArrayList<>();
    List<ChannelOf> channels = new ArrayList<>();
    List<Gone> gone = new ArrayList<>();
    now.topics()
        .forEach(
            (name, topic) -> {
              TopicEntry was = before.get(name);
              if (topic == null) {
                if (was != null) {
                  gone.add(new Gone(name, null));
                }
              } else if (was == null || !was.withChannels(null).equals(topic.withChannels(null))) {
                topics.add(topic);
              } else if (!orNone(was.channels()).equals(orNone(topic.channels()))) {
                channelsBetween(was, topic, channels, gone);
              }
            });
    return new MetadataChange(number, line, now.nextIdBase(), topics, channels, gone);
  }

  private static void channelsBetween(
      TopicEntry was, TopicEntry now, List<ChannelOf> changed, List<Gone> gone) {
    Map<String, ChannelEntry> left = new LinkedHashMap<>();
    orNone(was.channels()).forEach(channel -> left.put(channel.name(), channel));
    for (ChannelEntry channel : orNone(now.channels())) {
      if (!channel.equals(left.remove(channel.name()))) {
        changed.add(new ChannelOf(now.name(), channel));
      }
    }
    left.keySet().forEach(name -> gone.add(new Gone(now.name(), name)));
  }

  /** Whether no topic is another than before. */
  boolean isNone() {
    return topics.isEmpty() && channels.isEmpty() && gone.isEmpty();
  }

  /** What it makes of topics that are found by their names. */
  void applyTo(Map<String, TopicEntry> found) {
    topics.forEach(topic -> found.put(topic.name(), topic));
    channels.forEach(
        changed ->
            found.computeIfPresent(
                changed.topic(), (name, topic) -> with(topic, changed.channel())));
    for (Gone each : gone) {
      if (each.channel() == null) {
        found.remove(each.topic());
      } else {
        found.computeIfPresent(each.topic(), (name, topic) -> without(topic, each.channel()));
      }
    }
  }

  private static TopicEntry with(TopicEntry topic, ChannelEntry channel) {
    List<ChannelEntry> channels = new ArrayList<>(orNone(topic.channels()));
    for (int i = 0; i < channels.size(); i++) {
      if (channels.get(i).name().equals(channel.name())) {
        channels.set(i, channel);
        return topic.withChannels(channels);
      }
    }
    channels.add(channel);
    return topic.withChannels(channels);
  }

  private static TopicEntry without(TopicEntry topic, String channel) {
    List<ChannelEntry> channels = new ArrayList<>(orNone(topic.channels()));
    channels.removeIf(each -> each.name().equals(channel));
    return topic.withChannels(channels);
  }

  static Map<String, TopicEntry> byName(List<TopicEntry> topics) {
    Map<String, TopicEntry> found = new LinkedHashMap<>();
    orNone(topics).forEach(topic -> found.put(topic.name(), topic));
    return found;
  }

  private static <T> List<T> orNone(List<T> list) {
    return list == null ? List.of() : list;
  }
}
