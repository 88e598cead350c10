package io.holdfast.storage.topic;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.holdfast.storage.journal.Journal;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What {@code meta.json} says. Which topics and channels exist is told by the directories; this
 * adds what they cannot tell.
 *
 * @param formatVersion of the whole data directory
 * @param nextIdBase message ids of topics created from now on begin at or above this
 * @param number of the file, higher with each time that it is written as a whole: which changes
 *     ({@link MetadataLog}) go on from it; 0 for one of brokers that have no such changes
 * @param topics null for none
 */
public record Metadata(
    @JsonProperty("format_version") int formatVersion,
    @JsonProperty("next_id_base") long nextIdBase,
    @JsonProperty("number") @JsonInclude(JsonInclude.Include.NON_DEFAULT) long number,
    @JsonProperty("topics") List<TopicEntry> topics) {

  /** The microsecond that id bases count from: the beginning of 2024, UTC. */
  private static final long ID_EPOCH_US = 1_704_067_200_000_000L;

  /** By Jackson, which would else not know which of two it is to take. */
  @JsonCreator
  public Metadata {}

  /** What is to be written, or was read, whatever the number of the file. */
  public Metadata(int formatVersion, long nextIdBase, List<TopicEntry> topics) {
    this(formatVersion, nextIdBase, 0, topics);
  }

  /** The same in a file of another number. */
  Metadata withNumber(long of) {
    return new Metadata(formatVersion, nextIdBase, of, topics);
  }

  /**
   * The id base of a topic that is made now: microseconds since 2024, which is above every id given
   * out before, as nobody publishes a million messages a second for years.
   *
   * @param nextIdBase of this metadata
   * @param nowMs wall clock, ms since 1970
   */
  public static long newIdBase(long nextIdBase, long nowMs) {
    return Math.max(nextIdBase + 1, nowMs * 1000 - ID_EPOCH_US);
  }

  /**
   * One topic.
   *
   * @param name as clients know it
   * @param idBase added to a message's ordinal to give its id; differs for a re-created topic
   * @param paused whether it hands nothing to its channels
   * @param handedOver ordinal up to which messages were handed to the channels; -1 for all, a topic
   *     that is neither paused nor without channels
   * @param channels null for none
   * @param skippedTo where the last of {@link #skipped} ends; 0 for nothing. All that brokers of
   *     1.0 know of it
   * @param nodeId part of each message id, 0..1023: the broker's when the topic was made, so that
   *     ids stay what they are when the host's name or the option changes; null when the directory
   *     is of a version that did not keep it
   * @param skipped ordinals that no message has, see {@link Journal#skip}, ascending; null for none
   * @param policy what was set by hand, field to value as text; empty for nothing, also given as
   *     null. Needs format 2
   */
  public record TopicEntry(
      @JsonProperty("name") String name,
      @JsonProperty("id_base") long idBase,
      @JsonProperty("paused") boolean paused,
      @JsonProperty("handed_over") long handedOver,
      @JsonProperty("channels") List<ChannelEntry> channels,
      @JsonProperty("skipped_to") @JsonInclude(JsonInclude.Include.NON_DEFAULT) long skippedTo,
      @JsonProperty("node_id") @JsonInclude(JsonInclude.Include.NON_NULL) Integer nodeId,
      @JsonProperty("skipped") @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Skipped> skipped,
      @JsonProperty("policy") @JsonInclude(JsonInclude.Include.NON_EMPTY)
          Map<String, String> policy) {

    /** Sorts the policy. */
    public TopicEntry {
      policy = sorted(policy);
    }

    /** Whether something was set by hand, for it or a channel. */
    boolean hasPolicy() {
      return !policy.isEmpty()
          || (channels != null
              && channels.stream().anyMatch(channel -> !channel.policy().isEmpty()));
    }

    /** The same topic with these channels. */
    TopicEntry withChannels(List<ChannelEntry> its) {
      return new TopicEntry(
          name, idBase, paused, handedOver, its, skippedTo, nodeId, skipped, policy);
    }

    /** Of a topic for which nothing was set by hand. */
    public TopicEntry(
        String name,
        long idBase,
        boolean paused,
        long handedOver,
        List<ChannelEntry> channels,
        long skippedTo,
        Integer nodeId,
        List<Skipped> skipped) {
      this(name, idBase, paused, handedOver, channels, skippedTo, nodeId, skipped, Map.of());
    }

    /** Of a topic that has skipped nothing, and gets its node id from the next broker. */
    public TopicEntry(
        String name, long idBase, boolean paused, long handedOver, List<ChannelEntry> channels) {
      this(name, idBase, paused, handedOver, channels, 0, null, null);
    }
  }

  /**
   * Ordinals that no message has.
   *
   * @param from the first of them
   * @param to one above the last
   */
  public record Skipped(@JsonProperty("from") long from, @JsonProperty("to") long to) {}

  /**
   * One channel.
   *
   * @param name as clients know it
   * @param paused whether it delivers nothing
   * @param policy what was set by hand, field to value as text; empty for nothing, also given as
   *     null. Needs format 2
   */
  public record ChannelEntry(
      @JsonProperty("name") String name,
      @JsonProperty("paused") boolean paused,
      @JsonProperty("policy") @JsonInclude(JsonInclude.Include.NON_EMPTY)
          Map<String, String> policy) {

    /** Sorts the policy. */
    public ChannelEntry {
      policy = sorted(policy);
    }

    /** Of a channel for which nothing was set by hand. */
    public ChannelEntry(String name, boolean paused) {
      this(name, paused, Map.of());
    }
  }

  private static Map<String, String> sorted(Map<String, String> policy) {
    return policy == null || policy.isEmpty()
        ? Map.of()
        : Collections.unmodifiableMap(new TreeMap<>(policy));
  }

  /** The format that this has, or that what it says needs. */
  int neededFormat() {
    boolean hasPolicy = topics != null && topics.stream().anyMatch(TopicEntry::hasPolicy);
    return hasPolicy ? DataFormat.NEWEST : formatVersion;
  }
}
