package io.holdfast.broker.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.holdfast.broker.cluster.ClusterDirectory.Standing;
import io.holdfast.broker.cluster.ClusterDirectory.State;
import io.holdfast.broker.net.HostPort;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.topic.ClusterFile;
import io.holdfast.storage.topic.DataDir;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests of {@link ClusterDirectory}. */
final class ClusterDirectoryTest {
  @TempDir Path root;

  private static ClusterConfig config(String node, int id, int groups) {
    Map<String, HostPort> nodes = new TreeMap<>();
    List.of("a", "b", "c").forEach(name -> nodes.put(name, new HostPort(name, 4160)));
    return new ClusterConfig(node, id, groups, nodes, null);
  }

  private Standing of(ClusterConfig config, boolean isInit) throws IOException {
    return ClusterDirectory.of(root, Disk.LOCAL, config, isInit);
  }

  private String failure(ClusterConfig config) {
    String message = assertThrows(IOException.class, () -> of(config, true)).getMessage();
    assertEquals(message, assertThrows(IOException.class, () -> of(config, false)).getMessage());
    assertEquals(1, message.lines().count(), message);
    return message;
  }

  @Test
  void anEmptyDirectoryFormsWaitsOrIsLocal() throws Exception {
    assertEquals(new Standing(State.LOCAL, null, Map.of()), of(null, false));
    assertEquals(new Standing(State.WAITING, null, Map.of()), of(config("a", 9, 3), false));
    assertEquals(new Standing(State.FORMING, null, Map.of()), of(config("a", 9, 3), true));
    // Also one that a broker has opened.
    DataDir.open(root).close();
    assertEquals(State.FORMING, of(config("a", 9, 3), true).state());
  }

  @Test
  void localTopicsAreNotTakenOver() throws Exception {
    try (DataDir dir = DataDir.open(root)) {
      for (String topic : List.of("t", "orders", "x#ephemeral")) {
        dir.createTopic(topic);
      }
    }
    String begin = "data path " + root + " has local topics, which a cluster does not take over: ";
    String end = "; start it without cluster_nodes, or the cluster in an empty directory";
    assertEquals(begin + "orders, t" + end, failure(config("a", 9, 3)));
    try (DataDir dir = DataDir.open(root)) {
      for (String topic : List.of("a", "b")) {
        dir.createTopic(topic);
      }
    }
    assertEquals(begin + "a, b, orders and 1 more" + end, failure(config("a", 9, 3)));
    assertEquals(State.LOCAL, of(null, false).state());
  }

  @Test
  void aMembersDirectoryIsOfThatNodeOfThatCluster() throws Exception {
    ClusterFile unformed = new ClusterFile("1a2b", false, 9, "a", 0, 0, 3, List.of());
    unformed.write(Disk.LOCAL, root);
    assertEquals(new Standing(State.FORMING, unformed, Map.of()), of(config("a", 9, 3), false));
    ClusterFile member = unformed.withFormed(List.of());
    member.write(Disk.LOCAL, root);
    assertEquals(new Standing(State.MEMBER, member, Map.of()), of(config("a", 9, 3), false));
    assertEquals(new Standing(State.MEMBER, member, Map.of()), of(config("a", 9, 3), true));

    String made = " and data path " + root + " was made with ";
    assertEquals("cluster_node is b" + made + "a of cluster 1a2b", failure(config("b", 9, 3)));
    assertEquals("cluster_id is 8" + made + "9", failure(config("a", 8, 3)));
    assertEquals("cluster_groups is 4" + made + "3", failure(config("a", 9, 4)));
    assertEquals(
        "data path "
            + root
            + " belongs to node a of cluster 1a2b: its topics are no local ones,"
            + " start it with cluster_nodes",
        failure(null));
    Files.writeString(root.resolve("cluster.json"), "{}");
    assertEquals(
        root.resolve("cluster.json") + " is damaged: checksum is missing",
        failure(config("a", 9, 3)).replaceAll(", not .*", ""));
  }

  @Test
  void aGroupWithAWrongStateIsNotTriedAgain() throws Exception {
    new ClusterFile("1a2b", true, 9, "a", 0, 0, 3, List.of(0)).write(Disk.LOCAL, root);
    Path whole = root.resolve("groups/0");
    Files.createDirectories(whole.resolve("log"));
    Files.writeString(whole.resolve("log/00000000.cq4"), "x");
    Files.writeString(whole.resolve("vote"), "x");
    assertEquals(Map.of(), of(config("a", 9, 3), false).lost());
    WrongState.note(Disk.LOCAL, root, 0, "the state here at 20 is 2, that of b and c 3");
    assertEquals(
        Map.of(0, "the state here at 20 is 2, that of b and c 3"),
        of(config("a", 9, 3), false).lost());
  }

  @Test
  void groupsWhoseLogOrVoteIsGoneAreLost() throws Exception {
    new ClusterFile("1a2b", true, 9, "a", 0, 0, 4, List.of(0, 1, 2)).write(Disk.LOCAL, root);
    Path whole = root.resolve("groups/0");
    Files.createDirectories(whole.resolve("log"));
    Files.writeString(whole.resolve("log/00000000.cq4"), "x");
    Files.writeString(whole.resolve("vote"), "x");
    Path noLog = root.resolve("groups/1");
    Files.createDirectories(noLog.resolve("log"));
    Files.writeString(noLog.resolve("vote"), "x");
    assertEquals(
        Map.of(
            1, "log is gone: " + noLog.resolve("log"),
            2, "vote is gone: " + root.resolve("groups/2/vote")),
        of(config("a", 9, 4), false).lost());
  }
}
