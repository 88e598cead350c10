package io.holdfast.broker.cluster;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.cluster.ClusterDirectory.State;
import io.holdfast.broker.cluster.ClusterNodes.Node;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.topic.ClusterFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Three empty directories become a cluster, whoever is killed when. */
@Timeout(180)
final class FormingTest {
  @TempDir Path root;
  private ClusterNodes nodes;

  @BeforeEach
  void begin() {
    nodes = new ClusterNodes(root);
  }

  @AfterEach
  void end() {
    nodes.close();
  }

  private static ClusterFile formed(Node node) throws Exception {
    return node.forming.formed().get(ClusterNodes.LONG.toSeconds(), TimeUnit.SECONDS);
  }

  private static String failure(Node node) {
    ExecutionException failed = assertThrows(ExecutionException.class, () -> formed(node));
    assertEquals(IOException.class, failed.getCause().getClass());
    return failed.getCause().getMessage();
  }

  private void assertFormed(Node... all) throws Exception {
    String uuid = formed(all[0]).uuid();
    for (Node node : all) {
      ClusterFile file = formed(node);
      assertEquals(uuid, file.uuid());
      assertTrue(file.formed());
      assertEquals(State.MEMBER, node.membership.state());
      assertEquals(file, nodes.file(file.node()));
      assertEquals(List.of(0, 1, 2), file.initialised());
      for (int group = 0; group < 3; group++) {
        Path vote = ClusterFile.groupDir(nodes.dir(file.node()), group).resolve("vote");
        assertEquals("group " + group, Files.readString(vote));
      }
    }
  }

  @Test
  void threeEmptyNodesBecomeACluster() throws Exception {
    Node a = nodes.start("a", true, Disk.LOCAL);
    Node b = nodes.start("b", true, Disk.LOCAL);
    await().atMost(ClusterNodes.LONG).until(() -> a.peers.isReachable("b"));
    await().atMost(ClusterNodes.LONG).until(() -> b.peers.isReachable("a"));
    // Two of three form nothing, however long.
    await().during(200, TimeUnit.MILLISECONDS).until(() -> nodes.file("a") == null);
    assertNull(nodes.file("b"));
    Node c = nodes.start("c", true, Disk.LOCAL);
    assertFormed(a, b, c);
  }

  @Test
  void aNodeWithoutClusterInitHoldsTheOthersUp() throws Exception {
    Node a = nodes.start("a", true, Disk.LOCAL);
    nodes.start("b", true, Disk.LOCAL);
    Node c = nodes.start("c", false, Disk.LOCAL);
    assertEquals(State.WAITING, c.membership.state());
    await().atMost(ClusterNodes.LONG).until(() -> a.peers.isReachable("c"));
    await().during(200, TimeUnit.MILLISECONDS).until(() -> nodes.file("a") == null);
    assertNull(nodes.file("b"));
    assertFalse(c.forming.formed().isDone());
    nodes.stop("c");
    assertNull(nodes.file("c"));
    assertFormed(nodes.start("c", true, Disk.LOCAL), a);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "c"})
  void aNodeThatLostItsDiskIsNotTakenInByClusterInit(String lost) throws Exception {
    assertFormed(
        nodes.start("a", true, Disk.LOCAL),
        nodes.start("b", true, Disk.LOCAL),
        nodes.start("c", true, Disk.LOCAL));
    String uuid = nodes.file("b").uuid();
    nodes.stop(lost);
    DurableFiles.deleteTree(nodes.dir(lost));
    String said = failure(nodes.start(lost, true, Disk.LOCAL));
    // Whichever of the two is asked first.
    assertEquals(
        "--cluster-init, but X belongs to cluster "
            + uuid
            + ": start without it, then run \"holdfast-tools cluster replace "
            + lost
            + "\"",
        said.replaceFirst("but [abc] belongs", "but X belongs"));
    assertNull(nodes.file(lost));
    nodes.stop(lost);
    Node waiting = nodes.start(lost, false, Disk.LOCAL);
    assertEquals(State.WAITING, waiting.membership.state());
    await().atMost(ClusterNodes.LONG).until(() -> waiting.peers.isReachable("b"));
    assertNull(nodes.file(lost));
  }

  @Test
  void aMemberComesBackAloneAndHelpsOneThatIsBehind() throws Exception {
    assertFormed(
        nodes.start("a", true, Disk.LOCAL),
        nodes.start("b", true, Disk.LOCAL),
        nodes.start("c", true, Disk.LOCAL));
    List.of("a", "b", "c").forEach(nodes::stop);
    // Alone, without --cluster-init: a member needs nobody to be one.
    assertTrue(formed(nodes.start("a", false, Disk.LOCAL)).formed());
    // As after a kill between the two writes.
    ClusterFile b = nodes.file("b");
    new ClusterFile(b.uuid(), false, 900, "b", 0, 0, 3, List.of())
        .write(Disk.LOCAL, nodes.dir("b"));
    Node behind = nodes.start("b", false, Disk.LOCAL);
    assertEquals(State.FORMING, behind.membership.state());
    assertTrue(formed(nodes.start("c", true, Disk.LOCAL)).formed());
    assertTrue(formed(behind).formed());
  }

  /** Dies at its n-th change, and does nothing afterwards. */
  private static final class DyingDisk extends Disk {
    private final int lastStep;
    private final AtomicInteger steps = new AtomicInteger();

    DyingDisk(int lastStep) {
      this.lastStep = lastStep;
    }

    private void step() throws IOException {
      if (steps.getAndIncrement() >= lastStep) {
        throw new IOException("killed");
      }
    }

    boolean isDead() {
      return steps.get() > lastStep;
    }

    @Override
    public void createFile(Path file) throws IOException {
      step();
      super.createFile(file);
    }

    @Override
    public void createDirectory(Path dir) throws IOException {
      step();
      super.createDirectory(dir);
    }

    @Override
    public void move(Path from, Path to) throws IOException {
      step();
      super.move(from, to);
    }

    @Override
    public void delete(Path path) throws IOException {
      step();
      super.delete(path);
    }

    @Override
    public void forceDirectory(Path dir) throws IOException {
      step();
      super.forceDirectory(dir);
    }
  }

  /**
   * A node dies before each of its changes on disk and comes back; the cluster is formed all the
   * same, and is one. The first by name makes the uuid; the two others do the same things.
   */
  @ParameterizedTest
  @ValueSource(strings = {"a", "c"})
  void aKillAtAnyStepIsGoneOnFrom(String dying) throws Exception {
    int step = 0;
    boolean hasDied = true;
    while (hasDied) {
      DyingDisk disk = new DyingDisk(step);
      for (String other : ClusterNodes.NAMES) {
        if (!other.equals(dying)) {
          startSmall(other, Disk.LOCAL);
        }
      }
      Node node = startSmall(dying, disk);
      awaitSoon(() -> node.forming.formed().isDone());
      hasDied = disk.isDead();
      if (hasDied) {
        assertEquals("killed", failure(node));
        nodes.stop(dying);
        assertTrue(formed(startSmall(dying, Disk.LOCAL)).formed(), "step " + step);
      }
      String uuid = null;
      for (String name : ClusterNodes.NAMES) {
        awaitSoon(() -> nodes.file(name) != null && nodes.file(name).formed());
        ClusterFile file = nodes.file(name);
        assertTrue(uuid == null || uuid.equals(file.uuid()), "step " + step);
        uuid = file.uuid();
      }
      for (String name : ClusterNodes.NAMES) {
        nodes.stop(name);
        DurableFiles.deleteTree(nodes.dir(name));
      }
      step++;
    }
    // File made, renamed and forced, twice; a group made in between.
    assertTrue(step > 10, "only so many steps");
  }

  private Node startSmall(String node, Disk disk) throws IOException {
    return nodes.start(ClusterNodes.config(node, ClusterNodes.NAMES, 900, 1), true, disk);
  }

  private static void awaitSoon(Callable<Boolean> condition) {
    await()
        .atMost(ClusterNodes.LONG)
        .pollDelay(Duration.ZERO)
        .pollInterval(5, TimeUnit.MILLISECONDS)
        .until(condition);
  }
}
