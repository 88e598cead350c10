package io.holdfast.broker.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.Disk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a node had before it was replaced. */
final class ReplacedDataTest {
  @TempDir Path root;

  private void file(String path, String content) throws IOException {
    Files.createDirectories(root.resolve(path).getParent());
    Files.writeString(root.resolve(path), content);
  }

  @Test
  void isMovedAsideOnceHoweverOftenItIsCutShort() throws IOException {
    ReplacedData.moveAside(Disk.LOCAL, root, 1);
    assertFalse(ReplacedData.exists(root), "there was nothing");

    file("groups/0/vote", "old");
    file("topics/t~1/journal/1.cq4", "old");
    file("topics/u~2/journal/1.cq4", "old");
    file("topics/local/journal/1.cq4", "local");
    ReplacedData.moveAside(Disk.LOCAL, root, 1);
    assertFalse(Files.exists(root.resolve("groups")));
    assertEquals("local", Files.readString(root.resolve("topics/local/journal/1.cq4")));

    // What the next start makes is not taken for what there was.
    file("groups/0/vote", "new");
    file("topics/t~1/journal/1.cq4", "new");
    ReplacedData.moveAside(Disk.LOCAL, root, 1);
    assertEquals("old", Files.readString(root.resolve("replaced-0/groups/0/vote")));
    assertEquals("old", Files.readString(root.resolve("replaced-0/topics/t~1/journal/1.cq4")));
    assertEquals("old", Files.readString(root.resolve("replaced-0/topics/u~2/journal/1.cq4")));
    assertFalse(Files.exists(root.resolve("topics/t~1")));

    assertTrue(ReplacedData.exists(root));
    ReplacedData.remove(Disk.LOCAL, root);
    assertFalse(ReplacedData.exists(root));
    assertTrue(Files.exists(root.resolve("topics/local")));
  }
}
