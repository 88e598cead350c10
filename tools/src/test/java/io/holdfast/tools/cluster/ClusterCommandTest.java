package io.holdfast.tools.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.tools.ToolRun;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What operators are told of a cluster, and what is asked of it for them. */
class ClusterCommandTest {
  private Map<String, FakeNode> nodes;

  @BeforeEach
  void start() throws IOException {
    nodes = FakeNode.three();
  }

  @AfterEach
  void stop() {
    nodes.values().forEach(FakeNode::close);
  }

  private FakeNode node(String name) {
    return nodes.get(name);
  }

  private ToolRun run(String... args) throws Exception {
    List<String> all = new ArrayList<>(List.of("cluster", "-b", node("a").address()));
    all.addAll(List.of(args));
    ToolRun run = ToolRun.start("", all.toArray(String[]::new));
    run.code();
    return run;
  }

  private static void assertFails(int code, String reason, ToolRun run) throws Exception {
    assertEquals(code, run.code(), run.err());
    assertTrue(run.err().contains(reason), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
  }

  @Test
  void aClusterThatIsWell() throws Exception {
    ToolRun run = run("status");
    assertEquals("", run.err());
    assertEquals(0, run.code());
    assertEquals(
        List.of(
            "cluster 1a2b, cluster_id 900, seen from a",
            "GROUP  LEADER  TERM  LAST  SNAPSHOT     LOG  TOPICS       a         b  c",
            "0           a     7    41         0  2.0 kB      12  leader  follower  follower"),
        run.out()
            .lines()
            .filter(line -> line.startsWith("cluster") || line.matches("(GROUP|0) .*"))
            .toList());
    assertTrue(
        run.out()
            .lines()
            .anyMatch(
                line ->
                    line.replaceAll(" +", " ")
                        .equals(
                            "b member 0 1.1.0 5.0 MB +3 ms "
                                + node("b").address()
                                + " 10.0.0.1:4160")),
        run.out());
  }

  @Test
  void whatIsWrongIsOneLineAndTheTableIsThereAllTheSame() throws Exception {
    node("c").close();
    node("b").applied = 28;
    ToolRun run = run("status");
    assertFails(1, "c: " + node("c").address() + ": no connection", run);
    assertTrue(run.err().contains("; group 0 of b is behind by 12"), run.err());
    assertTrue(run.out().contains("no answer"), run.out());
    node("b").error = "log damaged: f:7: checksum";
    assertTrue(run("status").err().contains("group 0 of b: log damaged: f:7: checksum"));
    node("a").role = "follower";
    for (FakeNode node : nodes.values()) {
      node.leader = null;
    }
    assertTrue(run("status").err().contains("; no leader for group 0; "));
    node("b").state = "waiting";
    assertTrue(run("status").err().contains("b is waiting; "));
  }

  @Test
  void aLearnerAndALeaderThatDoesNotServeAreNotWell() throws Exception {
    node("a").isVoterB = false;
    assertFails(1, "group 0 of b: no voter yet", run("status"));
    node("a").isVoterB = true;
    node("a").serving = false;
    assertFails(1, "group 0: a does not serve yet", run("status"));
  }

  @Test
  void nodesThatHoldDifferentThingsAreNotWell() throws Exception {
    node("c").crc = "44556677";
    assertFails(1, "group 0: a and c hold different things at 40", run("status"));
  }

  @Test
  void whatIsPublishedMeanwhileDoesNotCount() throws Exception {
    node("b").applied = 39;
    ToolRun run =
        ToolRun.start("", "cluster", "status", "--broker=" + node("c").address() + ",127.0.0.1:1");
    // Any time: the command looks again.
    node("b").applied = 40;
    assertEquals(0, run.code(), run.err());
  }

  @Test
  void jsonIsWhatTheNodesSay() throws Exception {
    node("c").close();
    ToolRun run = run("status", "--json");
    assertEquals(1, run.code());
    JsonNode all = new ObjectMapper().readTree(run.out());
    assertEquals(3, all.size());
    assertEquals("1a2b", all.get(0).path("uuid").asText());
    assertEquals("b", all.get(1).path("node").asText());
    assertEquals(7, all.get(1).path("groups").path(0).path("term").asInt());
    assertEquals("c", all.get(2).path("node").asText());
    assertTrue(all.get(2).path("error").asText().endsWith(": no connection"), run.out());
    assertEquals(2, all.get(2).size());
  }

  @Test
  void aNodeWhoseAddressNobodyKnows() throws Exception {
    node("a").knowsAddresses = false;
    assertFails(1, "b: its HTTP address is not known to a", run("status"));
    assertEquals(
        0, run("status", "-b", node("b").address()).code(), "one that was given knows them");
  }

  @Test
  void nobodyAnswersOrNoCluster() throws Exception {
    node("a").close();
    assertFails(1, node("a").address() + ": no connection", run("status"));
    assertFails(1, ": no connection", run("drain", "b"));
  }

  @Test
  void drainIsAskedForUntilItIsDone() throws Exception {
    node("a").answers.add(Map.entry(202, "{}"));
    node("a").answers.add(Map.entry(409, "{\"message\":\"no leader for group 0\"}"));
    ToolRun run = run("drain", "b");
    assertEquals(0, run.code(), run.err());
    assertEquals(
        List.of("/cluster/drain?node=b", "/cluster/drain?node=b", "/cluster/drain?node=b"),
        node("a").posts);
    assertTrue(run.err().startsWith("drain b: no leader for group 0 (b is member, "), run.err());
    assertEquals(0, run("undrain", "b").code());
    assertEquals("/cluster/undrain?node=b", node("a").posts.get(3));
  }

  @Test
  void whatIsRefusedIsOneLine() throws Exception {
    String reason = "group 1 has no leader: two of a, b, c must be up";
    node("a").answers.add(Map.entry(409, "{\"message\":\"" + reason + "\"}"));
    assertFails(1, "replace: replace b: " + reason, run("replace", "b"));
    assertEquals(List.of("/cluster/replace?node=b"), node("a").posts);
  }

  @Test
  void whatIsNotDoneInTimeSaysHowFarItIs() throws Exception {
    for (int i = 0; i < 100; i++) {
      node("a").answers.add(Map.entry(202, "{}"));
    }
    node("a").isVoterB = false;
    node("a").lagOfB = 9;
    ToolRun run = run("replace", "b", "--address", "10.0.0.9:4160", "--timeout", "1500ms");
    assertEquals(1, run.code());
    assertEquals("/cluster/replace?node=b&address=10.0.0.9%3A4160", node("a").posts.get(0));
    String where = "b is member, group 0: learner, 9 behind";
    assertEquals(
        List.of(
            "replace b: " + where,
            "holdfast-tools cluster replace: replace b: not done within 1500 ms: " + where),
        run.err().lines().toList());
  }

  @Test
  void anotherNodeIsAskedWhenTheFirstOneGoes() throws Exception {
    node("a").answers.add(Map.entry(202, "{}"));
    node("a").onPost(node("a")::die);
    ToolRun run = run("drain", "b");
    assertEquals(0, run.code(), run.err());
    assertTrue(node("c").posts.contains("/cluster/drain?node=b"), "asked c, not b itself");
  }

  @Test
  void wrongUsage() throws Exception {
    assertFails(2, "no node x: a, b, c", run("drain", "x"));
    assertFails(2, "no node x: a, b, c", run("replace", "x"));
    assertFails(2, "no group 3: 0 to 0", run("snapshot", "--group", "3"));
    assertFails(2, "has no valid port", run("replace", "b", "--address", "host"));
    assertFails(2, "not a duration", run("drain", "b", "--timeout", "soon"));
    assertFails(2, "missing COMMAND", run());
    assertFails(2, "NODE", run("replace"));
    assertEquals(List.of(), node("a").posts);
  }

  @Test
  void snapshotsAreTakenWhereThereIsSomebody() throws Exception {
    node("c").close();
    node("b").answers.add(Map.entry(202, "{}"));
    node("b").onPost(() -> node("b").snapshot = 40);
    ToolRun run = run("snapshot", "--group=0");
    assertEquals(0, run.code(), run.err());
    assertEquals(List.of("/cluster/snapshot?group=0"), node("a").posts);
    assertEquals(List.of("/cluster/snapshot?group=0"), node("b").posts);
    assertTrue(run.err().startsWith("snapshot: c is not asked: "), run.err());
    node("b").answers.add(Map.entry(409, "{\"message\":\"group 0 stopped: x\"}"));
    assertTrue(run("snapshot").err().contains("snapshot: b: group 0 stopped: x"));
  }

  @Test
  void aloneOnlyWithTheUuid() throws Exception {
    ToolRun run = run("force-alone");
    assertFails(1, "nothing was done: it needs --uuid 1a2b", run);
    assertTrue(run.out().contains("b was last heard of 35 s ago"), run.out());
    assertTrue(run.out().contains("group 0: entries to 41, 12 topics"), run.out());
    assertFails(1, "a belongs to cluster 1a2b, not to 9", run("force-alone", "--uuid", "9"));
    assertEquals(List.of(), node("a").posts);
    assertEquals(0, run("force-alone", "--uuid", "1a2b").code());
    assertEquals(List.of("/cluster/force-alone?uuid=1a2b"), node("a").posts);
  }
}
