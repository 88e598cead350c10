package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.ClusterProcesses;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.topic.ClusterFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What becomes of a node that does not belong to the two others, as its operator sees it. */
class ClusterLifeSystemTest {
  @Test
  void whoDoesNotBelongEndsAndSaysWhy() throws IOException {
    try (ClusterProcesses cluster = ClusterProcesses.started()) {
      cluster.awaitLeader("t");
      BrokerProcess c = cluster.node("c");
      keepsTheSignal(c);
      Awaitility.await("c is level")
          .atMost(ClusterProcesses.LONG)
          .until(() -> cluster.view("c", "t").path("state").asText().equals("member"));
      assertEquals(0, c.terminate());
      ClusterFile own = ClusterFile.read(Disk.LOCAL, c.dataPath());

      // A member's directory: --cluster-init changes nothing, another configuration is refused.
      ends(
          c,
          cluster.flags("c", "--cluster-groups=4"),
          "holdfast: cluster_groups is 4 and data path " + c.dataPath() + " was made with 3");
      ends(
          c,
          List.of(),
          "holdfast: data path "
              + c.dataPath()
              + " belongs to node c of cluster "
              + own.uuid()
              + ": its topics are no local ones, start it with cluster_nodes");

      // An empty one, and one of another cluster: the two that are there say no.
      emptied(c);
      ends(
          c,
          cluster.flags("c", "--cluster-init"),
          "holdfast: --cluster-init, but ",
          " belongs to cluster "
              + own.uuid()
              + ": start without it, then run \"holdfast-tools cluster replace c\"");
      ends(
          c,
          cluster.flags("c", "--cluster-init", "--cluster-groups=4"),
          "holdfast: cluster_groups is 4 here and 3 at ");
      other(own, "1a2b").write(Disk.LOCAL, c.dataPath());
      ends(
          c,
          cluster.flags("c"),
          "holdfast: c belongs to cluster 1a2b, ",
          " to cluster " + own.uuid());
    }
  }

  private static ClusterFile other(ClusterFile as, String uuid) {
    return new ClusterFile(uuid, true, as.clusterId(), "c", 0, 0, as.groups(), List.of());
  }

  private static void emptied(BrokerProcess node) throws IOException {
    DurableFiles.deleteTree(node.dataPath());
    Files.createDirectories(node.dataPath());
  }

  /** A signal of the JVM's own, with which it stops threads that it samples: nobody takes it. */
  private static void keepsTheSignal(BrokerProcess node) throws IOException {
    Process jcmd =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                Long.toString(node.pid()),
                "VM.info")
            .redirectErrorStream(true)
            .start();
    String info = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String handler =
        info.lines().filter(line -> line.contains("SIGUSR2:")).findFirst().orElse(info);
    assertTrue(handler.contains("SR_handler"), handler);
  }

  private static void ends(BrokerProcess node, List<String> flags, String... parts) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "--tcp-address=127.0.0.1:0",
                "--http-address=127.0.0.1:0",
                "--data-path=" + node.dataPath()));
    all.addAll(flags);
    assertEquals(1, node.launch(all).awaitExit(ClusterProcesses.LONG), node.output());
    String error = node.stderr();
    assertTrue(
        error
            .lines()
            .anyMatch(
                line -> {
                  int at = 0;
                  for (String part : parts) {
                    at = line.indexOf(part, at);
                    if (at < 0) {
                      return false;
                    }
                    at += part.length();
                  }
                  return true;
                }),
        String.join("..", parts) + "\n" + error);
  }
}
