package io.holdfast.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.core.HandOvers;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Consumers at all three nodes of a cluster, whoever leads their topic. */
class EmbeddedRelayTest {
  private static final Duration SHORT = Duration.ofMillis(20);

  @TempDir Path dir;
  private EmbeddedCluster cluster;

  /** By node. */
  private final Map<String, RawNsqConnection> clients = new TreeMap<>();

  /** Messages that a client holds, by node. */
  private final Map<String, Map<String, Frame.Msg>> held = new HashMap<>();

  private final Set<String> consumed = new TreeSet<>();
  private int published;

  @BeforeEach
  void start() throws IOException {
    cluster = new EmbeddedCluster(dir);
    for (String node : EmbeddedCluster.NAMES) {
      cluster.start(node, true, Map.of("max_channel_consumers", "4"));
    }
  }

  @AfterEach
  void close() {
    clients.values().forEach(RawNsqConnection::close);
    cluster.close();
  }

  private void subscribe(String node, String channel) {
    RawNsqConnection client = cluster.connect(node);
    clients.put(node, client);
    held.put(node, new TreeMap<>());
    client.identify("{\"client_id\":\"of-" + node + "\",\"msg_timeout\":60000}");
    client.line("SUB t " + channel).expectOk();
  }

  private void publish(String node, int count) {
    for (int i = 0; i < count; i++) {
      cluster.http(node).post("/pub?topic=t", "m" + published++).expect(200, "OK");
    }
  }

  /** Takes what has come; what is finished, and what the broker said of it. */
  private void take(String node, int ready, boolean finish, List<String> errors) {
    RawNsqConnection client = clients.get(node);
    for (Frame frame = client.pollFrame(SHORT); frame != null; frame = client.pollFrame(SHORT)) {
      if (frame.type() == Frame.ERROR) {
        errors.add(frame.text());
        continue;
      }
      Frame.Msg message = frame.message();
      held.get(node).put(message.id(), message);
      assertTrue(held.get(node).size() <= ready, node + " holds " + held.get(node).keySet());
      if (finish) {
        finish(node);
      }
    }
  }

  private void finish(String node) {
    for (Frame.Msg message : held.get(node).values()) {
      consumed.add(message.text());
      clients.get(node).fin(message);
    }
    held.get(node).clear();
  }

  private JsonNode channel(String node) {
    return cluster
        .http(node)
        .get("/stats?format=json&topic=t&channel=c")
        .json()
        .at("/topics/0/channels/0");
  }

  private void awaitEmpty() {
    Awaitility.await("nothing left")
        .atMost(EmbeddedCluster.LONG)
        .until(
            () -> {
              JsonNode channel = channel(cluster.awaitLeader("t"));
              return channel.path("depth").asInt(-1) == 0
                  && channel.path("in_flight_count").asInt(-1) == 0
                  && channel.path("deferred_count").asInt(-1) == 0;
            });
  }

  @Test
  void servesAtAllNodes() {
    String leader = cluster.awaitLeader("t");
    EmbeddedCluster.NAMES.forEach(node -> subscribe(node, "c"));
    publish(leader, 9);
    // Each has three, as all of them take no more.
    clients.values().forEach(client -> client.line("RDY 3"));
    List<String> errors = new ArrayList<>();
    for (String node : clients.keySet()) {
      Awaitility.await("three at " + node)
          .atMost(EmbeddedCluster.LONG)
          .until(
              () -> {
                take(node, 3, false, errors);
                return held.get(node).size() == 3;
              });
    }
    // Who is connected where, and what it has.
    JsonNode shown = channel(leader);
    assertEquals(9, shown.path("in_flight_count").asInt());
    Map<String, String> via = new TreeMap<>();
    for (JsonNode client : shown.path("clients")) {
      via.put(client.path("client_id").asText(), client.path("via").asText("-"));
      assertEquals(3, client.path("in_flight_count").asInt());
      assertEquals(3, client.path("ready_count").asInt());
      assertTrue(client.path("remote_address").asText().startsWith("127.0.0.1:"));
    }
    Map<String, String> expected = new TreeMap<>();
    clients.keySet().forEach(node -> expected.put("of-" + node, node.equals(leader) ? "-" : node));
    assertEquals(expected, via);
    for (String node : clients.keySet()) {
      assertEquals(
          node.equals(leader) ? 0 : 1, cluster.broker(node).cluster().relays().consumers());
      String metric = "holdfast_relayed_consumers " + (node.equals(leader) ? "0.0" : "1.0") + "\n";
      String metrics = cluster.http(node).get("/metrics").body();
      assertTrue(metrics.contains(metric), metrics);
    }

    // REQ, TOUCH, FIN, and what is answered with an error.
    String other = cluster.others(leader).get(0);
    RawNsqConnection client = clients.get(other);
    List<Frame.Msg> messages = List.copyOf(held.get(other).values());
    client.line("TOUCH " + messages.get(0).id());
    client.line("REQ " + messages.get(1).id() + " 0");
    Frame.Msg again = client.message();
    assertEquals(2, again.attempts());
    assertEquals(messages.get(1).id(), again.id());
    assertEquals(messages.get(1).text(), again.text());
    assertEquals(messages.get(1).timestampNs(), again.timestampNs());
    client.line("FIN 0123456789abcdef");
    client.expectError("E_FIN_FAILED FIN 0123456789abcdef failed ID not in flight");
    clients.keySet().forEach(this::finish);
    awaitEmpty();

    // CLS is answered, and the death of a client gives back what it has.
    client.line("CLS");
    assertEquals("CLOSE_WAIT", client.expectResponse());
    publish(other, 6);
    String third = cluster.others(leader).get(1);
    Awaitility.await("three at " + third)
        .atMost(EmbeddedCluster.LONG)
        .until(
            () -> {
              take(third, 3, false, errors);
              return held.get(third).size() == 3;
            });
    clients.get(third).close();
    Awaitility.await("all at " + leader)
        .atMost(EmbeddedCluster.LONG)
        .until(
            () -> {
              take(leader, 3, true, errors);
              return consumed.size() == 15;
            });
    awaitEmpty();
    assertEquals(List.of(), errors);

    // The limit of consumers is one for all nodes; a deleted channel ends them everywhere.
    client.close();
    Awaitility.await("one is left")
        .atMost(EmbeddedCluster.LONG)
        .until(() -> channel(leader).path("clients").size() == 1);
    subscribe(other, "c");
    subscribe(third, "c");
    RawNsqConnection more = cluster.connect(other).line("SUB t c").expectOk();
    cluster
        .connect(third)
        .line("SUB t c")
        .expectFatal("E_SUB_FAILED SUB failed consumers for t:c exceeds limit of 4");
    cluster.http(leader).post("/channel/delete?topic=t&channel=c").expect(200, "");
    clients.values().forEach(RawNsqConnection::expectClosed);
    more.expectClosed();
  }

  @Test
  void outlivesLeaders() {
    String first = cluster.awaitLeader("t");
    EmbeddedCluster.NAMES.forEach(node -> subscribe(node, "c"));
    clients.values().forEach(client -> client.line("RDY 1"));
    publish(first, 3);
    Map<String, List<String>> errors = new TreeMap<>();
    clients.keySet().forEach(node -> errors.put(node, new ArrayList<>()));
    for (String node : clients.keySet()) {
      Awaitility.await("one at " + node)
          .atMost(EmbeddedCluster.LONG)
          .until(
              () -> {
                take(node, 1, false, errors.get(node));
                return held.get(node).size() == 1;
              });
    }

    // Handed over with a message at each: nobody is closed, none has two.
    HandOvers.of(cluster.broker(first));
    String second = cluster.awaitLeader("t");
    assertTrue(!second.equals(first), "handed over to itself");
    Awaitility.await("all three are there again")
        .atMost(EmbeddedCluster.LONG)
        .until(() -> channel(second).path("clients").size() == 3);
    publish(first, 3);
    clients.keySet().forEach(node -> take(node, 1, false, errors.get(node)));
    assertEquals(6, channel(second).path("depth").asInt());
    for (String node : clients.keySet()) {
      Frame.Msg message = held.get(node).values().iterator().next();
      clients.get(node).fin(message);
      held.get(node).clear();
      errors.put(node, new ArrayList<>());
    }
    awaitAll(errors);
    errors.forEach(
        (node, of) -> {
          assertEquals(1, of.size(), node);
          assertTrue(of.get(0).matches("E_FIN_FAILED FIN [0-9a-f]{16} failed ID not in flight"));
        });

    // Killed: those at the others go on.
    clients.remove(second).close();
    cluster.kill(second);
    String third = cluster.awaitLeader("t");
    publish(third, 30);
    awaitAll(errors);
    errors.forEach((node, of) -> assertEquals(1, of.size(), node));
  }

  /** Until all that was published is consumed. */
  private void awaitAll(Map<String, List<String>> errors) {
    Awaitility.await("all that was published")
        .atMost(EmbeddedCluster.LONG)
        .until(
            () -> {
              clients.keySet().forEach(node -> take(node, 1, true, errors.get(node)));
              return consumed.size() == published;
            });
    awaitEmpty();
  }

  @Test
  void keepsEphemeralChannelsWithTheLeader() {
    String leader = cluster.awaitLeader("t");
    String other = cluster.others(leader).get(0);
    subscribe(other, "e#ephemeral");
    assertEquals(1, channels(leader));
    clients.get(other).line("RDY 1");
    publish(other, 1);
    assertEquals("m0", clients.get(other).message().text());
    HandOvers.of(cluster.broker(leader));
    String next = cluster.awaitLeader("t");
    Awaitility.await("it is made anew")
        .atMost(EmbeddedCluster.LONG)
        .until(() -> channels(next) == 1);
    clients.get(other).close();
    Awaitility.await("it goes with its last consumer")
        .atMost(EmbeddedCluster.LONG)
        .until(() -> channels(next) == 0);
  }

  private int channels(String node) {
    return cluster
        .http(node)
        .get("/stats?format=json&topic=t")
        .json()
        .at("/topics/0/channels")
        .size();
  }
}
