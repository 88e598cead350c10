package io.holdfast.storage.topic;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.holdfast.storage.journal.Journal;
import java.util.List;

/**
 * What {@code meta.json} says. Which topics and channels exist is told by the directories; this
 * adds what they cannot tell.
 *
 * @param formatVersion of the whole data directory
 * @param nextIdBase message ids of topics created from now on begin at or above this
 * @param topics null for none
 */
public record Metadata(
    @JsonProperty("format_version") int formatVersion,
    @JsonProperty("next_id_base") long nextIdBase,
    @JsonProperty("topics") List<TopicEntry> topics) {

  /** The microsecond that id bases count from: the beginning of 2024, UTC. */
  private static final long ID_EPOCH_US = 1_704_067_200_000_000L;

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
   */
  public record TopicEntry(
      @JsonProperty("name") String name,
      @JsonProperty("id_base") long idBase,
      @JsonProperty("paused") boolean paused,
      @JsonProperty("handed_over") long handedOver,
      @JsonProperty("channels") List<ChannelEntry> channels,
      @JsonProperty("skipped_to") @JsonInclude(JsonInclude.Include.NON_DEFAULT) long skippedTo,
      @JsonProperty("node_id") @JsonInclude(JsonInclude.Include.NON_NULL) Integer nodeId,
      @JsonProperty("skipped") @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Skipped> skipped) {

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
   */
  public record ChannelEntry(
      @JsonProperty("name") String name, @JsonProperty("paused") boolean paused) {}
}
