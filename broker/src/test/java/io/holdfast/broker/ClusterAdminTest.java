package io.holdfast.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import io.holdfast.broker.lookup.FakeLookupd;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Shared topics are administered and looked at at any node, led there or not: whoever leads them
 * decides.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ClusterAdminTest {
  private static final int ATTEMPTS = 20;
  private static final long REPEATS_MS = 2000;
  private static final String TOPIC_NOT_FOUND = "TOPIC_NOT_FOUND";
  private static final String CHANNEL_NOT_FOUND = "CHANNEL_NOT_FOUND";

  private EmbeddedCluster cluster;
  private HttpServer channels;

  /** Of each node one of its own. */
  private final Map<String, FakeLookupd> lookupds = new TreeMap<>();

  @BeforeAll
  void start(@TempDir Path dir) throws IOException {
    channels = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    channels.createContext(
        "/channels",
        exchange -> {
          boolean isKnown = exchange.getRequestURI().getQuery().equals("topic=known");
          byte[] body =
              (isKnown ? "{\"channels\":[\"before\"]}" : "{\"channels\":[]}")
                  .getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    channels.start();
    cluster = new EmbeddedCluster(dir);
    for (String node : EmbeddedCluster.NAMES) {
      FakeLookupd lookupd = new FakeLookupd();
      lookupd.replyToIdentify(FakeLookupd.INFO.formatted(channels.getAddress().getPort()));
      lookupds.put(node, lookupd);
      cluster.start(node, true, Map.of("nsqlookupd_tcp_addresses", lookupd.address()));
    }
    for (String topic : List.of("t0", "t1", "t2", "t3", "t4", "t5")) {
      cluster.awaitLeader(topic);
    }
  }

  @AfterAll
  void close() throws IOException {
    if (cluster != null) {
      cluster.close();
    }
    for (FakeLookupd lookupd : lookupds.values()) {
      lookupd.close();
    }
    channels.stop(0);
  }

  // ---------------------------------------------------------------- steps

  /**
   * Runs a scenario with another topic each time until nobody else led meanwhile and it was quick:
   * on a busy machine answers of that time say nothing.
   */
  private void undisturbed(String prefix, Consumer<String> scenario) {
    AssertionError last = null;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      String topic = prefix + attempt;
      cluster.awaitLeader(topic);
      long term = cluster.term(topic);
      long startNs = System.nanoTime();
      last = null;
      try {
        scenario.accept(topic);
      } catch (AssertionError e) {
        last = e;
      }
      boolean isQuick = RawNsqConnection.millisSince(startNs) < REPEATS_MS;
      if (last == null || (isQuick && cluster.term(topic) == term)) {
        break;
      }
    }
    if (last != null) {
      throw last;
    }
  }

  private Http.Response post(String node, String target) {
    return cluster.http(node).post(target);
  }

  private void done(String node, String target) {
    post(node, target).expect(200, "");
  }

  private static void await(String what, Callable<Boolean> condition) {
    Awaitility.await(what).atMost(EmbeddedCluster.LONG).until(condition);
  }

  private JsonNode json(String node, String target) {
    Http.Response answer = cluster.http(node).get(target);
    assertEquals(200, answer.status(), answer.body());
    return answer.json();
  }

  /** All nodes, beginning with each of them once. */
  private static List<List<String>> turns() {
    return List.of(List.of("a", "b", "c"), List.of("b", "c", "a"), List.of("c", "a", "b"));
  }

  // ---------------------------------------------------------------- administration

  @Test
  void everyNodeAdministersTopics() {
    int number = 0;
    for (List<String> nodes : turns()) {
      String prefix = "topics" + number++ + "x";
      undisturbed(
          prefix,
          topic -> {
            String first = nodes.get(0);
            String second = nodes.get(1);
            String third = nodes.get(2);
            String named = "?topic=" + topic;
            for (String verb : List.of("delete", "empty", "pause", "unpause")) {
              post(first, "/topic/" + verb + named).expectError(404, TOPIC_NOT_FOUND);
            }
            done(first, "/topic/create" + named);
            done(second, "/topic/create" + named);
            done(third, "/topic/pause" + named);
            done(first, "/topic/pause" + named);
            assertTrue(
                json(second, "/list?of=topics&topic=" + topic).at("/rows/0/paused").asBoolean());
            done(second, "/topic/unpause" + named);
            done(third, "/topic/empty" + named);
            done(third, "/topic/delete" + named);
            post(third, "/topic/delete" + named).expectError(404, TOPIC_NOT_FOUND);
            post(third, "/topic/pause" + named).expectError(404, TOPIC_NOT_FOUND);
          });
    }
    for (String node : EmbeddedCluster.NAMES) {
      post(node, "/topic/create").expectError(400, "MISSING_ARG_TOPIC");
      post(node, "/topic/create?topic=!").expectError(400, "INVALID_TOPIC");
      post(node, "/topic/delete?topic=!").expectError(404, TOPIC_NOT_FOUND);
      post(node, "/topic/empty?topic=a;b").expectError(400, "INVALID_REQUEST");
    }
  }

  @Test
  void everyNodeAdministersChannels() {
    int number = 0;
    for (List<String> nodes : turns()) {
      String prefix = "channels" + number++ + "x";
      undisturbed(
          prefix,
          topic -> {
            String first = nodes.get(0);
            String second = nodes.get(1);
            String third = nodes.get(2);
            String named = "?topic=" + topic + "&channel=c";
            post(first, "/channel/create" + named).expectError(404, TOPIC_NOT_FOUND);
            done(first, "/topic/create?topic=" + topic);
            for (String verb : List.of("delete", "empty", "pause", "unpause")) {
              post(second, "/channel/" + verb + named).expectError(404, CHANNEL_NOT_FOUND);
            }
            done(third, "/channel/create" + named);
            done(second, "/channel/create" + named);
            done(first, "/channel/pause" + named);
            assertTrue(
                json(second, "/list?of=channels&topic=" + topic).at("/rows/0/paused").asBoolean());
            done(third, "/channel/unpause" + named);
            cluster.http(second).post("/pub?topic=" + topic, "body").expect(200, "OK");
            done(second, "/channel/empty" + named);
            assertEquals(
                0, json(first, "/list?of=channels&topic=" + topic).at("/rows/0/depth").asInt());
            done(second, "/channel/delete" + named);
            post(second, "/channel/delete" + named).expectError(404, CHANNEL_NOT_FOUND);
          });
    }
    post("a", "/channel/create?topic=t0").expectError(400, "MISSING_ARG_CHANNEL");
    post("b", "/channel/create?topic=t0&channel=!").expectError(400, "INVALID_ARG_CHANNEL");
  }

  @Test
  void everyNodeShowsMessagesAndSetsPositionsAndPolicies() {
    undisturbed(
        "messages",
        topic -> {
          String named = "?topic=" + topic + "&channel=c";
          done("a", "/topic/create?topic=" + topic);
          done("b", "/channel/create" + named);
          cluster.http("c").post("/mpub?topic=" + topic, "one\ntwo").expect(200, "OK");
          for (String node : EmbeddedCluster.NAMES) {
            assertEquals(
                "two", json(node, "/topic/peek?topic=" + topic).at("/messages/1/body").asText());
            assertEquals(
                "one", json(node, "/channel/peek" + named).at("/messages/0/body").asText());
            assertEquals(
                2, json(node, "/list?of=topics&topic=" + topic).at("/rows/0/waiting").asInt());
            assertTrue(json(node, "/history?topic=" + topic).at("/now/journal_bytes").asLong() > 0);
            JsonNode rewound =
                cluster.http(node).post("/channel/rewind" + named + "&to=start").json();
            assertEquals(2, rewound.path("ready").asInt(), rewound.toString());
            cluster.http(node).post("/channel/redrive" + named).expect(200, "{\"count\":0}");
            cluster.http(node).post("/channel/discard" + named).expect(200, "{\"count\":0}");
            cluster.http(node).get("/topic/peek?topic=none").expectError(404, TOPIC_NOT_FOUND);
            cluster.http(node).post("/channel/policy" + named, "{\"max_attempts\":7}").json();
          }
          for (String node : EmbeddedCluster.NAMES) {
            JsonNode policy = json(node, "/channel/policy" + named).path("policy");
            assertEquals("7", policy.at("/max_attempts/value").asText(), policy.toString());
            JsonNode refused =
                cluster.http(node).post("/topic/policy?topic=" + topic, "{\"no\":1}").json();
            assertTrue(
                refused.path("message").asText().startsWith("INVALID_POLICY"), refused.toString());
          }
        });
  }

  @Test
  void whatIsSentToAllNodesIsDoneOnce() {
    undisturbed(
        "once",
        topic -> {
          String named = "?topic=" + topic + "&channel=c";
          done("a", "/topic/create?topic=" + topic);
          done("a", "/channel/create" + named);
          cluster.http("a").post("/pub?topic=" + topic, "before").expect(200, "OK");
          done("a", "/channel/empty" + named);
          cluster.http("b").post("/pub?topic=" + topic, "after").expect(200, "OK");
          done("b", "/channel/empty" + named);
          done("c", "/channel/empty" + named);
          JsonNode stays = json("c", "/channel/peek" + named).path("messages");
          assertEquals(1, stays.size(), stays.toString());
          assertEquals("after", stays.at("/0/body").asText());
          for (String node : EmbeddedCluster.NAMES) {
            done(node, "/channel/delete" + named);
          }
          cluster.http("a").post("/pub?topic=" + topic, "kept").expect(200, "OK");
          done("b", "/topic/empty?topic=" + topic);
          cluster.http("a").post("/pub?topic=" + topic, "stays").expect(200, "OK");
          done("a", "/topic/empty?topic=" + topic);
          assertEquals(1, json("a", "/list?of=topics&topic=" + topic).at("/rows/0/depth").asInt());
          for (String node : EmbeddedCluster.NAMES) {
            done(node, "/topic/delete?topic=" + topic);
          }
        });
  }

  @Test
  void theTrailSaysWhoAskedWhere() {
    undisturbed(
        "trail",
        topic -> {
          String leader = cluster.awaitLeader(topic);
          String asked = cluster.others(leader).get(0);
          done(asked, "/topic/create?topic=" + topic);
          String here = "action=topic.create topic=" + topic + " result=ok";
          assertTrue(
              events(asked).contains("user=anonymous remote=127.0.0.1"), () -> events(asked));
          assertTrue(events(asked).contains(here), () -> events(asked));
          assertTrue(
              events(leader).contains("user=anonymous role=admin remote=127.0.0.1"),
              () -> events(leader));
          assertTrue(events(leader).contains(" node=" + asked + " " + here), () -> events(leader));
        });
  }

  private String events(String node) {
    return cluster.http(node).get("/events?n=100").body();
  }

  // ---------------------------------------------------------------- what is seen

  @Test
  void topicsAreListedEverywhereAndCountedOnce() {
    undisturbed(
        "seen",
        topic -> {
          done("a", "/topic/create?topic=" + topic);
          done("b", "/channel/create?topic=" + topic + "&channel=c");
          cluster.http("c").post("/pub?topic=" + topic, "body").expect(200, "OK");
          String leader = cluster.awaitLeader(topic);
          JsonNode full = cluster.http(leader).topic(topic);
          assertEquals(1, full.path("message_count").asInt(), full.toString());
          assertEquals(1, full.at("/channels/0/depth").asInt(), full.toString());
          checkPlace(full, topic, leader);
          for (String node : cluster.others(leader)) {
            await(
                "all at " + node,
                () -> cluster.http(node).topic(topic).path("channels").size() == 1);
            JsonNode followed = cluster.http(node).topic(topic);
            checkPlace(followed, topic, leader);
            assertEquals(names(full), names(followed));
            assertEquals(names(full.at("/channels/0")), names(followed.at("/channels/0")));
            assertEquals("c", followed.at("/channels/0/channel_name").asText());
            assertEquals("[]", followed.at("/channels/0/clients").toString());
            for (String count : List.of("depth", "backend_depth", "message_count")) {
              assertEquals("0", followed.path(count).toString(), count);
              assertEquals("0", followed.at("/channels/0/" + count).toString(), count);
            }
          }
          checkFilters(topic, leader);
        });
  }

  private static List<String> names(JsonNode object) {
    List<String> names = new ArrayList<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private void checkPlace(JsonNode stats, String topic, String leader) {
    assertEquals("true", stats.path("replicated").toString(), stats.toString());
    assertEquals(
        cluster.group(leader, topic).path("group").asInt(-1), stats.path("group").asInt(-2));
    assertEquals(leader, stats.path("leader").asText());
  }

  private void checkFilters(String topic, String leader) {
    for (String node : EmbeddedCluster.NAMES) {
      Http http = cluster.http(node);
      assertEquals(1, http.stats("&topic=" + topic).path("topics").size());
      JsonNode channel = http.stats("&topic=" + topic + "&channel=c").at("/topics/0/channels");
      assertEquals(1, channel.size(), channel.toString());
      assertEquals(0, http.stats("&topic=" + topic + "&channel=x").path("topics").size());
      assertTrue(http.stats("&topic=none").path("topics").isNull());
      JsonNode without = http.stats("&topic=" + topic + "&include_clients=false");
      assertTrue(without.at("/topics/0/channels/0/clients").isNull(), without.toString());
      String text = http.get("/stats?topic=" + topic).body();
      assertTrue(text.contains("[" + topic), text);
      assertTrue(text.contains("leader: " + leader + " e2e%:"), text);
      boolean isMeasured =
          http.get("/metrics").body().contains("nsq_topic_depth{topic=\"" + topic + "\"}");
      assertEquals(node.equals(leader), isMeasured, node);
      await(
          "messages of all topics at " + node,
          () -> json(node, "/history?n=0").at("/now/journal_bytes").asLong() > 0);
      assertTrue(json(node, "/history?n=0").at("/now/topics").asInt() > 0);
      assertEquals(200, http.get("/console/topic?topic=" + topic).status());
      assertEquals(200, http.get("/console/channel?topic=" + topic + "&channel=c").status());
      assertEquals(404, http.get("/console/channel?topic=" + topic + "&channel=x").status());
      JsonNode row = json(node, "/list?of=topics&filter=" + topic).at("/rows/0");
      assertEquals(topic, row.path("topic_name").asText());
      assertEquals(leader, row.path("leader").asText(), row.toString());
      assertEquals(node.equals(leader) ? 1 : 0, row.path("message_count").asInt());
    }
  }

  @Test
  void ephemeralTopicsAreEachNodesOwn() {
    done("a", "/topic/create?topic=own%23ephemeral");
    JsonNode own = cluster.http("a").topic("own#ephemeral");
    assertFalse(own.has("replicated"), own.toString());
    assertTrue(cluster.http("b").topic("own#ephemeral").isMissingNode());
    post("b", "/topic/pause?topic=own%23ephemeral").expectError(404, TOPIC_NOT_FOUND);
    done("a", "/topic/delete?topic=own%23ephemeral");
  }

  // ---------------------------------------------------------------- nsqlookupd

  private List<String> told(String node, String topic) {
    return lookupds.get(node).received.stream()
        .filter(line -> line.contains("REGISTER " + topic))
        .toList();
  }

  @Test
  void everyNodeRegistersEveryTopic() {
    done("a", "/topic/create?topic=registered");
    done("b", "/channel/create?topic=registered&channel=c");
    for (String node : EmbeddedCluster.NAMES) {
      await(
          "registration of " + node,
          () ->
              told(node, "registered")
                  .equals(List.of("REGISTER registered", "REGISTER registered c")));
    }
    done("c", "/channel/delete?topic=registered&channel=c");
    done("c", "/topic/delete?topic=registered");
    for (String node : EmbeddedCluster.NAMES) {
      await(
          "end of the registration of " + node,
          () -> told(node, "registered").contains("UNREGISTER registered"));
      assertTrue(told(node, "registered").contains("UNREGISTER registered c"));
    }
  }

  @Test
  void aNewTopicTakesItsChannelsOverBeforeItsFirstMessage() {
    String leader = cluster.awaitLeader("known");
    cluster.http(cluster.others(leader).get(0)).post("/pub?topic=known", "first").expect(200, "OK");
    JsonNode peeked = json("a", "/channel/peek?topic=known&channel=before");
    assertNotNull(peeked);
    assertEquals("first", peeked.at("/messages/0/body").asText(), peeked.toString());
  }
}
