package io.holdfast.broker;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.core.Broker;
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

/** Brokers of a cluster in this JVM, with real connections and disks. */
final class EmbeddedCluster implements AutoCloseable {
  static final List<String> NAMES = List.of("a", "b", "c");

  /** How long anything may take on a busy machine. */
  static final Duration LONG = Duration.ofMinutes(2);

  private static final Duration LOOK = Duration.ofMillis(20);

  private final Path dir;
  private final String nodes;
  private final Map<String, Holdfast> running = new TreeMap<>();

  EmbeddedCluster(Path dir) {
    this(dir, freeAddresses());
  }

  private EmbeddedCluster(Path dir, String nodes) {
    this.dir = dir;
    this.nodes = nodes;
  }

  private static String freeAddresses() {
    List<String> entries = new ArrayList<>();
    NAMES.forEach(name -> entries.add(name + " 127.0.0.1:" + BrokerProcess.freePort()));
    return String.join(",", entries);
  }

  /** Nodes of the same cluster on other disks. */
  EmbeddedCluster elsewhere(Path otherDir) {
    return new EmbeddedCluster(otherDir, nodes);
  }

  /**
   * Starts a node.
   *
   * @param isInit whether it may form a cluster
   * @param options further ones
   */
  void start(String node, boolean isInit, Map<String, String> options) throws IOException {
    Holdfast.Builder builder =
        Holdfast.builder()
            .dataPath(Files.createDirectories(dir.resolve(node)))
            .httpAddress("127.0.0.1:0")
            .option("broadcast_address", "127.0.0.1")
            .option("cluster_nodes", nodes)
            .option("cluster_node", node)
            .option("cluster_id", "900");
    if (isInit) {
      builder.option("cluster_init", "true");
    }
    options.forEach(builder::option);
    running.put(node, builder.build().start());
  }

  /** The names of those that run. */
  List<String> running() {
    return List.copyOf(running.keySet());
  }

  Http http(String node) {
    return new Http(running.get(node).httpAddress().getPort());
  }

  int httpPort(String node) {
    return running.get(node).httpAddress().getPort();
  }

  RawNsqConnection connect(String node) {
    return RawNsqConnection.open(running.get(node).tcpAddress().getPort()).sendMagic();
  }

  Broker broker(String node) {
    return running.get(node).running().broker();
  }

  /** The group of a topic, as a node sees it. */
  JsonNode group(String node, String topic) {
    JsonNode view = http(node).get("/cluster?topic=" + topic).json();
    return view.path("groups").path(view.path("topic").path("group").asInt());
  }

  /** Who serves a topic's group now; null when nobody does, or the nodes do not agree. */
  String leader(String topic) {
    String leader = null;
    for (String node : running.keySet()) {
      JsonNode group = group(node, topic);
      String named = group.path("leader").asText(null);
      boolean isServing = group.path("serving").asBoolean();
      if (named == null
          || (leader != null && !leader.equals(named))
          || isServing != named.equals(node)) {
        return null;
      }
      leader = named;
    }
    // One that was stopped may still be what others know.
    return leader != null && running.containsKey(leader) ? leader : null;
  }

  /** Who serves a topic's group, once all that run agree. */
  String awaitLeader(String topic) {
    return Awaitility.await("a leader of topic " + topic)
        .atMost(LONG)
        .pollInterval(LOOK)
        .until(() -> leader(topic), Objects::nonNull);
  }

  /** The newest term of a topic's group that a running node knows. */
  long term(String topic) {
    return running.keySet().stream()
        .mapToLong(node -> group(node, topic).path("term").asLong())
        .max()
        .orElse(0);
  }

  /** All that run but one. */
  List<String> others(String than) {
    return running.keySet().stream().filter(node -> !node.equals(than)).toList();
  }

  void stop(String node) {
    running.remove(node).close();
  }

  void kill(String node) {
    running.remove(node).kill();
  }

  @Override
  public void close() {
    running.values().forEach(Holdfast::kill);
  }
}
