package io.holdfast.broker.cluster.faults;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Who serves which group when, as the nodes' {@code /cluster} say. Thread-safe. */
final class Reigns implements AutoCloseable {
  private static final JsonMapper JSON = new JsonMapper();
  private static final int TIMEOUT_MS = 1500;
  private static final int LOOK_MS = 100;

  private final List<FaultNode> nodes;
  private final List<Thread> threads = new ArrayList<>();

  /** What each node said last. */
  private final Map<String, JsonNode> views = new ConcurrentHashMap<>();

  /** By group and term. */
  private final Map<String, Reign> reigns = new HashMap<>();

  /** When a node first said that it knows of a reign, by node, group and term. */
  private final Map<String, Long> known = new HashMap<>();

  private final List<String> violations = new ArrayList<>();
  private volatile boolean isOver;

  /** A node served a group in a term: seen from then to then at least. */
  static final class Reign {
    final int group;
    final long term;
    final String node;
    final long firstNs;
    volatile long lastNs;

    Reign(int group, long term, String node, long firstNs) {
      this.group = group;
      this.term = term;
      this.node = node;
      this.firstNs = firstNs;
    }

    @Override
    public String toString() {
      return "group " + group + " term " + term + " by " + node;
    }
  }

  Reigns(List<FaultNode> nodes) {
    this.nodes = nodes;
    for (FaultNode node : nodes) {
      Thread thread = new Thread(() -> watch(node), "watch-" + node.name());
      thread.setDaemon(true);
      thread.start();
      threads.add(thread);
    }
  }

  private void watch(FaultNode node) {
    while (!isOver) {
      try {
        long askedNs = System.nanoTime();
        JsonNode view = get(node, "/cluster");
        views.put(node.name(), view);
        note(node.name(), view, askedNs, System.nanoTime());
      } catch (IOException e) {
        views.remove(node.name());
      }
      try {
        Thread.sleep(LOOK_MS);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /** What a node answers to a GET. */
  static JsonNode get(FaultNode node, String target) throws IOException {
    return JSON.readTree(request(node, "GET", target, TIMEOUT_MS));
  }

  /** Asks and reads the answer; fails when that is no success. */
  static byte[] request(FaultNode node, String method, String target, int timeoutMs)
      throws IOException {
    HttpURLConnection asked =
        (HttpURLConnection)
            URI.create("http://" + node.host() + ":" + node.httpPort() + target)
                .toURL()
                .openConnection();
    asked.setConnectTimeout(timeoutMs);
    asked.setReadTimeout(timeoutMs);
    asked.setRequestMethod(method);
    try (InputStream answer = asked.getInputStream()) {
      return answer.readAllBytes();
    } finally {
      asked.disconnect();
    }
  }

  private synchronized void note(String node, JsonNode view, long askedNs, long nowNs) {
    for (JsonNode group : view.path("groups")) {
      int number = group.path("group").asInt();
      long term = group.path("term").asLong();
      if (!group.path("leader").isNull()) {
        known.putIfAbsent(node + "/" + number + "/" + term, nowNs);
      }
      if (!group.path("serving").asBoolean()) {
        continue;
      }
      Reign reign =
          reigns.computeIfAbsent(number + "/" + term, key -> new Reign(number, term, node, nowNs));
      if (!reign.node.equals(node)) {
        violations.add("two serve: " + reign + " and " + node);
      }
      reign.lastNs = Math.max(reign.lastNs, askedNs);
    }
  }

  /**
   * Whether a node knew of a reign. One that was deposed, and is too busy or too far away to hear
   * of it, goes on serving those who are connected to it.
   */
  synchronized boolean knew(String node, Reign reign, long atNs) {
    Long since = known.get(node + "/" + reign.group + "/" + reign.term);
    return since != null && since <= atNs;
  }

  /** Who serves a group, as far as is known; null for nobody. */
  synchronized FaultNode leader(int group) {
    Reign newest = null;
    for (Reign reign : reigns.values()) {
      if (reign.group == group && (newest == null || reign.term > newest.term)) {
        newest = reign;
      }
    }
    if (newest == null) {
      return null;
    }
    JsonNode said = views.get(newest.node);
    boolean serves = said != null && said.path("groups").path(group).path("serving").asBoolean();
    return serves ? node(newest.node) : null;
  }

  private FaultNode node(String name) {
    return nodes.stream().filter(n -> n.name().equals(name)).findFirst().orElseThrow();
  }

  /** Whether all groups are served, and all nodes have applied all there is. */
  boolean isLevel(int groups) {
    for (int group = 0; group < groups; group++) {
      if (leader(group) == null) {
        return false;
      }
      long applied = -1;
      for (FaultNode node : nodes) {
        JsonNode view = views.get(node.name());
        JsonNode its = view == null ? null : view.path("groups").path(group);
        if (its == null || !its.path("error").isNull()) {
          return false;
        }
        long here = its.path("applied").asLong();
        if (here != its.path("last").asLong() || (applied >= 0 && here != applied)) {
          return false;
        }
        applied = here;
      }
    }
    return true;
  }

  /** Whether all groups are served and all nodes answer and are in no error. */
  boolean isServed(int groups) {
    for (int group = 0; group < groups; group++) {
      if (leader(group) == null) {
        return false;
      }
    }
    return nodes.stream().allMatch(this::isWell);
  }

  private boolean isWell(FaultNode node) {
    JsonNode view = views.get(node.name());
    if (view == null) {
      return false;
    }
    for (JsonNode group : view.path("groups")) {
      if (!group.path("error").isNull() || group.path("leader").isNull()) {
        return false;
      }
    }
    return !view.path("groups").isEmpty();
  }

  /** What all nodes said last, in short. */
  String standing() {
    StringBuilder all = new StringBuilder();
    for (FaultNode node : nodes) {
      JsonNode view = views.get(node.name());
      all.append(' ').append(node.name()).append('=');
      if (view == null) {
        all.append("silent");
        continue;
      }
      for (JsonNode group : view.path("groups")) {
        all.append(
            "[%s t%d %d/%d%s]"
                .formatted(
                    group.path("role").asText(),
                    group.path("term").asLong(),
                    group.path("applied").asLong(),
                    group.path("last").asLong(),
                    group.path("error").isNull() ? "" : " " + group.path("error").asText()));
      }
    }
    return all.toString();
  }

  /** Checksums of the groups' states, where the nodes say them. */
  String checksums(FaultNode node) {
    JsonNode view = views.get(node.name());
    StringBuilder all = new StringBuilder();
    for (JsonNode group : view == null ? JSON.createArrayNode() : view.path("groups")) {
      all.append(group.path("applied").asLong())
          .append(':')
          .append(group.path("state_crc").asText("-"))
          .append(' ');
    }
    return all.toString().strip();
  }

  /** One that has led a group from one moment to another one; null for none. */
  synchronized Reign over(int group, long fromNs, long toNs) {
    for (Reign reign : reigns.values()) {
      if (reign.group == group && reign.firstNs <= fromNs && reign.lastNs >= toNs) {
        return reign;
      }
    }
    return null;
  }

  /** Those of a group that were seen between two moments. */
  synchronized List<Reign> between(int group, long fromNs, long toNs) {
    return reigns.values().stream()
        .filter(r -> r.group == group && r.firstNs <= toNs && r.lastNs >= fromNs)
        .sorted((a, b) -> Long.compare(a.term, b.term))
        .toList();
  }

  /** How many there were. */
  synchronized int count() {
    return reigns.size();
  }

  /** What must not be. */
  synchronized List<String> violations() {
    return List.copyOf(violations);
  }

  @Override
  public void close() {
    isOver = true;
    threads.forEach(Thread::interrupt);
  }
}
