package io.holdfast.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.OpenApi;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.group.GroupImage;
import io.holdfast.storage.group.StateCodec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator has a cluster of three do: drain, replace, snapshots. */
class ClusterLifeTest {
  private static final int MESSAGES = 50;

  @TempDir Path dir;
  private EmbeddedNodes nodes;

  @AfterEach
  void close() {
    if (nodes != null) {
      nodes.close();
    }
  }

  /** Topic t with a channel c, and messages in it; their bodies. */
  private List<String> publish(String node, int from, int to) {
    List<String> bodies = new ArrayList<>();
    for (int i = from; i < to; i++) {
      nodes.publish(node, "m" + i);
      bodies.add("m" + i);
    }
    return bodies;
  }

  private void createChannel() {
    Awaitility.await("channel")
        .atMost(EmbeddedNodes.LONG)
        .until(
            () -> {
              String leader = nodes.awaitAllLed().get(nodes.groupOfT());
              nodes.http(leader).post("/topic/create?topic=t");
              return nodes.http(leader).post("/channel/create?topic=t&channel=c").status() == 200;
            });
  }

  @Test
  void aNodeWithADamagedGroupIsReplacedAsItRuns() throws IOException {
    nodes = EmbeddedNodes.started(dir);
    createChannel();
    List<String> bodies = publish("a", 0, MESSAGES);
    awaitLevel("b");
    int damaged = nodes.groupOfT();
    int wrong = (damaged + 2) % 3;
    nodes.awaitDone("b", "/cluster/snapshot?group=" + wrong);
    nodes.stop("b");
    // In the middle of what was written; the other groups are whole.
    flipAByte(nodes.dir("b").resolve("groups/" + damaged + "/log"));
    Files.delete(nodes.dir("b").resolve("groups/" + (damaged + 1) % 3 + "/vote"));
    differ("b", wrong);
    nodes.start("b", false);
    Awaitility.await("all groups in error")
        .atMost(EmbeddedNodes.LONG)
        .until(
            () ->
                errors("b") == 3 && nodes.http("b").get("/ping").body().startsWith("NOK - group "));
    assertTrue(nodes.group("b", damaged).path("error").asText().contains("log"));
    String differs = nodes.group("b", wrong).path("error").asText();
    assertTrue(
        differs.matches("the state here at \\d+ is [0-9a-f]{8}, that of a and c [0-9a-f]{8}"),
        differs);
    nodes.stop("b");
    nodes.start("b", false);
    assertEquals(differs, nodes.group("b", wrong).path("error").asText(), "also after a start");
    Awaitility.await("all groups in error")
        .atMost(EmbeddedNodes.LONG)
        .until(() -> errors("b") == 3);
    bodies.addAll(publish("a", MESSAGES, MESSAGES + 5));

    // Asked at the very node: the others do it.
    nodes.awaitDone("b", "/cluster/replace?node=b");
    assertEquals(1, nodes.view("b").path("incarnation").asInt());
    assertEquals(0, errors("b"));
    nodes.http("b").get("/ping").expect(200, "OK");
    Awaitility.await("what it had is gone")
        .atMost(EmbeddedNodes.LONG)
        .until(() -> !Files.exists(nodes.dir("b").resolve("replaced-0")));
    nodes.awaitDone("b", "/cluster/drain?node=a");
    nodes.awaitDone("b", "/cluster/drain?node=c");
    nodes.awaitLeadsAll("b");
    assertEquals(bodies, nodes.take("b", bodies.size()));
  }

  private int errors(String node) {
    int errors = 0;
    for (JsonNode group : nodes.view(node).path("groups")) {
      errors += group.path("error").isNull() ? 0 : 1;
    }
    return errors;
  }

  /** As if a node had made something else of its log than the others: a checksum that differs. */
  private void differ(String node, int group) throws IOException {
    List<Path> files;
    try (var all = Files.walk(nodes.dir(node).resolve("groups/" + group + "/snapshot"))) {
      files = all.filter(file -> file.endsWith(StateCodec.FILE)).toList();
    }
    assertEquals(1, files.size());
    GroupImage is = StateCodec.read(files.get(0));
    Files.delete(files.get(0));
    GroupImage other =
        new GroupImage(
            is.group(),
            is.index(),
            is.term(),
            is.crc() ^ 1,
            is.format(),
            is.nextNumber(),
            is.nextIdBase(),
            is.topics());
    StateCodec.write(other, Disk.LOCAL, files.get(0));
  }

  private static void flipAByte(Path logDir) throws IOException {
    List<Path> files;
    try (var all = Files.list(logDir)) {
      files = all.filter(file -> file.toString().endsWith(".cq4")).toList();
    }
    for (Path file : files) {
      byte[] bytes = Files.readAllBytes(file);
      // A body that was published.
      int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("m7");
      if (at > 0) {
        bytes[at] ^= 1;
        Files.write(file, bytes);
        return;
      }
    }
    throw new AssertionError("no log in " + files);
  }

  private String ready(String node) {
    return nodes.http(node).get("/health/ready").body();
  }

  /** Waits until a node has applied all that its leaders have. */
  private void awaitLevel(String node) {
    Awaitility.await(node + " level")
        .atMost(EmbeddedNodes.LONG)
        .until(
            () -> {
              for (int group = 0; group < 3; group++) {
                String leader = nodes.awaitAllLed().get(group);
                if (nodes.group(node, group).path("applied").asLong()
                    < nodes.group(leader, group).path("last").asLong()) {
                  return false;
                }
              }
              return true;
            });
  }

  @Test
  void drainKeepsAwayFromLeading() throws IOException {
    nodes = EmbeddedNodes.started(dir);
    for (String path : List.of("drain", "undrain", "replace")) {
      nodes.http("a").post("/cluster/" + path).expectError(400, "MISSING_ARG_NODE");
      nodes.http("a").post("/cluster/" + path + "?node=x").expectError(400, "no node x: a, b, c");
    }
    nodes
        .http("a")
        .post("/cluster/replace?node=b&address=here")
        .expectError(400, "INVALID_ARG_ADDRESS");
    nodes.http("a").post("/cluster/snapshot?group=3").expectError(400, "no group 3: 0 to 2");
    String uuid = nodes.view("a").path("uuid").asText();
    nodes.http("a").post("/cluster/force-alone").expectError(400, "MISSING_ARG_UUID");
    nodes
        .http("a")
        .post("/cluster/force-alone?uuid=x")
        .expectError(409, "the cluster's uuid is " + uuid + ", not x");
    assertEquals(409, nodes.http("a").post("/cluster/force-alone?uuid=" + uuid).status());

    nodes.awaitDone("a", "/cluster/drain?node=b");
    nodes.awaitDone("a", "/cluster/drain?node=c");
    nodes.awaitLeadsAll("a");
    assertTrue(nodes.view("b").path("draining").asBoolean());
    assertTrue(ready("b").contains("this node is draining"));
    Awaitility.await("others know")
        .atMost(EmbeddedNodes.LONG)
        .until(() -> nodes.view("a", "b").path("draining").asBoolean());
    nodes.awaitDone("c", "/cluster/undrain?node=b");
    assertFalse(nodes.view("b").path("draining").asBoolean());
    nodes.awaitDone("b", "/cluster/drain?node=a");
    nodes.awaitLeadsAll("b");

    // A follower that lacks what its leader has no log of gets the leader's snapshot.
    createChannel();
    List<String> bodies = publish("a", 0, 5);
    int group = nodes.groupOfT();
    nodes.kill("c");
    long had = nodes.group("b", group).path("last").asLong();
    bodies.addAll(publish("a", 5, MESSAGES));
    nodes.awaitDone("a", "/cluster/snapshot");
    nodes.awaitDone("b", "/cluster/snapshot?group=" + group);
    Awaitility.await("the log that c needs is gone")
        .atMost(EmbeddedNodes.LONG)
        .until(() -> nodes.group("b", group).path("first").asLong() > had + 1);
    nodes.start("c", false);
    awaitLevel("c");
    String metrics = nodes.http("c").get("/metrics").body();
    assertTrue(metrics.contains("holdfast_raft_installs_total{group=\"" + group + "\"} 1"));
    assertTrue(metrics.contains("holdfast_raft_elections_total{group=\"0\"} "));
    nodes.awaitDone("b", "/cluster/drain?node=b");
    nodes.awaitLeadsAll("c");
    for (String node : List.of("a", "b", "c")) {
      answersAsTheFileSays(nodes.http(node).get("/cluster?topic=t"));
    }
    assertEquals(bodies, nodes.take("c", MESSAGES));
  }

  private static void answersAsTheFileSays(Http.Response response) throws IOException {
    for (OpenApi.Operation operation : OpenApi.read().operations()) {
      if (operation.toString().equals("GET /cluster")) {
        assertEquals(List.of(), operation.faults(response), response.body());
        return;
      }
    }
    throw new AssertionError("openapi.yaml has no GET /cluster");
  }
}
