package io.holdfast.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three brokers of a cluster in this JVM, with real connections and disks. */
class EmbeddedClusterTest {
  private static final Duration LONG = Duration.ofMinutes(2);
  private static final List<String> NAMES = List.of("a", "b", "c");

  @TempDir Path dir;
  private final Map<String, Holdfast> running = new TreeMap<>();
  private String nodes;

  @AfterEach
  void close() {
    running.values().forEach(Holdfast::kill);
  }

  private void start(String node) throws IOException {
    running.put(
        node,
        Holdfast.builder()
            .dataPath(Files.createDirectories(dir.resolve(node)))
            .httpAddress("127.0.0.1:0")
            .option("cluster_nodes", nodes)
            .option("cluster_node", node)
            .option("cluster_id", "900")
            .option("cluster_init", "true")
            .build()
            .start());
  }

  private Http http(String node) {
    return new Http(running.get(node).httpAddress().getPort());
  }

  private RawNsqConnection connect(String node) {
    return RawNsqConnection.open(running.get(node).tcpAddress().getPort()).sendMagic();
  }

  private String awaitLeader() {
    return Awaitility.await("a leader")
        .atMost(LONG)
        .until(
            () -> {
              for (String node : running.keySet()) {
                JsonNode view = http(node).get("/cluster?topic=t").json();
                int group = view.path("topic").path("group").asInt();
                if (view.path("groups").path(group).path("serving").asBoolean()) {
                  return node;
                }
              }
              return null;
            },
            Objects::nonNull);
  }

  private String other(String than) {
    return running.keySet().stream().filter(node -> !node.equals(than)).findFirst().orElseThrow();
  }

  @Test
  void sharesTopics() throws IOException {
    List<String> entries = new ArrayList<>();
    NAMES.forEach(name -> entries.add(name + " 127.0.0.1:" + BrokerProcess.freePort()));
    nodes = String.join(",", entries);
    for (String name : NAMES) {
      start(name);
    }
    String leader = awaitLeader();
    String other = other(leader);
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      // Whoever leads makes the topic, and has it.
      http(i % 2 == 0 ? other : leader).post("/pub?topic=t", "m" + i).expect(200, "OK");
      expected.add("m" + i);
    }
    http(other).post("/mpub?topic=t", "x\ny").expect(200, "OK");
    expected.addAll(List.of("x", "y"));
    assertTrue(http(other).get("/cluster?topic=t").json().at("/topic/exists").asBoolean());
    try (RawNsqConnection client = connect(awaitLeader())) {
      client.line("SUB t c").expectOk().line("RDY 100");
      assertEquals(expected, client.finish(expected.size()));
      client.flushed();
    }

    // In order: another one leads, and goes on where this one was.
    leader = awaitLeader();
    running.remove(leader).close();
    String next = awaitLeader();
    http(other(next)).post("/pub?topic=t", "last").expect(200, "OK");
    try (RawNsqConnection client = connect(awaitLeader())) {
      client.line("SUB t c").expectOk().line("RDY 1");
      assertEquals("last", client.message().text());
    }
  }
}
