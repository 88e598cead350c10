package io.holdfast.broker.cluster;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.cluster.ClusterDirectory.Standing;
import io.holdfast.broker.cluster.ClusterDirectory.State;
import io.holdfast.broker.cluster.ClusterNodes.Node;
import io.holdfast.broker.cluster.peers.Handshake;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.topic.ClusterFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who has to do with whom, and who goes. */
@Timeout(120)
final class MembershipTest {
  private static final List<String> ABC = ClusterNodes.NAMES;

  @TempDir Path root;
  private final AtomicLong nowNs = new AtomicLong();

  private Membership member(String node, List<String> names, int id, int groups, String uuid) {
    return member(node, names, id, groups, uuid, 0, 0);
  }

  private Membership member(
      String node,
      List<String> names,
      int id,
      int groups,
      String uuid,
      int incarnation,
      long generation) {
    ClusterFile file =
        uuid == null
            ? null
            : new ClusterFile(uuid, true, id, node, incarnation, generation, groups, List.of());
    return new Membership(
        ClusterNodes.config(node, names, id, groups),
        Path.of("/data/" + node),
        new Standing(file == null ? State.FORMING : State.MEMBER, file, Map.of()),
        nowNs::get);
  }

  private static void assertRefusals(Membership c, Membership a, String atC, String atA) {
    assertEquals(atC, c.refusal(a.handshake()));
    assertEquals(atA, a.refusal(c.handshake()));
  }

  @Test
  void nodesOfOneClusterAcceptEachOther() {
    assertRefusals(member("c", ABC, 9, 3, "u"), member("a", ABC, 9, 3, "u"), null, null);
    assertRefusals(member("c", ABC, 9, 3, null), member("a", ABC, 9, 3, "u"), null, null);
    assertRefusals(member("c", ABC, 9, 3, null), member("a", ABC, 9, 3, null), null, null);
  }

  @Test
  void whatDiffersIsSaidWithBothValues() {
    assertRefusals(
        member("c", ABC, 9, 3, "7f"),
        member("b", ABC, 9, 3, "1a"),
        "c belongs to cluster 7f, b to cluster 1a",
        "b belongs to cluster 1a, c to cluster 7f");
    assertRefusals(
        member("c", ABC, 9, 4, "u"),
        member("a", ABC, 9, 3, "u"),
        "cluster_groups is 4 here and 3 at a",
        "cluster_groups is 3 here and 4 at c");
    assertRefusals(
        member("c", ABC, 8, 3, null),
        member("a", ABC, 9, 3, null),
        "cluster_id is 8 here and 9 at a",
        "cluster_id is 9 here and 8 at c");
    assertRefusals(
        member("x", List.of("x", "a", "b"), 9, 3, null),
        member("a", ABC, 9, 3, null),
        "cluster_nodes is \"a, b, x\" here and \"a, b, c\" at a",
        "cluster_nodes is \"a, b, c\" here and \"a, b, x\" at x");
    assertRefusals(
        member("c", ABC, 9, 3, "u", 0, 0),
        member("a", ABC, 9, 3, "u", 0, 1),
        "generation is 0 here and 1 at a: the cluster was forced to go on without the one that has"
            + " the lower",
        "generation is 1 here and 0 at c: the cluster was forced to go on without the one that has"
            + " the lower");
  }

  @Test
  void anOldIncarnationIsSentAway() {
    Membership c = member("c", ABC, 9, 3, "u", 0, 0);
    Membership a = member("a", ABC, 9, 3, "u", 0, 0);
    a.incarnations(Map.of("a", 0, "c", 1));
    String end = "incarnation 0, but a knows c as incarnation 1: it was replaced; empty ";
    assertRefusals(
        c,
        a,
        "this is c, " + end + "/data/c and run \"holdfast-tools cluster replace c\"",
        "that is c, " + end + "its data path and run \"holdfast-tools cluster replace c\"");
    assertRefusals(member("c", ABC, 9, 3, "u", 1, 0), a, null, null);
  }

  @Test
  void theOneThatStartedLastGoesUnlessItHasJoined() {
    Membership first = member("c", ABC, 9, 3, null);
    nowNs.addAndGet(TimeUnit.SECONDS.toNanos(5));
    Membership last = member("a", ABC, 8, 3, null);
    first.refused(last.handshake(), "x");
    assertFalse(first.mustExit().isDone());
    last.refused(first.handshake(), "x");
    assertEquals("cluster_id is 8 here and 9 at c", last.mustExit().getNow(""));

    // Nobody goes for what another one only says.
    Membership good = member("b", ABC, 9, 3, null);
    good.refused(first.handshake(), "it says nonsense");
    assertFalse(good.mustExit().isDone());

    Membership joined = member("a", ABC, 8, 3, null);
    joined.joined();
    joined.refused(first.handshake(), "x");
    assertFalse(joined.mustExit().isDone());
    // The older one goes then: it has not joined, the other one has.
    first.refused(joined.handshake(), "x");
    assertEquals("cluster_id is 9 here and 8 at a", first.mustExit().getNow(""));
  }

  /** Whoever comes last: the one that is left behind goes, or stops when it has taken part. */
  @Test
  void theOneThatIsLeftBehindGoes() {
    Membership old = member("c", ABC, 9, 3, "u", 0, 0);
    nowNs.addAndGet(TimeUnit.SECONDS.toNanos(5));
    Membership survivor = member("a", ABC, 9, 3, "u", 0, 1);
    old.refused(survivor.handshake(), "x");
    survivor.refused(old.handshake(), "x");
    assertFalse(survivor.mustExit().isDone());
    assertFalse(survivor.superseded().isDone());
    String reason =
        "generation is 0 here and 1 at a: the cluster was forced to go on without the one that has"
            + " the lower";
    assertEquals(reason, old.mustExit().getNow(""));

    Membership joined = member("b", ABC, 9, 3, "u", 0, 0);
    joined.joined();
    survivor.refused(joined.handshake(), "x");
    joined.refused(survivor.handshake(), "x");
    assertFalse(survivor.mustExit().isDone());
    assertFalse(joined.mustExit().isDone());
    assertEquals(reason, joined.superseded().getNow(""));
    assertTrue(joined.isOutside());

    // The same for one that was replaced.
    Membership replaced = member("b", ABC, 9, 3, "u", 0, 1);
    replaced.joined();
    assertFalse(replaced.isOutside());
    survivor.incarnations(Map.of("b", 1));
    survivor.refused(replaced.handshake(), "x");
    replaced.refused(survivor.handshake(), "x");
    assertFalse(survivor.mustExit().isDone());
    assertTrue(replaced.superseded().getNow("").startsWith("this is b, incarnation 0, but a"));
    assertTrue(replaced.isOutside());
    assertFalse(survivor.isOutside());
  }

  @Test
  void versionsWithoutACommonFormatRefuseEachOther() {
    Membership c = member("c", ABC, 9, 3, "u");
    Handshake own = member("a", ABC, 9, 3, "u").handshake();
    assertNull(c.refusal(withFormats(own, 1, 2)));
    assertEquals(
        "the format of entries is 1 to 1 here and 2 to 3 at a", c.refusal(withFormats(own, 2, 3)));
  }

  private static Handshake withFormats(Handshake of, int min, int max) {
    return new Handshake(
        of.node(),
        of.incarnation(),
        of.uuid(),
        of.generation(),
        of.names(),
        of.clusterId(),
        of.clusterGroups(),
        min,
        max,
        of.state(),
        of.joined(),
        of.ageMs(),
        of.incarnations());
  }

  @Test
  void ofTwoThatMeetTheLastOneGoes() throws Exception {
    try (ClusterNodes nodes = new ClusterNodes(root)) {
      Node a = nodes.start("a", true, Disk.LOCAL);
      Node c = nodes.start(ClusterNodes.config("c", ABC, 900, 4), true, Disk.LOCAL);
      await().atMost(ClusterNodes.LONG).until(() -> c.membership.mustExit().isDone());
      assertEquals("cluster_groups is 4 here and 3 at a", c.membership.mustExit().join());
      assertFalse(a.membership.mustExit().isDone());
      assertFalse(a.peers.isReachable("c"));
      assertNull(nodes.file("a"));
      assertNull(nodes.file("c"));
    }
  }
}
