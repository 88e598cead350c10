package io.holdfast.broker.system.support;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/** Three brokers that share their topics, each in a process of its own, on loopback. */
public final class ClusterProcesses implements AutoCloseable {
  /** How long anything may take on a busy machine. */
  public static final Duration LONG = Duration.ofMinutes(2);

  /** Three JVMs share the machine with the test. */
  private static final String[] SMALL = {"-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"};

  private final Map<String, BrokerProcess> nodes = new LinkedHashMap<>();
  private final Set<String> stopped = new HashSet<>();
  private final String addresses;

  private ClusterProcesses(Function<String, List<String>> flags) {
    List<String> names = List.of("a", "b", "c");
    addresses =
        names.stream()
            .map(name -> name + " 127.0.0.1:" + BrokerProcess.freePort())
            .collect(Collectors.joining(","));
    for (String name : names) {
      List<String> all =
          new ArrayList<>(
              List.of(
                  "--cluster-nodes=" + addresses,
                  "--cluster-node=" + name,
                  "--cluster-id=900",
                  "--cluster-init",
                  "--broadcast-address=127.0.0.1"));
      all.addAll(flags.apply(name));
      nodes.put(name, BrokerProcess.of(all.toArray(String[]::new)).withJvm(SMALL));
    }
  }

  /** Three that are started; nobody leads anything perhaps. */
  public static ClusterProcesses started(String... flags) {
    return startedEach(node -> List.of(flags));
  }

  /**
   * Three that are not started yet.
   *
   * @param flags of each node, by its name
   */
  public static ClusterProcesses of(Function<String, List<String>> flags) {
    return new ClusterProcesses(flags);
  }

  /**
   * As {@link #started}.
   *
   * @param flags of each node, by its name
   */
  public static ClusterProcesses startedEach(Function<String, List<String>> flags) {
    ClusterProcesses cluster = of(flags);
    try {
      cluster.nodes.values().forEach(BrokerProcess::start);
      return cluster;
    } catch (RuntimeException | Error e) {
      cluster.close();
      throw e;
    }
  }

  /** One of them. */
  public BrokerProcess node(String name) {
    return nodes.get(name);
  }

  /** All names. */
  public List<String> names() {
    return List.copyOf(nodes.keySet());
  }

  /** All names but one. */
  public List<String> others(String than) {
    return names().stream().filter(node -> !node.equals(than)).toList();
  }

  /** What their {@code --cluster-nodes} says. */
  public String addresses() {
    return addresses;
  }

  /** SIGSTOP: it keeps its connections and says nothing, until {@link #resume}. */
  public void stop(String name) {
    stopped.add(name);
    node(name).signal("STOP");
  }

  /** SIGCONT to all that were stopped. */
  public void resume() {
    stopped.forEach(name -> node(name).signal("CONT"));
    stopped.clear();
  }

  /** What {@code /cluster} of a node says. */
  public JsonNode view(String node, String topic) {
    return node(node).http().get("/cluster?topic=" + topic).json();
  }

  /**
   * Who serves a topic's group, once all that run and are not stopped agree; fails after a while.
   */
  public String awaitLeader(String topic) {
    return Awaitility.await("a leader of topic " + topic)
        .atMost(LONG)
        .pollInterval(Duration.ofMillis(50))
        .until(() -> leader(topic), Objects::nonNull);
  }

  /** A topic's group, as {@code /cluster} of a node has it. */
  public JsonNode group(String node, String topic) {
    JsonNode view = view(node, topic);
    return view.path("groups").path(view.path("topic").path("group").asInt());
  }

  private String leader(String topic) {
    String leader = null;
    for (String node : names()) {
      if (!isUp(node)) {
        continue;
      }
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
    return leader != null && isUp(leader) ? leader : null;
  }

  private boolean isUp(String name) {
    return node(name).isAlive() && !stopped.contains(name);
  }

  /** Waits until all nodes have applied the same in all groups. */
  public void awaitLevel() {
    Awaitility.await("all nodes level")
        .atMost(LONG)
        .pollInterval(Duration.ofMillis(100))
        .until(() -> names().stream().map(this::applied).distinct().count() == 1);
  }

  private List<Long> applied(String node) {
    List<Long> applied = new ArrayList<>();
    view(node, "t").path("groups").forEach(group -> applied.add(group.path("applied").asLong()));
    return applied;
  }

  /** What their running or last processes logged. */
  public String log() {
    StringBuilder all = new StringBuilder();
    nodes.forEach((name, node) -> all.append("--- ").append(name).append('\n').append(node.log()));
    return all.toString();
  }

  @Override
  public void close() {
    nodes.values().forEach(BrokerProcess::close);
  }
}
