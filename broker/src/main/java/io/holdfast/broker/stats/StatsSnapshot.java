package io.holdfast.broker.stats;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.holdfast.broker.cluster.ClusterView;
import io.holdfast.broker.config.OptionsLoader;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.meters.E2eLatency;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.ChannelFigures;
import io.holdfast.broker.queue.Consumer;
import io.holdfast.broker.queue.Topic;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * One view of the broker, as /stats shows it: component names and order are those of its JSON
 * (contract §5). The numbers of a channel are of one moment, those of topics and clients are read
 * one after the other while it works. Immutable.
 *
 * @param version what the broker says it is; semver, for nsqadmin
 * @param health {@code OK} or {@code NOK - } and an error
 * @param startTime unix time in s
 * @param topics by name; null if the filter's topic does not exist
 * @param memory null, and absent from JSON, unless asked for
 * @param producers connections that ever published; null if there are none or clients are not asked
 *     for
 * @param memoryBudget Holdfast's own; null, and absent, unless asked for
 * @param cluster Holdfast's own, as at /cluster; null, and absent, without one
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record StatsSnapshot(
    String version,
    String health,
    long startTime,
    List<TopicStats> topics,
    @JsonInclude(JsonInclude.Include.NON_NULL) MemoryStats memory,
    List<ClientStats> producers,
    @JsonInclude(JsonInclude.Include.NON_NULL) MemoryBudgetStats memoryBudget,
    @JsonInclude(JsonInclude.Include.NON_NULL) ClusterView.Cluster cluster) {

  /** Of a broker of no cluster. */
  public StatsSnapshot(
      String version,
      String health,
      long startTime,
      List<TopicStats> topics,
      MemoryStats memory,
      List<ClientStats> producers,
      MemoryBudgetStats memoryBudget) {
    this(version, health, startTime, topics, memory, producers, memoryBudget, null);
  }

  /** The version of nsqd this broker is a stand-in for (contract, scope). */
  public static final String VERSION = OptionsLoader.NSQD_VERSION;

  /**
   * One topic. {@code channels} by name; depths and counts as in contract §4. {@code replica} is
   * Holdfast's own; null, and absent, for a topic that is nobody else's.
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record TopicStats(
      String topicName,
      List<ChannelStats> channels,
      long depth,
      long backendDepth,
      long messageCount,
      long messageBytes,
      @JsonUnwrapped BoundStats bound,
      boolean paused,
      @JsonProperty("e2e_processing_latency") E2eLatency e2eProcessingLatency,
      @JsonUnwrapped ReplicaStats replica) {
    /** One that is nobody else's. */
    public TopicStats(
        String topicName,
        List<ChannelStats> channels,
        long depth,
        long backendDepth,
        long messageCount,
        long messageBytes,
        BoundStats bound,
        boolean paused,
        E2eLatency e2eProcessingLatency) {
      this(
          topicName,
          channels,
          depth,
          backendDepth,
          messageCount,
          messageBytes,
          bound,
          paused,
          e2eProcessingLatency,
          null);
    }
  }

  /** What a topic's bound has cost since start; Holdfast's own, each absent while 0. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @JsonInclude(JsonInclude.Include.NON_DEFAULT)
  public record BoundStats(long droppedCount, long rejectedCount) {
    /** Nothing. */
    public static final BoundStats NONE = new BoundStats(0, 0);
  }

  /**
   * Dead letters that are kept, those there were since start, those of them given up, and what
   * expired; Holdfast's own, each absent while 0.
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @JsonInclude(JsonInclude.Include.NON_DEFAULT)
  public record DeadStats(
      long deadCount, long deadLetterCount, long deadDroppedCount, long expiredCount) {
    /** None. */
    public static final DeadStats NONE = new DeadStats(0, 0, 0, 0);
  }

  /**
   * One channel. {@code clients} is null if not asked for, {@code clientCount} is right all the
   * same. {@code unreadableCount} (lost to damage on disk) and {@code droppedCount} (an ephemeral
   * channel's overflow, and what {@code drop_oldest} took) are Holdfast's own and absent while 0.
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record ChannelStats(
      String channelName,
      long depth,
      long backendDepth,
      long inFlightCount,
      long deferredCount,
      long messageCount,
      @JsonInclude(JsonInclude.Include.NON_DEFAULT) long zoneLocalMsgCount,
      @JsonInclude(JsonInclude.Include.NON_DEFAULT) long regionLocalMsgCount,
      @JsonInclude(JsonInclude.Include.NON_DEFAULT) long globalMsgCount,
      long requeueCount,
      long timeoutCount,
      @JsonInclude(JsonInclude.Include.NON_DEFAULT) long unreadableCount,
      @JsonInclude(JsonInclude.Include.NON_DEFAULT) long droppedCount,
      @JsonUnwrapped DeadStats dead,
      int clientCount,
      List<ClientStats> clients,
      boolean paused,
      @JsonProperty("e2e_processing_latency") E2eLatency e2eProcessingLatency) {}

  /**
   * One connection; {@code connectTs} in unix s, {@code connectedS} since then by the monotonic
   * clock, {@code pubCounts} holds one entry at most. {@code via}, Holdfast's own: the node of the
   * cluster that it is connected to, where that is another one; else null, and absent.
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record ClientStats(
      String clientId,
      String hostname,
      String version,
      String remoteAddress,
      int state,
      long readyCount,
      long inFlightCount,
      long messageCount,
      long finishCount,
      long requeueCount,
      long connectTs,
      int sampleRate,
      boolean deflate,
      boolean snappy,
      String userAgent,
      @JsonInclude(JsonInclude.Include.NON_DEFAULT) boolean authed,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) String authIdentity,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) @JsonProperty("auth_identity_url")
          String authIdentityUrl,
      String topologyZone,
      String topologyRegion,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<PubCount> pubCounts,
      boolean tls,
      String tlsCipherSuite,
      String tlsVersion,
      String tlsNegotiatedProtocol,
      boolean tlsNegotiatedProtocolIsMutual,
      @JsonIgnore long connectedS,
      @JsonInclude(JsonInclude.Include.NON_NULL) String via) {}

  /** Messages a connection published to a topic. */
  public record PubCount(String topic, long count) {}

  /**
   * Takes a snapshot, without {@link #memory}. Visits every topic, channel and client the filters
   * leave: not for event loops.
   *
   * @param connections those that publish
   * @param topicFilter only this topic; empty for all
   * @param channelFilter only channels of this name, and only topics that have one; empty for all
   * @param includeClients whether to list connections
   */
  public static StatsSnapshot of(
      Broker broker,
      Producers connections,
      String topicFilter,
      String channelFilter,
      boolean includeClients) {
    String error = broker.healthError();
    List<TopicStats> topics = topics(broker, topicFilter, channelFilter, includeClients);
    List<ClientStats> producers =
        includeClients && topics != null
            ? clients(connections.open().stream(), topicFilter)
            : List.of();
    return new StatsSnapshot(
        VERSION,
        error == null ? "OK" : "NOK - " + error,
        broker.startTimeMs() / 1000,
        topics,
        null,
        producers.isEmpty() ? null : producers,
        null,
        broker.cluster() == null ? null : broker.cluster().view(null));
  }

  /** Takes a snapshot of all topics and channels, without connections and {@link #memory}. */
  public static StatsSnapshot withoutClients(Broker broker) {
    return of(broker, new Producers(), "", "", false);
  }

  /** Returns the broker's own version, beside that of the nsqd it stands in for. */
  @JsonProperty("holdfast_version")
  public String holdfastVersion() {
    return OptionsLoader.version();
  }

  /** Returns the same snapshot with the JVM's memory and how it is divided. */
  public StatsSnapshot withMemory(MemoryStats stats, MemoryBudgetStats budget) {
    return new StatsSnapshot(version, health, startTime, topics, stats, producers, budget, cluster);
  }

  private static List<TopicStats> topics(
      Broker broker, String topicFilter, String channelFilter, boolean includeClients) {
    List<Topic> topics;
    FollowedStats followed = FollowedStats.of(broker.cluster(), topicFilter);
    if (topicFilter.isEmpty()) {
      topics = new ArrayList<>(broker.topics());
    } else {
      Topic topic = broker.existingTopic(topicFilter);
      if (topic == null && followed.isEmpty()) {
        return null;
      }
      topics = topic == null ? List.of() : List.of(topic);
    }
    List<TopicStats> stats = new ArrayList<>(topics.size());
    for (Topic topic : topics) {
      List<Channel> channels;
      if (channelFilter.isEmpty()) {
        channels = new ArrayList<>(topic.channels());
        channels.sort(Comparator.comparing(Channel::name));
      } else {
        Channel channel = topic.existingChannel(channelFilter);
        if (channel == null) {
          continue;
        }
        channels = List.of(channel);
      }
      ReplicaStats replica = ReplicaStats.of(topic, broker.cluster());
      stats.add(topic(topic, channels, topicFilter, includeClients, replica));
    }
    followed.addTo(stats, channelFilter, includeClients);
    stats.sort(Comparator.comparing(TopicStats::topicName));
    return stats;
  }

  private static TopicStats topic(
      Topic topic,
      List<Channel> channels,
      String topicFilter,
      boolean includeClients,
      ReplicaStats replica) {
    List<ChannelStats> channelStats = new ArrayList<>(channels.size());
    for (Channel channel : channels) {
      channelStats.add(channel(channel, topicFilter, includeClients));
    }
    return new TopicStats(
        topic.name(),
        channelStats,
        topic.depth(),
        topic.backendDepth(),
        topic.messageCount(),
        topic.messageBytes(),
        new BoundStats(topic.droppedCount(), topic.rejectedCount()),
        topic.isPaused(),
        topic.e2eProcessingLatency(),
        replica);
  }

  private static ChannelStats channel(Channel channel, String topicFilter, boolean includeClients) {
    ChannelFigures figures = channel.figures();
    return new ChannelStats(
        channel.name(),
        figures.depth(),
        figures.backendDepth(),
        figures.inFlightCount(),
        figures.deferredCount(),
        figures.messageCount(),
        figures.zoneLocalMsgCount(),
        figures.regionLocalMsgCount(),
        figures.globalMsgCount(),
        figures.requeueCount(),
        figures.timeoutCount(),
        figures.unreadableCount(),
        figures.droppedCount(),
        new DeadStats(
            figures.deadCount(),
            figures.deadLetterCount(),
            figures.deadDroppedCount(),
            figures.expiredCount()),
        figures.clientCount(),
        includeClients ? connections(channel.clients(), topicFilter) : null,
        figures.isPaused(),
        channel.times().snapshot());
  }

  private static List<ClientStats> connections(Collection<Consumer> clients, String topicFilter) {
    return clients(
        clients.stream()
            .map(
                client ->
                    client instanceof ClientFigures own ? own : RelayedClientFigures.of(client))
            .filter(Objects::nonNull),
        topicFilter);
  }

  private static List<ClientStats> clients(Stream<ClientFigures> clients, String topicFilter) {
    return clients.map(client -> client.figures(topicFilter)).toList();
  }

  /**
   * What a client's figures show of its publishes. nsqd shows one topic: the filter's, else any. We
   * take the first by name, so that it stays the same.
   */
  public static List<PubCount> pubCounts(Map<String, Long> counts, String topicFilter) {
    return counts.entrySet().stream()
        .filter(entry -> topicFilter.isEmpty() || entry.getKey().equals(topicFilter))
        .min(Map.Entry.comparingByKey())
        .map(entry -> List.of(new PubCount(entry.getKey(), entry.getValue())))
        .orElse(List.of());
  }
}
