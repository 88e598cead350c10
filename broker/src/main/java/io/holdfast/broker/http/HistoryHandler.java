package io.holdfast.broker.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.history.Figures;
import io.holdfast.broker.history.History;
import io.holdfast.broker.history.Row;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.Topic;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** GET /history. Stateless. */
final class HistoryHandler {
  private static final Map<String, Function<Row, Object>> COLUMNS = new LinkedHashMap<>();

  static {
    COLUMNS.put("time_ms", Row::timeMs);
    COLUMNS.put("published", Row::published);
    COLUMNS.put("published_bytes", Row::publishedBytes);
    COLUMNS.put("finished", Row::finished);
    COLUMNS.put("requeued", Row::requeued);
    COLUMNS.put("timed_out", Row::timedOut);
    COLUMNS.put("depth", Row::depth);
    COLUMNS.put("in_flight", Row::inFlight);
    COLUMNS.put("deferred", Row::deferred);
    COLUMNS.put("publish_p50_seconds", Row::publishP50);
    COLUMNS.put("publish_p99_seconds", Row::publishP99);
    COLUMNS.put("sync_p99_seconds", Row::syncP99);
    COLUMNS.put("disk_free_bytes", Row::diskFreeBytes);
    COLUMNS.put("memory_used_bytes", Row::memoryUsedBytes);
  }

  private final Broker broker;
  private final History history;

  HistoryHandler(Broker broker, History history) {
    this.broker = broker;
    this.history = history;
  }

  /**
   * The figures now, and the last {@code n} rows as columns, oldest first: of a topic or channel if
   * one is named, else of the broker; blocks.
   */
  HttpReply history(ApiRequest request) throws HttpError {
    QueryParams params = request.params();
    int max = params.number("n", History.KEPT, 0, History.KEPT, "INVALID_ARG_N");
    String topicName = params.get("topic");
    String channelName = params.get("channel");
    if (topicName != null) {
      return ofQueue(topicName, channelName, max);
    }
    if (channelName != null) {
      throw HttpError.badRequest("MISSING_ARG_TOPIC");
    }
    List<Row> rows = history.latest(max);
    Map<String, List<Object>> columns = new LinkedHashMap<>();
    COLUMNS.forEach((name, value) -> columns.put(name, rows.stream().map(value).toList()));
    return HttpReply.json(new Answer(History.INTERVAL_S, history.now(), columns));
  }

  private HttpReply ofQueue(String topicName, String channelName, int max) throws HttpError {
    Topic topic = broker.existingTopic(topicName);
    if (topic == null) {
      throw HttpError.notFound("TOPIC_NOT_FOUND");
    }
    if (channelName == null) {
      long ledgers = topic.diskBytes() - topic.journalBytes();
      return HttpReply.json(
          new Answer(
              History.INTERVAL_S,
              new OnDisk(topic.journalBytes(), topic.journalFiles(), Math.max(0, ledgers)),
              history.queues().latest(topic, max)));
    }
    Channel channel = topic.existingChannel(channelName);
    if (channel == null) {
      throw HttpError.notFound("CHANNEL_NOT_FOUND");
    }
    return HttpReply.json(
        new Answer(
            History.INTERVAL_S,
            new OnDisk(null, null, channel.diskBytes()),
            history.queues().latest(channel, max)));
  }

  /** What a topic or channel takes on disk; a channel has no journal of its own. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @JsonInclude(JsonInclude.Include.NON_NULL)
  private record OnDisk(Long journalBytes, Integer journalFiles, long ledgerBytes) {}

  /**
   * Rates are per second.
   *
   * @param now {@link Figures} or {@link OnDisk}
   */
  private record Answer(
      @JsonProperty("interval_seconds") int intervalSeconds,
      @JsonProperty("now") Object now,
      @JsonProperty("rows") Map<String, List<Object>> rows) {}
}
