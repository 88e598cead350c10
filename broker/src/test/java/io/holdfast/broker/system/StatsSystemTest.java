package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Contract §5: /stats, as JSON and as text. One broker in a fixed state; the tests only look. */
class StatsSystemTest {
  private static final String CLIENT_TAIL =
      " connect_ts sample_rate deflate snappy user_agent topology_zone topology_region";
  private static final String TLS_KEYS =
      " tls tls_cipher_suite tls_version tls_negotiated_protocol tls_negotiated_protocol_is_mutual";
  private static final String CLIENT_KEYS =
      "client_id hostname version remote_address state ready_count in_flight_count message_count"
          + " finish_count requeue_count";
  private static BrokerProcess broker;
  private static Http http;
  private static RawNsqConnection consumer;
  private static RawNsqConnection publisher;

  @BeforeAll
  static void start() {
    broker = BrokerProcess.started();
    http = broker.http();
    http.post("/topic/create?topic=b-empty");
    http.post("/topic/pause?topic=b-empty");
    consumer = broker.connect();
    consumer.identify("{\"client_id\":\"me\",\"hostname\":\"h\",\"user_agent\":\"test<1>\"}");
    consumer.line("SUB a-topic x").expectOk().line("RDY 1");
    publisher = broker.connect();
    publisher.pub("a-topic", "first").pub("a-topic", "second");
    http.post("/channel/create?topic=a-topic&channel=Idle");
    http.post("/channel/pause?topic=a-topic&channel=Idle");
    consumer.message();
    http.awaitChannel("a-topic", "x", c -> c.path("depth").asInt() == 1);
  }

  @AfterAll
  static void stop() {
    consumer.close();
    publisher.close();
    broker.close();
  }

  private static String keys(JsonNode node) {
    List<String> keys = new ArrayList<>();
    node.fieldNames().forEachRemaining(keys::add);
    return String.join(" ", keys);
  }

  @Test
  void shouldHaveKeysInOrder() {
    JsonNode stats = http.stats("");
    assertEquals(
        "version health start_time topics memory producers"
            + (Reference.isHoldfast() ? " memory_budget holdfast_version" : ""),
        keys(stats));
    assertEquals("OK", stats.path("health").asText());
    assertEquals(
        "heap_objects heap_idle_bytes heap_in_use_bytes heap_released_bytes gc_pause_usec_100"
            + " gc_pause_usec_99 gc_pause_usec_95 next_gc_bytes gc_total_runs",
        keys(stats.path("memory")));
    assertEquals("limit_bytes used_bytes parts", keys(stats.path("memory_budget")));
    assertEquals(
        "queues in_flight deferred input output connections topics",
        keys(stats.at("/memory_budget/parts")));
    assertEquals("limit_bytes used_bytes", keys(stats.at("/memory_budget/parts/queues")));
    JsonNode topic = stats.at("/topics/0");
    assertEquals(
        "topic_name channels depth backend_depth message_count message_bytes paused"
            + " e2e_processing_latency",
        keys(topic));
    assertEquals(
        "channel_name depth backend_depth in_flight_count deferred_count message_count"
            + " requeue_count timeout_count client_count clients paused e2e_processing_latency",
        keys(topic.at("/channels/0")));
    assertEquals(
        "channel_name depth backend_depth in_flight_count deferred_count message_count"
            + " global_msg_count requeue_count timeout_count client_count clients paused"
            + " e2e_processing_latency",
        keys(topic.at("/channels/1")));
    assertEquals(
        "{\"count\":0,\"percentiles\":null}", topic.path("e2e_processing_latency").toString());
    assertEquals(
        "{\"count\":0,\"percentiles\":null}",
        topic.at("/channels/0/e2e_processing_latency").toString());
    assertEquals(CLIENT_KEYS + CLIENT_TAIL + TLS_KEYS, keys(topic.at("/channels/1/clients/0")));
    assertEquals(
        CLIENT_KEYS + CLIENT_TAIL + " pub_counts" + TLS_KEYS, keys(stats.at("/producers/0")));
  }

  @Test
  void shouldSortTopicsAndChannelsByBytes() {
    JsonNode topics = http.stats("").path("topics");
    assertEquals(
        "a-topic b-empty",
        topics.at("/0/topic_name").asText() + " " + topics.at("/1/topic_name").asText());
    assertEquals(
        "Idle x",
        topics.at("/0/channels/0/channel_name").asText()
            + " "
            + topics.at("/0/channels/1/channel_name").asText());
    assertEquals("[]", topics.at("/1/channels").toString());
    assertEquals("[]", topics.at("/0/channels/0/clients").toString());
  }

  @Test
  void shouldShowValues() {
    JsonNode stats = http.stats("");
    JsonNode channel = stats.at("/topics/0/channels/1");
    assertEquals(
        "1 1 2 1", text(channel, "depth", "in_flight_count", "message_count", "client_count"));
    JsonNode client = channel.at("/clients/0");
    assertEquals(
        "me h test<1> 3 1 1 1 0",
        text(
            client,
            "client_id",
            "hostname",
            "user_agent",
            "state",
            "ready_count",
            "in_flight_count",
            "message_count",
            "finish_count"));
    assertEquals(
        "false    false",
        text(
            client,
            "tls",
            "tls_cipher_suite",
            "tls_version",
            "tls_negotiated_protocol",
            "tls_negotiated_protocol_is_mutual"));
    JsonNode producer = stats.at("/producers/0");
    assertEquals(1, stats.path("producers").size());
    assertEquals(publisher.localAddress(), producer.path("remote_address").asText());
    assertEquals("[{\"topic\":\"a-topic\",\"count\":2}]", producer.path("pub_counts").toString());
    assertEquals("true", stats.at("/topics/1/paused").asText());
    assertEquals("true", stats.at("/topics/0/channels/0/paused").asText());
    assertTrue(http.get("/stats?format=json").body().contains("test\\u003c1\\u003e"));
  }

  private static String text(JsonNode node, String... fields) {
    return String.join(" ", List.of(fields).stream().map(f -> node.path(f).asText()).toList());
  }

  @Test
  void shouldFilter() {
    JsonNode one = http.stats("&topic=a-topic&channel=x");
    assertEquals(1, one.path("topics").size());
    assertEquals(1, one.at("/topics/0/channels").size());
    assertEquals("x", one.at("/topics/0/channels/0/channel_name").asText());
    assertEquals("[]", http.stats("&topic=a-topic&channel=none").path("topics").toString());
    JsonNode none = http.stats("&topic=none");
    assertTrue(
        none.has("topics") && none.path("topics").isNull() && none.path("producers").isNull(),
        none::toString);
    assertEquals(1, http.stats("&topic=b-empty").path("producers").size());
    for (String off : List.of("false", "0")) {
      JsonNode few = http.stats("&include_clients=" + off + "&include_mem=" + off);
      assertFalse(few.has("memory"));
      assertTrue(few.path("producers").isNull(), few::toString);
      assertTrue(few.at("/topics/0/channels/1/clients").isNull(), few::toString);
      assertEquals(1, few.at("/topics/0/channels/1/client_count").asInt());
    }
    for (String on : List.of("true", "1", "nonsense", "")) {
      JsonNode all = http.stats("&include_clients=" + on + "&include_mem=" + on);
      assertTrue(all.has("memory") && all.path("producers").size() == 1, on);
    }
  }

  @Test
  void shouldBeTextUnlessJsonIsAskedFor() {
    for (String query : List.of("", "?format=", "?format=text", "?format=JSON")) {
      Http.Response response = http.get("/stats" + query);
      assertEquals("text/plain; charset=utf-8", response.header("Content-Type"));
      assertEquals("nsq; version=1.0", response.header("X-Nsq-Content-Type"));
    }
    assertEquals(
        "application/json; charset=utf-8", http.get("/stats?format=json").header("Content-Type"));
  }

  /** The shape of the text; {@code #} stands for what varies. The first line names the program. */
  private static void assertShape(String expected, String text) {
    String pattern = Pattern.quote(expected).replace("#", "\\E[^\\n]*\\Q");
    assertTrue(
        Pattern.compile(pattern).matcher(text).matches(),
        () -> "expected:\n" + expected + "\nactual:\n" + text);
  }

  @Test
  void shouldPrintText() {
    String text = http.get("/stats?include_mem=false").body();
    String address =
        String.format("%-21s", consumer.localAddress().replace("127.0.0.1", "h") + " test<1>");
    String producer = String.format("%-21s", publisher.localAddress());
    assertShape(
        "# v#\n"
            + "start_time #T#\n"
            + "uptime #s\n\n"
            + "Health: OK\n\n"
            + "Topics:\n"
            + "   [a-topic        ] depth: 0     be-depth: 0     msgs: 2        e2e%:#\n"
            + "   *P [Idle                     ] depth: #     be-depth: #     inflt: 0    def: 0   "
            + " re-q: 0     timeout: 0     msgs: #        e2e%:#\n"
            + "      [x                        ] depth: 1     be-depth: #     inflt: 1    def: 0   "
            + " re-q: 0     timeout: 0     msgs: 2        e2e%:#\n"
            + "        [V2 "
            + address
            + "] state: 3 inflt: 1    rdy: 1    fin: 0        re-q: 0        msgs: 1       "
            + " connected: #s\n"
            + "\n"
            + "*P [b-empty        ] depth: 0     be-depth: 0     msgs: 0        e2e%:#\n"
            + "\n"
            + "Producers:\n"
            + "   [V2 "
            + producer
            + "] msgs: 2        topics: a-topic=2 connected: #s\n",
        text);
  }

  @Test
  void shouldPrintMemoryAndEmptyLists() {
    String text = http.get("/stats?topic=none").body();
    assertShape(
        "# v#\n"
            + "start_time #\n"
            + "uptime #\n\n"
            + "Health: OK\n\n"
            + "Memory:\n"
            + "   heap_objects             \t#\n"
            + "   heap_idle_bytes          \t#\n"
            + "   heap_in_use_bytes        \t#\n"
            + "   heap_released_bytes      \t#\n"
            + "   gc_pause_usec_100        \t#\n"
            + "   gc_pause_usec_99         \t#\n"
            + "   gc_pause_usec_95         \t#\n"
            + "   next_gc_bytes            \t#\n"
            + "   gc_total_runs            \t#\n"
            + "   memory_budget            \t#/# queues #/# in_flight #/# deferred #/# input #/#"
            + " output #/# connections #/# topics #/#\n"
            + "\n"
            + "Topics: None\n\n"
            + "Producers: None\n",
        text);
  }
}
