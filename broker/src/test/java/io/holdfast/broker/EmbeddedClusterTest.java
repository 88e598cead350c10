package io.holdfast.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three brokers of a cluster in this JVM, with real connections and disks. */
class EmbeddedClusterTest {
  @TempDir Path dir;
  private EmbeddedCluster cluster;

  @AfterEach
  void close() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private Http http(String node) {
    return cluster.http(node);
  }

  private String other(String than) {
    return cluster.others(than).get(0);
  }

  @Test
  void sharesTopics() throws IOException {
    cluster = new EmbeddedCluster(dir);
    for (String name : EmbeddedCluster.NAMES) {
      cluster.start(name, true, Map.of());
    }
    String leader = cluster.awaitLeader("t");
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
    try (RawNsqConnection client = cluster.connect(cluster.awaitLeader("t"))) {
      client.line("SUB t c").expectOk().line("RDY 100");
      assertEquals(expected, client.finish(expected.size()));
      client.flushed();
    }

    // In order: another one leads, and goes on where this one was.
    leader = cluster.awaitLeader("t");
    cluster.stop(leader);
    String next = cluster.awaitLeader("t");
    http(other(next)).post("/pub?topic=t", "last").expect(200, "OK");
    try (RawNsqConnection client = cluster.connect(cluster.awaitLeader("t"))) {
      client.line("SUB t c").expectOk().line("RDY 1");
      assertEquals("last", client.message().text());
    }
  }
}
