package io.holdfast.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;

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

/** Three brokers of a cluster in this JVM, with real connections and disks. */
final class EmbeddedNodes implements AutoCloseable {
  /** How long anything may take on a busy machine. */
  static final Duration LONG = Duration.ofMinutes(2);

  static final List<String> NAMES = List.of("a", "b", "c");
  private static final Duration SOON = Duration.ofMillis(50);

  private final Path dir;
  private final Map<String, String> addresses = new TreeMap<>();
  private final Map<String, Holdfast> running = new TreeMap<>();

  /** Of each node, beside what makes it a node. */
  private final Map<String, Map<String, String>> options = new TreeMap<>();

  EmbeddedNodes(Path dir) {
    this.dir = dir;
    NAMES.forEach(name -> addresses.put(name, freeAddress()));
  }

  static String freeAddress() {
    return "127.0.0.1:" + BrokerProcess.freePort();
  }

  /** Three that make a cluster. */
  static EmbeddedNodes started(Path dir) throws IOException {
    EmbeddedNodes nodes = new EmbeddedNodes(dir);
    for (String name : NAMES) {
      nodes.start(name, true);
    }
    nodes.awaitAllLed();
    return nodes;
  }

  /** Has a node get an option at its next start. */
  void option(String node, String key, String value) {
    options.computeIfAbsent(node, name -> new TreeMap<>()).put(key, value);
  }

  /** Where a node listens for the others, from its next start on. */
  void move(String node, String address) {
    addresses.put(node, address);
  }

  Path dir(String node) {
    return dir.resolve(node);
  }

  void start(String node, boolean isInit) throws IOException {
    List<String> entries = new ArrayList<>();
    addresses.forEach((name, address) -> entries.add(name + " " + address));
    Holdfast.Builder builder =
        Holdfast.builder()
            .dataPath(Files.createDirectories(dir(node)))
            .httpAddress("127.0.0.1:0")
            .option("cluster_nodes", String.join(",", entries))
            .option("cluster_node", node)
            .option("cluster_id", "900");
    if (isInit) {
      builder.option("cluster_init", "true");
    }
    options.getOrDefault(node, Map.of()).forEach(builder::option);
    running.put(node, builder.build().start());
  }

  Holdfast node(String node) {
    return running.get(node);
  }

  void kill(String node) {
    running.remove(node).kill();
  }

  void stop(String node) {
    running.remove(node).close();
  }

  Http http(String node) {
    return new Http(running.get(node).httpAddress().getPort());
  }

  RawNsqConnection connect(String node) {
    return RawNsqConnection.open(running.get(node).tcpAddress().getPort()).sendMagic();
  }

  JsonNode view(String node) {
    return http(node).get("/cluster?topic=t").json();
  }

  /** What a node says of another one, or of itself. */
  JsonNode view(String node, String of) {
    return view(node).path("nodes").path(NAMES.indexOf(of));
  }

  JsonNode group(String node, int group) {
    return view(node).path("groups").path(group);
  }

  /** The group of topic t. */
  int groupOfT() {
    return view(running.keySet().iterator().next()).at("/topic/group").asInt();
  }

  /** Waits until each group is served, and says by whom. */
  List<String> awaitAllLed() {
    return Awaitility.await("leaders")
        .atMost(LONG)
        .pollInterval(SOON)
        .until(this::leaders, Objects::nonNull);
  }

  private List<String> leaders() {
    String[] leaders = new String[3];
    for (String node : running.keySet()) {
      for (JsonNode group : view(node).path("groups")) {
        if (group.path("serving").asBoolean()) {
          leaders[group.path("group").asInt()] = node;
        }
      }
    }
    List<String> all = new ArrayList<>();
    for (String leader : leaders) {
      if (leader == null) {
        return null;
      }
      all.add(leader);
    }
    return all;
  }

  /** Waits until a node serves all groups. */
  void awaitLeadsAll(String node) {
    Awaitility.await(node + " leads all")
        .atMost(LONG)
        .pollInterval(SOON)
        .until(() -> List.of(node, node, node).equals(leaders()));
  }

  /** Repeats a command until it is answered 200, as the tool does. */
  void awaitDone(String node, String command) {
    List<String> answers = new ArrayList<>();
    try {
      Awaitility.await(command)
          .atMost(LONG)
          .pollInterval(Duration.ofMillis(200))
          .until(
              () -> {
                Http.Response answer = http(node).post(command);
                answers.add(answer.status() + " " + answer.body());
                return answer.status() == 200;
              });
    } catch (RuntimeException e) {
      throw new AssertionError(command + ": " + answers + " " + view(node), e);
    }
  }

  /** Publishes to t at a node until it is answered OK. */
  void publish(String node, String body) {
    Awaitility.await("publish of " + body)
        .atMost(LONG)
        .until(() -> http(node).post("/pub?topic=t", body).status() == 200);
  }

  /** Takes so many messages of t, channel c, from a node that leads it, and answers none. */
  List<String> take(String node, int count) {
    List<String> bodies = new ArrayList<>();
    try (RawNsqConnection client = connect(node)) {
      client.line("SUB t c").expectOk().line("RDY " + count);
      for (int i = 0; i < count; i++) {
        bodies.add(client.message().text());
      }
    }
    assertEquals(count, bodies.size());
    return bodies;
  }

  @Override
  public void close() {
    running.values().forEach(Holdfast::kill);
  }
}
