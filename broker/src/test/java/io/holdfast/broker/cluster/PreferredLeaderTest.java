package io.holdfast.broker.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.broker.cluster.engine.GroupStatus;
import io.holdfast.broker.net.HostPort;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Which node is to lead, and when a group is handed to it. */
final class PreferredLeaderTest {
  private static final long SECOND_NS = TimeUnit.SECONDS.toNanos(1);

  private static ClusterConfig config(String node, String... order) {
    Map<String, HostPort> nodes = new LinkedHashMap<>();
    for (String name : order) {
      nodes.put(name, new HostPort("127.0.0.1", 1));
    }
    return new ClusterConfig(node, 900, 3, nodes, null);
  }

  private static String allOf(PreferredNodes preferred) {
    return preferred.of(0) + preferred.of(1) + preferred.of(2) + preferred.of(3);
  }

  @Test
  void theOrderIsThatOfTheOptions() {
    Map<String, List<String>> said = Map.of("a", List.of("c", "a", "b"));
    assertEquals("cabc", allOf(new PreferredNodes(config("b", "c", "a", "b"), said::get)));
  }

  @Test
  void allNodesGoByOneOrderWhereTheirOptionsDiffer() {
    List<String> ofA = List.of("b", "c", "a");
    List<String> ofB = List.of("a", "b", "c");
    Map<String, List<String>> said = new TreeMap<>();
    PreferredNodes atA = new PreferredNodes(config("a", "b", "c", "a"), said::get);
    PreferredNodes atB = new PreferredNodes(config("b", "a", "b", "c"), said::get);
    PreferredNodes atC = new PreferredNodes(config("c", "c", "b", "a"), said::get);
    assertEquals("cbac", allOf(atC), "nobody has said anything yet");
    said.put("b", ofB);
    assertEquals("abca", allOf(atB));
    assertEquals("abca", allOf(atC));
    said.put("a", ofA);
    assertEquals("bcab", allOf(atA));
    assertEquals("bcab", allOf(atB));
    assertEquals("bcab", allOf(atC));
    said.put("a", List.of("a", "b"));
    assertEquals("abca", allOf(atC), "not the same nodes");
  }

  @Test
  void aGroupIsHandedToWhoHasBeenLevelForAMinute() {
    AtomicLong clock = new AtomicLong(7);
    HandedGroup group = new HandedGroup();
    PreferredLeader leader = new PreferredLeader(group, () -> "b", node -> true, clock::get);
    group.status = status(0);
    for (int i = 0; i < 60; i++) {
      leader.visit();
      clock.addAndGet(SECOND_NS);
    }
    assertEquals(List.of(), group.handedTo);
    group.status = status(5000);
    leader.visit();
    group.status = status(0);
    for (int i = 0; i < 60; i++) {
      leader.visit();
      clock.addAndGet(SECOND_NS);
    }
    assertEquals(List.of(), group.handedTo, "it was behind in between");
    leader.visit();
    assertEquals(List.of("b"), group.handedTo);
    // It did not stay there: two minutes.
    for (int i = 0; i < 120; i++) {
      clock.addAndGet(SECOND_NS);
      leader.visit();
    }
    assertEquals(1, group.handedTo.size());
    clock.addAndGet(SECOND_NS);
    leader.visit();
    assertEquals(2, group.handedTo.size());
  }

  private static GroupStatus status(long lag) {
    return new GroupStatus(
        GroupStatus.Role.LEADER,
        1,
        "a",
        1,
        9000,
        9000,
        9000,
        0,
        0,
        null,
        List.of(new GroupStatus.Peer("b", 0, true, lag, 0)));
  }
}
