package io.holdfast.broker.http;

import static java.util.Map.entry;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.holdfast.broker.cluster.ClusterTopic;
import io.holdfast.broker.history.QueueRates;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.ChannelFigures;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.stats.ReplicaStats;
import io.holdfast.broker.stats.StatsSnapshot.ClientStats;
import io.holdfast.broker.stats.StatsSnapshot.PubCount;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A kind of rows that /list has: what they are sorted by, and which of their texts a filter looks
 * at. The fields have the names that /stats gives them. Immutable.
 *
 * @param byName the order where nothing else is asked for, and among equals
 * @param columns orders by the field's name
 * @param texts of a row, null among them for what it does not have
 */
record ListRows<R>(
    Comparator<R> byName, Map<String, Comparator<R>> columns, Function<R, Stream<String>> texts) {
  static final ListRows<TopicRow> TOPICS =
      new ListRows<>(
          Comparator.comparing(TopicRow::topicName),
          Map.<String, Comparator<TopicRow>>ofEntries(
              entry("topic_name", Comparator.comparing(TopicRow::topicName)),
              entry("depth", Comparator.comparingLong(TopicRow::depth)),
              entry("waiting", Comparator.comparingLong(TopicRow::waiting)),
              entry("in_flight_count", Comparator.comparingLong(TopicRow::inFlightCount)),
              entry("deferred_count", Comparator.comparingLong(TopicRow::deferredCount)),
              entry("channel_count", Comparator.comparingLong(TopicRow::channelCount)),
              entry("client_count", Comparator.comparingLong(TopicRow::clientCount)),
              entry("message_count", Comparator.comparingLong(TopicRow::messageCount)),
              entry("message_bytes", Comparator.comparingLong(TopicRow::messageBytes)),
              entry("rate", Comparator.comparing(TopicRow::rate, unknownFirst())),
              entry("paused", Comparator.comparing(TopicRow::paused))),
          row -> Stream.of(row.topicName(), row.paused() ? "paused" : null));

  static final ListRows<ChannelRow> CHANNELS =
      new ListRows<>(
          Comparator.comparing(ChannelRow::channelName).thenComparing(ChannelRow::topicName),
          Map.<String, Comparator<ChannelRow>>ofEntries(
              entry("topic_name", Comparator.comparing(ChannelRow::topicName)),
              entry("channel_name", Comparator.comparing(ChannelRow::channelName)),
              entry("depth", Comparator.comparingLong(ChannelRow::depth)),
              entry("in_flight_count", Comparator.comparingLong(ChannelRow::inFlightCount)),
              entry("deferred_count", Comparator.comparingLong(ChannelRow::deferredCount)),
              entry("dead_count", Comparator.comparingLong(ChannelRow::deadCount)),
              entry("requeue_count", Comparator.comparingLong(ChannelRow::requeueCount)),
              entry("timeout_count", Comparator.comparingLong(ChannelRow::timeoutCount)),
              entry("message_count", Comparator.comparingLong(ChannelRow::messageCount)),
              entry("rate", Comparator.comparing(ChannelRow::rate, unknownFirst())),
              entry("client_count", Comparator.comparingLong(ChannelRow::clientCount)),
              entry("paused", Comparator.comparing(ChannelRow::paused))),
          row -> Stream.of(row.topicName(), row.channelName(), row.paused() ? "paused" : null));

  static final ListRows<ConsumerRow> CONSUMERS =
      new ListRows<>(
          Comparator.<ConsumerRow, String>comparing(row -> row.client().remoteAddress()),
          Stream.concat(
                  clientColumns(ConsumerRow::client),
                  Stream.<Map.Entry<String, Comparator<ConsumerRow>>>of(
                      entry("topic", Comparator.comparing(ConsumerRow::topic)),
                      entry("security", Comparator.comparing(ConsumerRow::security)),
                      entry("channel", Comparator.comparing(ConsumerRow::channel))))
              .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue)),
          row ->
              Stream.concat(
                  Stream.of(row.topic(), row.channel(), row.security()), texts(row.client())));

  static final ListRows<ProducerRow> PRODUCERS =
      new ListRows<>(
          Comparator.<ProducerRow, String>comparing(row -> row.client().remoteAddress()),
          Stream.concat(
                  clientColumns(ProducerRow::client),
                  Stream.<Map.Entry<String, Comparator<ProducerRow>>>of(
                      entry("topic", Comparator.comparing(ProducerRow::topic)),
                      entry("security", Comparator.comparing(ProducerRow::security)),
                      entry("published", Comparator.comparingLong(ProducerRow::published))))
              .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue)),
          row -> Stream.concat(Stream.of(row.topic(), row.security()), texts(row.client())));

  /**
   * Looks an order up.
   *
   * @param column null for the default
   * @return null if there is no such column
   */
  Comparator<R> order(String column) {
    return column == null ? byName : columns.get(column);
  }

  /**
   * Whether one of the row's texts contains this.
   *
   * @param part in lower case; empty for all rows
   */
  boolean matches(R row, String part) {
    return part.isEmpty()
        || texts
            .apply(row)
            .filter(Objects::nonNull)
            .anyMatch(text -> text.toLowerCase(Locale.ROOT).contains(part));
  }

  private static Comparator<Double> unknownFirst() {
    return Comparator.nullsFirst(Comparator.naturalOrder());
  }

  private static <R> Stream<Map.Entry<String, Comparator<R>>> clientColumns(
      Function<R, ClientStats> client) {
    return Stream.of(
        entry("remote_address", Comparator.comparing(client.andThen(ClientStats::remoteAddress))),
        entry("client_id", Comparator.comparing(client.andThen(ClientStats::clientId))),
        entry("hostname", Comparator.comparing(client.andThen(ClientStats::hostname))),
        entry("user_agent", Comparator.comparing(client.andThen(ClientStats::userAgent))),
        entry("ready_count", Comparator.comparing(client.andThen(ClientStats::readyCount))),
        entry("in_flight_count", Comparator.comparing(client.andThen(ClientStats::inFlightCount))),
        entry("message_count", Comparator.comparing(client.andThen(ClientStats::messageCount))),
        entry("finish_count", Comparator.comparing(client.andThen(ClientStats::finishCount))),
        entry("requeue_count", Comparator.comparing(client.andThen(ClientStats::requeueCount))),
        entry("connect_ts", Comparator.comparing(client.andThen(ClientStats::connectTs))));
  }

  private static Stream<String> texts(ClientStats client) {
    return Stream.of(
        client.remoteAddress(), client.clientId(), client.hostname(), client.userAgent());
  }

  /** How a connection is protected and packed, and who it is: {@code TLS 1.3, snappy, name}. */
  private static String security(ClientStats client) {
    return Stream.of(
            client.tls() ? client.tlsVersion() : null,
            client.snappy() ? "snappy" : null,
            client.deflate() ? "deflate" : null,
            client.authIdentity())
        .filter(part -> part != null && !part.isEmpty())
        .collect(Collectors.joining(", "));
  }

  /**
   * A topic, and its channels added up.
   *
   * @param waiting depth of all channels together
   * @param rate messages a second; null as long as it is not known
   * @param replica null, and absent, for one that is nobody else's
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  record TopicRow(
      String topicName,
      long depth,
      long waiting,
      long inFlightCount,
      long deferredCount,
      int channelCount,
      long clientCount,
      long messageCount,
      long messageBytes,
      Double rate,
      boolean paused,
      @JsonUnwrapped ReplicaStats replica) {
    static TopicRow of(Topic topic, QueueRates rates, ReplicaStats replica) {
      List<ChannelFigures> channels = topic.channels().stream().map(Channel::figures).toList();
      return new TopicRow(
          topic.name(),
          topic.depth(),
          channels.stream().mapToLong(ChannelFigures::depth).sum(),
          channels.stream().mapToLong(ChannelFigures::inFlightCount).sum(),
          channels.stream().mapToLong(ChannelFigures::deferredCount).sum(),
          channels.size(),
          channels.stream().mapToLong(ChannelFigures::clientCount).sum(),
          topic.messageCount(),
          topic.messageBytes(),
          rates.of(topic),
          topic.isPaused(),
          replica);
    }

    /** One that another broker leads, which has its figures. */
    static TopicRow of(ClusterTopic topic) {
      return new TopicRow(
          topic.name(),
          0,
          0,
          0,
          0,
          topic.channels().size(),
          0,
          0,
          0,
          null,
          topic.isPaused(),
          ReplicaStats.of(topic));
    }
  }

  /**
   * A channel.
   *
   * @param rate messages a second that arrive; null as long as it is not known
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  record ChannelRow(
      String topicName,
      String channelName,
      long depth,
      long backendDepth,
      long inFlightCount,
      long deferredCount,
      long deadCount,
      long requeueCount,
      long timeoutCount,
      long messageCount,
      Double rate,
      int clientCount,
      boolean paused) {
    static ChannelRow of(Channel channel, QueueRates rates) {
      ChannelFigures figures = channel.figures();
      return new ChannelRow(
          channel.topicName(),
          channel.name(),
          figures.depth(),
          figures.backendDepth(),
          figures.inFlightCount(),
          figures.deferredCount(),
          figures.deadCount(),
          figures.requeueCount(),
          figures.timeoutCount(),
          figures.messageCount(),
          rates.of(channel),
          figures.clientCount(),
          figures.isPaused());
    }

    /** One of a topic that another broker leads, which has its figures. */
    static ChannelRow of(ClusterTopic topic, ClusterTopic.Channel channel) {
      return new ChannelRow(
          topic.name(), channel.name(), 0, 0, 0, 0, 0, 0, 0, 0, null, 0, channel.isPaused());
    }
  }

  /** A connection that consumes a channel: the client's fields beside these. */
  record ConsumerRow(
      @JsonProperty("topic") String topic,
      @JsonProperty("channel") String channel,
      @JsonProperty("security") String security,
      @JsonUnwrapped ClientStats client) {
    static ConsumerRow of(Channel channel, ClientStats client) {
      return new ConsumerRow(
          channel.topicName(), channel.name(), ListRows.security(client), client);
    }
  }

  /**
   * A connection that publishes: the client's fields beside these.
   *
   * @param topic one of those it published to; empty if it is not known
   * @param published messages to that topic
   */
  record ProducerRow(
      @JsonProperty("topic") String topic,
      @JsonProperty("published") long published,
      @JsonProperty("security") String security,
      @JsonUnwrapped ClientStats client) {
    static ProducerRow of(ClientStats client) {
      PubCount first =
          client.pubCounts() == null || client.pubCounts().isEmpty()
              ? new PubCount("", 0)
              : client.pubCounts().get(0);
      return new ProducerRow(first.topic(), first.count(), ListRows.security(client), client);
    }
  }
}
