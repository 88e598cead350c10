package io.holdfast.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.lookup.FakeLookupd;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is answered, and told to nsqlookupd, while there is no leader. */
class ClusterAbsenceTest {
  private static final String NO_LEADER = "no leader for topic t";

  /** Far less than anybody waits for a leader. */
  private static final long AT_ONCE_MS = 4000;

  @TempDir Path dir;
  private EmbeddedCluster cluster;
  private final Map<String, FakeLookupd> lookupds = new TreeMap<>();

  @AfterEach
  void close() throws IOException {
    if (cluster != null) {
      cluster.close();
    }
    for (FakeLookupd lookupd : lookupds.values()) {
      lookupd.close();
    }
  }

  private void start(String node) throws IOException {
    cluster.start(node, true, Map.of("nsqlookupd_tcp_addresses", lookupds.get(node).address()));
  }

  private static void await(String what, Callable<Boolean> condition) {
    Awaitility.await(what).atMost(EmbeddedCluster.LONG).until(condition);
  }

  private List<String> told(String node) {
    return lookupds.get(node).received.stream().filter(line -> line.contains("REGISTER")).toList();
  }

  @Test
  void clientsAreToldAndSentElsewhere() throws IOException {
    cluster = new EmbeddedCluster(dir);
    for (String node : EmbeddedCluster.NAMES) {
      lookupds.put(node, new FakeLookupd());
    }
    start("a");
    waitsForALeader("a");
    start("b");
    start("c");
    String leader = cluster.awaitLeader("t");
    cluster.http("a").post("/topic/create?topic=t").expect(200, "");
    cluster.http("a").post("/channel/create?topic=t&channel=c").expect(200, "");
    for (String node : EmbeddedCluster.NAMES) {
      // A channel's line says that there is the topic, too; who saw both at once tells no more.
      await("registration of " + node, () -> told(node).contains("REGISTER t c"));
    }

    // Another one leads: where it was registered it still is.
    cluster.stop(leader);
    String last = cluster.awaitLeader("t");
    String other = cluster.others(last).get(0);
    cluster.http(other).post("/topic/pause?topic=t").expect(200, "");
    assertFalse(told(last).contains("UNREGISTER t"), told(last)::toString);
    assertFalse(told(other).contains("UNREGISTER t"), told(other)::toString);

    // Nobody can: a while later it is registered no more, and known all the same.
    cluster.kill(other);
    await("no leader", () -> cluster.group(last, "t").path("leader").isNull());
    waitsForALeader(last);
    await("end of the registration", () -> told(last).contains("UNREGISTER t"));
    assertTrue(cluster.http(last).topic("t").path("leader").isNull());
    await(
        "the leader again",
        () -> {
          if (!cluster.running().contains(other)) {
            start(other);
          }
          return cluster.leader("t") != null;
        });
    await(
        "registration again",
        () -> told(last).lastIndexOf("REGISTER t c") > told(last).lastIndexOf("UNREGISTER t"));

    startsEmpty(leader);
  }

  private void waitsForALeader(String node) {
    Http http = cluster.http(node);
    // Side by side: each waits for some seconds.
    List<UnaryOperator<String>> asked =
        List.of(
            topic -> http.post("/topic/create" + topic).body(),
            topic -> http.post("/topic/delete" + topic).body(),
            topic -> http.post("/channel/empty" + topic + "&channel=c").body(),
            topic -> http.get("/topic/peek" + topic).body());
    asked.parallelStream()
        .forEach(ask -> assertEquals("{\"message\":\"" + NO_LEADER + "\"}", ask.apply("?topic=t")));
    http.post("/topic/create?topic=!").expectError(400, "INVALID_TOPIC");
    assertEquals(200, http.get("/stats?format=json").status());
  }

  /** A node whose disk was replaced. */
  private void startsEmpty(String node) throws IOException {
    EmbeddedCluster elsewhere = cluster.elsewhere(dir.resolve("new"));
    elsewhere.start(node, false, Map.of());
    try (elsewhere) {
      Http http = elsewhere.http(node);
      long startNs = System.nanoTime();
      String noMember = "this node is not a member of the cluster";
      http.post("/topic/create?topic=t").expectError(503, noMember);
      http.post("/channel/delete?topic=t&channel=c").expectError(503, noMember);
      http.get("/topic/peek?topic=t").expectError(503, noMember);
      assertTrue(RawNsqConnection.millisSince(startNs) < AT_ONCE_MS);
      assertEquals("[]", http.stats("").path("topics").toString());
    }
  }
}
