package io.holdfast.tools.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.tools.ToolProcess;
import io.holdfast.tools.cli.StopSignal;
import io.holdfast.tools.client.ConnectOptions;
import io.holdfast.tools.client.FrameType;
import io.holdfast.tools.client.HttpJson;
import io.holdfast.tools.client.NsqConnection;
import io.holdfast.tools.client.NsqErrorException;
import io.holdfast.tools.client.Wire;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What an operator does to a cluster of three brokers with {@code holdfast-tools cluster}, from a
 * restart of all to the loss of two: each test goes on with the cluster that the one before it
 * left.
 */
@Timeout(900)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ClusterCommandsSystemTest {
  private static final Duration LONG = Duration.ofMinutes(3);
  private static final Duration LOOK = Duration.ofMillis(100);
  private static final String LOAD = "load";
  private static final String HELD = "held";
  private static final int HELD_MESSAGES = 5;
  private static final int ATTEMPTS = 5;
  private static final int UNAVAILABLE = 503;

  @TempDir static Path dir;
  private static final HttpJson HTTP = new HttpJson(Duration.ofMinutes(1));
  private static final Map<String, DemoNode> NODES = new LinkedHashMap<>();
  private static final Set<String> PUBLISHED = new TreeSet<>();

  @BeforeAll
  static void start() throws IOException {
    assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "no /bin/sh here");
    Path launcher = dir.resolve("holdfast");
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String jar = Path.of("..", "broker", "target", "holdfast.jar").toAbsolutePath().toString();
    Files.writeString(
        launcher,
        String.join(
            "\n",
            "#!/bin/sh",
            "# Once there is the file, nodes are started without --cluster-init.",
            "n=$#",
            "while [ $n -gt 0 ]; do",
            "  argument=$1; shift; n=$((n - 1))",
            "  [ \"$argument\" = --cluster-init ] && [ -e " + noInit() + " ] && continue",
            "  set -- \"$@\" \"$argument\"",
            "done",
            "exec " + java + " -Xmx128m -XX:TieredStopAtLevel=1 -jar " + jar + " \"$@\"",
            ""));
    Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwx------"));
    for (DemoNode node : DemoNode.three(launcher, dir)) {
      NODES.put(node.name(), node);
      node.start();
    }
    awaitLevel("a");
    for (String topic : List.of(LOAD, HELD)) {
      awaitDone("a", "/topic/create?topic=" + topic);
      awaitDone("a", "/channel/create?topic=" + topic + "&channel=" + topic);
    }
  }

  @AfterAll
  static void close() {
    NODES.values().forEach(DemoNode::close);
  }

  private static Path noInit() {
    return dir.resolve("no-init");
  }

  private static DemoNode node(String name) {
    return NODES.get(name);
  }

  private static String others(String than) {
    return NODES.keySet().stream().filter(name -> !name.equals(than)).findFirst().orElseThrow();
  }

  // ---------------------------------------------------------------- steps

  private static void await(String what, Callable<Boolean> condition) {
    Awaitility.await(what).atMost(LONG).pollInterval(LOOK).until(condition);
  }

  private static HttpJson.Reply post(String node, String target, String body) throws IOException {
    return HTTP.exchange("POST", node(node).http(), target, body.getBytes(StandardCharsets.UTF_8));
  }

  private static void awaitDone(String node, String target) {
    await(target, () -> post(node, target, "").status() == 200);
  }

  private static JsonNode view(String node, String topic) throws IOException {
    return HTTP.get(node(node).http(), "/cluster?topic=" + topic).json();
  }

  /** The command as a process, with {@code --broker} of a node; its end. */
  private static void assertDone(String asked, String command) throws Exception {
    ToolProcess tool = run(asked, command);
    assertEquals(0, tool.code(), () -> command + ": " + tool.err());
  }

  private static ToolProcess run(String asked, String command) throws Exception {
    ToolProcess tool = ToolProcess.start(dir, "exec " + tool(asked, command));
    try (tool) {
      tool.code();
    }
    return tool;
  }

  private static String tool(String asked, String command) {
    return "$TOOLS cluster " + command + " --broker " + node(asked).http();
  }

  /** Repeats the command until it says that it is done, as an operator's script does. */
  private static void until(String asked, String command) {
    String script = "until " + tool(asked, command) + "; do sleep 0.2; done";
    try (ToolProcess tool = ToolProcess.start(dir, script)) {
      assertEquals(0, tool.code());
    } catch (Exception e) {
      throw new AssertionError(command, e);
    }
  }

  private static void awaitLevel(String asked) {
    until(asked, "status");
  }

  /** Groups whose leader is gone have none for a moment, and then are not changed. */
  private static void awaitLedBy(String asked, Set<String> nodes) {
    await(
        "leaders of all groups among " + nodes,
        () -> nodes.containsAll(view(asked, LOAD).path("groups").findValuesAsText("leader")));
  }

  /** Publishes until it is answered OK. */
  private static void publish(String node, String topic, String body) {
    await(body, () -> post(node, "/pub?topic=" + topic, body).status() == 200);
  }

  private static void awaitAll(String node, String topic, Set<String> bodies) {
    DemoConsumer consumer = new DemoConsumer(new StopSignal(), topic, bodies);
    await("all of " + topic, () -> consumer.hasAll(node(node).tcp()));
  }

  /** A process that is to end by itself, with this line as its last word. */
  private static void awaitRefused(String name, String line) throws IOException {
    DemoNode node = node(name);
    node.start();
    await(name + " ends", () -> !node.isAlive());
    String log = String.join("\n", node.lastLines());
    Pattern text = Pattern.compile("^holdfast: " + line + "$", Pattern.MULTILINE);
    assertTrue(text.matcher(log).find(), log);
  }

  private static void move(String from, String to) throws IOException {
    Files.move(dir.resolve(from), dir.resolve(to));
  }

  // ---------------------------------------------------------------- a restart of all

  @Test
  @Order(1)
  void aRollingRestartCostsNobodyAnything() throws Exception {
    Map<String, ClusterLoad> loads = new LinkedHashMap<>();
    NODES.forEach((name, node) -> loads.put(name, new ClusterLoad(name, node.http(), LOAD)));
    try {
      String first = servingNode(HELD);
      Set<String> held = hold(first);
      restart(first, loads);
      awaitAll(others(first), HELD, held);
      for (String name : NODES.keySet()) {
        if (!name.equals(first)) {
          restart(name, loads);
        }
      }
    } finally {
      loads.values().forEach(ClusterLoad::close);
    }
    loads.values().forEach(load -> assertFalse(load.published().isEmpty()));
    loads.values().forEach(load -> PUBLISHED.addAll(load.published()));
    awaitAll("a", LOAD, PUBLISHED);
  }

  private static String servingNode(String topic) {
    String[] serving = new String[1];
    await(
        "a leader of " + topic,
        () -> {
          for (String name : NODES.keySet()) {
            JsonNode view = view(name, topic);
            int group = view.at("/topic/group").asInt();
            if (view.path("groups").path(group).path("serving").asBoolean()) {
              serving[0] = name;
            }
          }
          return serving[0] != null;
        });
    return serving[0];
  }

  /** Bodies that a consumer had in flight at a node and did not finish. It stays connected. */
  private static Set<String> hold(String node) throws IOException {
    for (int i = 0; i < HELD_MESSAGES; i++) {
      publish(node, HELD, "held " + i);
    }
    Set<String> held = new TreeSet<>();
    ConnectOptions options = ConnectOptions.defaults("test", Wire.PLAIN).withHeartbeatMs(60_000);
    // Closed by the broker.
    NsqConnection connection = NsqConnection.open(node(node).tcp(), options);
    connection.subscribe(HELD, HELD);
    connection.ready(HELD_MESSAGES);
    connection.flush();
    while (held.size() < HELD_MESSAGES) {
      assertEquals(FrameType.MESSAGE, connection.readFrame());
      held.add(
          new String(
              connection.buffer(),
              connection.bodyOffset(),
              connection.bodyLength(),
              StandardCharsets.UTF_8));
    }
    return held;
  }

  /**
   * SIGTERM, and started again until all are level. Publishers at the others are not to see it; on
   * a busy machine no other one may lead for five seconds, so that is tried again.
   */
  private static void restart(String name, Map<String, ClusterLoad> loads) throws IOException {
    loads.get(name).pause();
    List<String> errors = new ArrayList<>();
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      loads.values().forEach(ClusterLoad::takeErrors);
      ProcessHandle.of(node(name).pid()).orElseThrow().destroy();
      await("end of " + name, () -> !node(name).isAlive());
      node(name).start();
      awaitLevel(others(name));
      errors.clear();
      loads.values().forEach(load -> errors.addAll(load.takeErrors()));
      if (errors.isEmpty()) {
        loads.get(name).resume();
        return;
      }
      errors.forEach(error -> assertTrue(error.contains("no leader for topic " + LOAD), error));
    }
    throw new AssertionError("each time: " + errors);
  }

  // ---------------------------------------------------------------- drain, replace

  @Test
  @Order(2)
  void aDrainedNodeLeadsNothing() throws Exception {
    assertDone("b", "drain a");
    assertTrue(view("a", LOAD).path("draining").asBoolean());
    await("a leads nothing", () -> roles("a").stream().noneMatch("leader"::equals));
    assertDone("c", "undrain a");
    assertFalse(view("a", LOAD).path("draining").asBoolean());
    ToolProcess wrong = run("a", "drain x");
    assertEquals(2, wrong.code());
    assertTrue(wrong.err().contains("no node x: a, b, c"), wrong.err());
  }

  private static List<String> roles(String node) throws IOException {
    List<String> roles = new ArrayList<>();
    view(node, LOAD).path("groups").forEach(group -> roles.add(group.path("role").asText()));
    return roles;
  }

  @Test
  @Order(3)
  void aNodeWithoutItsDiskIsTakenInAgain() throws Exception {
    String uuid = view("a", LOAD).path("uuid").asText();
    node("b").close();
    move("b", "b.old");
    Files.createDirectory(dir.resolve("b"));
    awaitRefused(
        "b",
        "--cluster-init, but [ac] belongs to cluster "
            + uuid
            + ": start without it, then run \"holdfast-tools cluster replace b\"");
    Files.createFile(noInit());
    node("b").start();
    await("b waits", () -> isWaiting("b"));
    refusesClients("b");
    assertEquals(1, run("a", "status").code());

    awaitLedBy("a", Set.of("a", "c"));
    assertDone("a", "replace b --timeout 3m");
    awaitLevel("a");
    assertEquals(1, view("b", LOAD).path("incarnation").asInt());
    // Done is done.
    assertDone("c", "replace b");
    assertEquals(1, view("b", LOAD).path("incarnation").asInt());

    // Its former self comes back.
    node("b").close();
    move("b", "b.new");
    move("b.old", "b");
    awaitRefused(
        "b",
        "this is b, incarnation 0, but [ac] knows b as incarnation 1: it was replaced; empty "
            + dir.resolve("b")
            + " and run \"holdfast-tools cluster replace b\"");
    move("b", "b.old");
    move("b.new", "b");
    node("b").start();
    awaitLevel("b");
  }

  private static boolean isWaiting(String node) {
    try {
      return view(node, LOAD).path("state").asText().equals("waiting");
    } catch (IOException e) {
      return false; // It does not listen yet.
    }
  }

  private static void refusesClients(String node) throws IOException {
    String reason = "this node is not a member of the cluster";
    await("an answer", () -> post(node, "/pub?topic=" + LOAD, "m").text().contains(reason));
    assertEquals(UNAVAILABLE, post(node, "/pub?topic=" + LOAD, "m").status());
    ConnectOptions options = ConnectOptions.defaults("test", Wire.PLAIN);
    try (NsqConnection connection = NsqConnection.open(node(node).tcp(), options)) {
      NsqErrorException refused =
          assertThrows(NsqErrorException.class, () -> connection.subscribe(LOAD, LOAD));
      assertTrue(refused.getMessage().contains("E_SUB_FAILED SUB failed " + reason));
    }
  }

  // ---------------------------------------------------------------- the loss of two

  @Test
  @Order(4)
  void aSurvivorGoesOnAlone() throws Exception {
    node("b").close();
    node("c").close();
    String uuid = view("a", LOAD).path("uuid").asText();
    ToolProcess explained = run("a", "force-alone");
    assertEquals(1, explained.code());
    assertTrue(explained.err().contains("nothing was done: it needs --uuid " + uuid));
    assertTrue(explained.out().contains("Can be lost: what b and c stored together"));
    until("a", "force-alone --uuid " + uuid);
    for (int i = 0; i < HELD_MESSAGES; i++) {
      publish("a", LOAD, "alone " + i);
      PUBLISHED.add("alone " + i);
    }
    await(
        "one copy only",
        () ->
            HTTP.exchange("GET", node("a").http(), "/health/ready", null)
                .text()
                .contains("one copy only: b, c gone"));

    awaitRefused(
        "c",
        "generation is 0 here and 1 at a: the cluster was forced to go on without the one that has"
            + " the lower");
    move("c", "c.old");
    Files.createDirectory(dir.resolve("c"));
    node("c").start();
    await("c waits", () -> isWaiting("c"));
    awaitLedBy("a", Set.of("a"));
    assertDone("a", "replace c --timeout 3m");
    // The channel's messages were finished before; what came since then is served at both.
    awaitAll("c", LOAD, Set.of("alone 0", "alone 1", "alone 2", "alone 3", "alone 4"));
  }
}
