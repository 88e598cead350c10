package io.holdfast.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three brokers in one JVM: journal files that one message kept go on all their disks. */
class EmbeddedCarryTest {
  private static final int MANY = 30;
  private static final String OLDEST = "-000001.cq4";

  @TempDir Path dir;

  private EmbeddedCluster cluster;

  @AfterEach
  void stop() {
    cluster.close();
  }

  private boolean hasOldest(String node) throws IOException {
    try (Stream<Path> files = Files.walk(dir.resolve(node).resolve("topics"))) {
      return files.anyMatch(
          file -> file.toString().endsWith(OLDEST) && file.toString().contains("old~"));
    }
  }

  @Test
  void aDeferredMessageKeepsNoFilesOnAnyNode() throws Exception {
    cluster = new EmbeddedCluster(dir);
    for (String node : EmbeddedCluster.NAMES) {
      cluster.start(node, true, Map.of("max_bytes_per_file", "1048576"));
    }
    final String leader = cluster.awaitLeader("old");
    cluster.http(leader).post("/topic/create?topic=old").expect(200, "");
    cluster.http(leader).post("/channel/create?topic=old&channel=c").expect(200, "");
    try (RawNsqConnection client = cluster.connect(leader)) {
      client.line("SUB old c").expectOk();
      client.line("RDY 1");
      cluster.http(leader).post("/pub?topic=old", "deferred").expect(200, "OK");
      client.line("REQ " + client.message().id() + " 3000000");
      String body = "x".repeat(200_000);
      for (int i = 0; i < MANY; i++) {
        cluster.http(leader).post("/pub?topic=old", body).expect(200, "OK");
        Frame.Msg message = client.message();
        assertEquals(body, message.text());
        client.fin(message);
      }
      client.flushed();
    }
    for (String node : EmbeddedCluster.NAMES) {
      assertTrue(hasOldest(node), node);
    }
    Awaitility.await("the oldest files go")
        .atMost(EmbeddedCluster.LONG)
        .pollInterval(Duration.ofSeconds(1))
        .until(
            () -> {
              List<String> left = new ArrayList<>();
              for (String node : EmbeddedCluster.NAMES) {
                cluster.http(node).post("/cluster/snapshot");
                if (hasOldest(node)) {
                  left.add(node);
                }
              }
              return left.isEmpty();
            });
    // The next leader has its own copy.
    cluster.stop(leader);
    String next = cluster.awaitLeader("old");
    JsonNode messages =
        cluster
            .http(next)
            .get("/channel/peek?topic=old&channel=c&state=deferred")
            .json()
            .path("messages");
    assertEquals(1, messages.size(), messages::toString);
    assertEquals("deferred", messages.at("/0/body").asText());
    assertEquals(1, messages.at("/0/attempts").asInt());
  }
}
