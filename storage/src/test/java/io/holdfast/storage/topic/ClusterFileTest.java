package io.holdfast.storage.topic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.inspect.DataDirView;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests of {@link ClusterFile}. */
final class ClusterFileTest {
  private static final ClusterFile FILE =
      new ClusterFile("1a2b-3c", false, 900, "a", 1, 2, 3, List.of());

  @TempDir Path root;

  private String failure() {
    String message =
        assertThrows(IOException.class, () -> ClusterFile.read(Disk.LOCAL, root)).getMessage();
    assertEquals(1, message.lines().count(), message);
    return message;
  }

  @Test
  void saysWhatWasWritten() throws Exception {
    assertNull(ClusterFile.read(Disk.LOCAL, root));
    FILE.write(Disk.LOCAL, root);
    assertEquals(FILE, ClusterFile.read(Disk.LOCAL, root));
    ClusterFile formed = FILE.withFormed(List.of(2, 0, 1));
    formed.write(Disk.LOCAL, root);
    assertEquals(
        new ClusterFile("1a2b-3c", true, 900, "a", 1, 2, 3, List.of(0, 1, 2)),
        ClusterFile.read(Disk.LOCAL, root));
  }

  @Test
  void saysWhatIsKnownOfReplacedNodesAndWhatIsToJump() throws Exception {
    ClusterFile forced =
        FILE.withKnown(
                Map.of("b", new ClusterFile.Known(2, "h:1"), "c", new ClusterFile.Known(1, null)))
            .withGeneration(3, List.of(2, 0));
    forced.write(Disk.LOCAL, root);
    assertEquals(forced, ClusterFile.read(Disk.LOCAL, root));
    assertEquals(List.of(0, 2), forced.skipping());
    assertEquals(3, forced.withFormed(List.of(0)).generation());
    assertEquals(forced.known(), forced.withFormed(List.of(0)).known());
  }

  @Test
  void damageIsAnErrorWhereverItIs() throws Exception {
    FILE.write(Disk.LOCAL, root);
    Path path = root.resolve("cluster.json");
    byte[] whole = Files.readAllBytes(path);
    for (int i = 0; i < whole.length; i++) {
      byte[] flipped = whole.clone();
      flipped[i] ^= 0x10;
      Files.write(path, flipped);
      ClusterFile read;
      try {
        read = ClusterFile.read(Disk.LOCAL, root);
      } catch (IOException e) {
        assertTrue(e.getMessage().startsWith(path.toString()), e.getMessage());
        assertEquals(1, e.getMessage().lines().count());
        continue;
      }
      // White space alone.
      assertEquals(FILE, read, "byte " + i);
    }
    for (String content : List.of("", "{}", "[1]", "null", "{\"uuid\":\"x\"}")) {
      Files.writeString(path, content);
      assertTrue(failure().contains("damaged"), content);
    }
    Files.writeString(path, new String(whole, StandardCharsets.UTF_8).replace("900", "901"));
    assertTrue(failure().startsWith(path + " is damaged: checksum is "));
  }

  @Test
  void aDirectoryInItsPlaceAndALinkToNowhereAreNoFile() throws Exception {
    Path path = root.resolve("cluster.json");
    Files.createDirectory(path);
    assertEquals(path + " is no file", failure());
    Files.delete(path);
    Files.createSymbolicLink(path, root.resolve("nowhere"));
    assertEquals(path + " is no file", failure());
  }

  @Test
  void groupsWithoutTheFileAreNotTakenForNothing() throws Exception {
    Path group = Files.createDirectories(root.resolve("groups/1"));
    assertNull(ClusterFile.read(Disk.LOCAL, root));
    Files.writeString(group.resolve("vote"), "x");
    assertEquals(
        "data path " + root + " has " + group + " of a cluster, but no cluster.json", failure());
  }

  @Test
  void aMembersDirectoryIsNotOpenedAsALocalOne() throws Exception {
    Files.createDirectory(root.resolve("topics"));
    FILE.write(Disk.LOCAL, root);
    String belongs = "data path " + root + " belongs to node a of cluster 1a2b-3c: ";
    assertEquals(
        belongs + "its topics are no local ones, start it with cluster_nodes",
        assertThrows(IOException.class, () -> DataDir.open(root)).getMessage());
    assertEquals(FILE, DataDirView.open(root).member().file());
    assertTrue(Files.notExists(root.resolve("holdfast.lock")));
  }
}
