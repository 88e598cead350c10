package io.holdfast.broker.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.cluster.NodeOrders.GroupSaid;
import io.holdfast.broker.cluster.NodeOrders.Said;
import io.holdfast.broker.cluster.engine.GroupPeer;
import io.holdfast.broker.net.HostPort;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Which incarnation a node is to have that is replaced, and when it has it. */
final class ReplacementTest {
  private static final HostPort HERE = new HostPort("h", 2);
  private static final HostPort THERE = new HostPort("h", 9);

  private final Map<String, Said> said = new TreeMap<>();

  private static GroupPeer b(int incarnation) {
    return new GroupPeer("b", "h", 2, incarnation);
  }

  private static GroupSaid led(int group, List<GroupPeer> learners, GroupPeer... voters) {
    List<GroupPeer> all = new ArrayList<>(List.of(voters));
    all.add(new GroupPeer("a", "h", 1, 0));
    return new GroupSaid(group, null, true, false, all, learners, Map.of("b", 0L));
  }

  private void led(GroupSaid... groups) {
    said.put("a", new Said("member", 0, "u", 0, Map.of(), List.of(groups)));
  }

  /** What b says: nothing but its state, or errors of groups. */
  private void own(String state, int incarnation, String... errors) {
    List<GroupSaid> groups = new ArrayList<>();
    for (int i = 0; i < errors.length; i++) {
      groups.add(new GroupSaid(i, errors[i], false, false, List.of(), List.of(), Map.of()));
    }
    String uuid = state.equals("waiting") ? null : "u";
    said.put("b", new Said(state, incarnation, uuid, 0, Map.of(), groups));
  }

  private int target(HostPort at, Integer begun) {
    return new Replacement("b", said, 0).target(at, begun);
  }

  @Test
  void oneThatIsWellStaysWhatItIs() {
    led(led(0, List.of(), b(2)), led(1, List.of(), b(2)));
    own("member", 2, null, null);
    assertEquals(2, target(HERE, null));
    Replacement now = new Replacement("b", said, 0);
    assertTrue(now.isDone(2, b(2)));
    assertFalse(now.isDone(3, b(2)), "a group without leader");
    assertFalse(now.mustBeTold(b(2)));
  }

  @Test
  void oneThatLostWhatItVotedForIsAnother() {
    led(led(0, List.of(), b(0)), led(1, List.of(), b(0)));
    own("waiting", 0);
    assertEquals(1, target(HERE, null));
    own("member", 0, null, "log damaged");
    assertEquals(1, target(HERE, null));
    said.remove("b");
    assertEquals(1, target(HERE, null));
    // Elsewhere it is another one in any case.
    own("member", 0, null, null);
    assertEquals(1, target(THERE, null));
  }

  @Test
  void whatWasBegunGoesOn() {
    led(led(0, List.of(b(1))), led(1, List.of(), b(0)));
    own("member", 0, null, "log damaged");
    assertEquals(1, target(HERE, 1));
    assertTrue(new Replacement("b", said, 0).mustBeTold(b(1)));
    own("waiting", 0);
    assertEquals(1, target(HERE, null));
    said.remove("b");
    assertEquals(1, target(HERE, 1));
    // Restarted just when it was done.
    led(led(0, List.of(), b(1)), led(1, List.of(), b(1)));
    assertEquals(1, target(HERE, 1));
    assertEquals(2, target(HERE, null));
    own("member", 1, null, null);
    assertTrue(new Replacement("b", said, 0).isDone(2, b(1)));
  }

  @Test
  void oneThatNoGroupKnowsAnyMoreIsNew() {
    led(led(0, List.of()), led(1, List.of()));
    own("waiting", 0);
    assertEquals(1, target(HERE, null));
    assertEquals(4, new Replacement("b", said, 3).target(HERE, null));
    // A learner on its way to a vote is in no group for a moment.
    own("member", 4, null, null);
    assertEquals(4, new Replacement("b", said, 4).target(HERE, null));
  }
}
