package io.holdfast.broker.http;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.holdfast.broker.access.Role.Right;
import io.holdfast.broker.cluster.ClusterTopic;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.history.QueueRates;
import io.holdfast.broker.http.ListRows.ChannelRow;
import io.holdfast.broker.http.ListRows.ConsumerRow;
import io.holdfast.broker.http.ListRows.ProducerRow;
import io.holdfast.broker.http.ListRows.TopicRow;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.stats.ClientFigures;
import io.holdfast.broker.stats.Producers;
import io.holdfast.broker.stats.ReplicaStats;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * GET /list: one page of a table of topics, channels, consumers or producers, filtered and sorted
 * here, so that a page of the console costs the same whether there are ten topics or 10,000.
 * Stateless; visits all of what is listed, hence on a worker.
 */
final class ListHandler {
  private static final int DEFAULT_ROWS = 100;
  private static final int MAX_ROWS = 1000;

  private final Broker broker;
  private final Producers producers;
  private final QueueRates rates;

  ListHandler(Broker broker, Producers producers, QueueRates rates) {
    this.broker = broker;
    this.producers = producers;
    this.rates = rates;
  }

  void addRoutes(HttpApi.Routes to, Workers workers) {
    to.addOfTopic(
        Right.READ,
        "GET",
        "/list",
        workers.blocking(this::list),
        "of",
        "topic",
        "channel",
        "filter",
        "sort",
        "order",
        "from",
        "n");
  }

  private HttpReply list(ApiRequest request) throws HttpError {
    QueryParams params = request.params();
    return switch (params.getOrEmpty("of")) {
      case "topics" ->
          page(
              params,
              ListRows.TOPICS,
              Stream.concat(
                  topics(params).map(this::row), followed(params).stream().map(TopicRow::of)));
      case "channels" ->
          page(
              params,
              ListRows.CHANNELS,
              Stream.concat(
                  channels(params).map(channel -> ChannelRow.of(channel, rates)),
                  followed(params).stream().flatMap(topic -> followedChannels(topic, params))));
      case "consumers" -> page(params, ListRows.CONSUMERS, channels(params).flatMap(this::clients));
      case "producers" ->
          page(
              params,
              ListRows.PRODUCERS,
              producers.open().stream().map(client -> ProducerRow.of(client.figures(""))));
      default -> throw HttpError.badRequest("INVALID_ARG_OF");
    };
  }

  private TopicRow row(Topic topic) {
    return TopicRow.of(topic, rates, ReplicaStats.of(topic, broker.cluster()));
  }

  /** Topics that another broker leads; one that is named is asked for there. */
  private List<ClusterTopic> followed(QueryParams params) {
    return broker.cluster() == null || params.get("topic") != null
        ? List.of()
        : broker.cluster().followed();
  }

  private static Stream<ChannelRow> followedChannels(ClusterTopic topic, QueryParams params) {
    String name = params.get("channel");
    return topic.channels().stream()
        .filter(channel -> name == null || channel.name().equals(name))
        .map(channel -> ChannelRow.of(topic, channel));
  }

  private Stream<Topic> topics(QueryParams params) throws HttpError {
    String name = params.get("topic");
    return name == null ? broker.topics().stream() : Stream.ofNullable(broker.existingTopic(name));
  }

  private Stream<Channel> channels(QueryParams params) throws HttpError {
    String name = params.get("channel");
    return topics(params)
        .flatMap(
            topic ->
                name == null
                    ? topic.channels().stream()
                    : Stream.ofNullable(topic.existingChannel(name)));
  }

  private Stream<ConsumerRow> clients(Channel channel) {
    return channel.clients().stream()
        .filter(ClientFigures.class::isInstance)
        .map(client -> ConsumerRow.of(channel, ((ClientFigures) client).figures("")));
  }

  private static <R> HttpReply page(QueryParams params, ListRows<R> table, Stream<R> rows)
      throws HttpError {
    Comparator<R> order = table.order(params.get("sort"));
    if (order == null) {
      throw HttpError.badRequest("INVALID_ARG_SORT");
    }
    String direction = params.getOrEmpty("order");
    if (direction.equals("desc")) {
      order = order.reversed();
    } else if (!direction.isEmpty() && !direction.equals("asc")) {
      throw HttpError.badRequest("INVALID_ARG_ORDER");
    }
    int from = params.number("from", 0, 0, Integer.MAX_VALUE, "INVALID_ARG_FROM");
    int max = params.number("n", DEFAULT_ROWS, 1, MAX_ROWS, "INVALID_ARG_N");
    String filter = params.getOrEmpty("filter").strip().toLowerCase(Locale.ROOT);
    List<R> all = rows.toList();
    List<R> found = all.stream().filter(row -> table.matches(row, filter)).toList();
    List<R> page =
        found.stream().sorted(order.thenComparing(table.byName())).skip(from).limit(max).toList();
    return HttpReply.json(new Answer(all.size(), found.size(), page));
  }

  /**
   * What is answered.
   *
   * @param total rows there are
   * @param found those of them that the filter leaves
   * @param rows the page
   */
  private record Answer(
      @JsonProperty("total") int total,
      @JsonProperty("found") int found,
      @JsonProperty("rows") List<?> rows) {}
}
