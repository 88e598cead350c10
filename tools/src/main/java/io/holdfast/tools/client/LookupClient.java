package io.holdfast.tools.client;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds brokers through one or more nsqlookupd. An nsqlookupd that does not answer is skipped with
 * a warning; only when none answers does a call fail.
 */
public final class LookupClient {
  private static final Logger log = LoggerFactory.getLogger(LookupClient.class);

  private final HttpJson http;
  private final List<BrokerAddress> lookups;

  /**
   * @param http does the asking
   * @param lookups HTTP addresses, at least one
   */
  public LookupClient(HttpJson http, List<BrokerAddress> lookups) {
    this.http = http;
    this.lookups = List.copyOf(lookups);
  }

  /**
   * A broker that registered.
   *
   * @param tcp its TCP address
   * @param http its HTTP address
   */
  public record Producer(BrokerAddress tcp, BrokerAddress http) {}

  /**
   * Brokers that have a topic.
   *
   * @param topic the topic
   * @return the union of all answers, without duplicates; empty when nobody knows the topic
   * @throws IOException when no nsqlookupd answered
   */
  public Set<Producer> lookup(String topic) throws IOException {
    return ask("/lookup?topic=" + URLEncoder.encode(topic, StandardCharsets.UTF_8));
  }

  /**
   * All brokers.
   *
   * @return the union of all answers, without duplicates
   * @throws IOException when no nsqlookupd answered
   */
  public Set<Producer> nodes() throws IOException {
    return ask("/nodes");
  }

  private Set<Producer> ask(String path) throws IOException {
    Set<Producer> producers = new LinkedHashSet<>();
    List<String> failures = new ArrayList<>();
    for (BrokerAddress lookup : lookups) {
      try {
        HttpJson.Answer answer = http.get(lookup, path);
        if (answer.status() == 200) {
          addProducers(answer.json(), producers);
        } else if (answer.status() != 404) { // 404: it does not know the topic.
          failures.add(lookup + ": HTTP status " + answer.status());
        }
      } catch (IOException e) {
        failures.add(ToolException.describe(e));
      }
    }
    if (failures.size() == lookups.size()) {
      throw new IOException("nsqlookupd " + String.join("; ", failures));
    }
    failures.forEach(failure -> log.warn("nsqlookupd {}", failure));
    return producers;
  }

  private static void addProducers(JsonNode json, Set<Producer> producers) {
    // Before 1.0 the answer was wrapped in "data".
    JsonNode list = json.has("producers") ? json.get("producers") : json.at("/data/producers");
    for (JsonNode producer : list) {
      String host = producer.path("broadcast_address").asText();
      int tcpPort = producer.path("tcp_port").asInt();
      int httpPort = producer.path("http_port").asInt();
      if (!host.isEmpty() && tcpPort > 0 && httpPort > 0) {
        producers.add(
            new Producer(new BrokerAddress(host, tcpPort), new BrokerAddress(host, httpPort)));
      }
    }
  }
}
