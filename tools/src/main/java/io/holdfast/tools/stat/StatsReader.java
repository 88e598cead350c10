package io.holdfast.tools.stat;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.HttpJson;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Reads /stats of several brokers into one {@link StatSample}. */
public final class StatsReader {
  private final HttpJson http;
  private final String topic;
  private final String channel;

  /**
   * @param http does the asking
   * @param topic only this topic; null = all
   * @param channel only this channel; null = all
   */
  public StatsReader(HttpJson http, String topic, String channel) {
    this.http = http;
    this.topic = topic;
    this.channel = channel;
  }

  /**
   * Asks all brokers, one after the other.
   *
   * @param brokers HTTP addresses
   * @return what those that answered say
   */
  public StatSample read(Collection<BrokerAddress> brokers) {
    SortedMap<StatRow.Key, StatRow> rows = new TreeMap<>();
    Map<String, String> answered = new LinkedHashMap<>();
    List<String> failures = new ArrayList<>();
    for (BrokerAddress broker : brokers) {
      try {
        HttpJson.Answer answer = http.get(broker, path());
        JsonNode stats = answer.json();
        if (answer.status() != 200) {
          throw new IOException(
              broker + ": HTTP status " + answer.status() + " " + stats.path("message").asText());
        }
        // Until 1.0 the answer was wrapped in "data".
        JsonNode data = stats.has("data") ? stats.get("data") : stats;
        if (!data.has("topics")) {
          throw new IOException(broker + ": no topics in /stats; is it a broker's HTTP address?");
        }
        answered.put(broker.toString(), data.path("health").asText("OK"));
        boolean isHoldfast = data.has("holdfast_version");
        data.get("topics").forEach(each -> addTopic(each, isHoldfast, rows));
      } catch (IOException e) {
        failures.add(ToolException.describe(e));
      }
    }
    return new StatSample(System.nanoTime(), rows, answered, failures);
  }

  private String path() {
    String path = "/stats?format=json&include_clients=false&include_mem=false";
    return topic == null
        ? path
        : path + "&topic=" + URLEncoder.encode(topic, StandardCharsets.UTF_8);
  }

  private void addTopic(JsonNode json, boolean isHoldfast, SortedMap<StatRow.Key, StatRow> rows) {
    String name = json.path("topic_name").asText();
    if (topic != null && !topic.equals(name)) {
      return;
    }
    List<StatRow> found = new ArrayList<>();
    for (JsonNode each : json.path("channels")) {
      String channelName = each.path("channel_name").asText();
      if (channel == null || channel.equals(channelName)) {
        found.add(row(name, channelName, each, isHoldfast));
      }
    }
    if (channel == null || !found.isEmpty()) {
      found.add(row(name, "", json, isHoldfast));
    }
    found.forEach(row -> rows.merge(row.key(), row, StatRow::plus));
  }

  private static StatRow row(String topic, String channel, JsonNode json, boolean isHoldfast) {
    return new StatRow(
        topic,
        channel,
        json.path("depth").asLong(),
        json.path("backend_depth").asLong(),
        json.path("in_flight_count").asLong(),
        json.path("deferred_count").asLong(),
        // Holdfast leaves it out while it is 0; nsqd has none.
        json.path("dead_count").asLong(isHoldfast ? 0 : StatRow.UNKNOWN),
        json.path("requeue_count").asLong(),
        json.path("timeout_count").asLong(),
        json.path("message_count").asLong(),
        // Since 1.2 there is a count; before, only the list.
        json.has("client_count") ? json.get("client_count").asLong() : json.path("clients").size(),
        json.path("paused").asBoolean());
  }
}
