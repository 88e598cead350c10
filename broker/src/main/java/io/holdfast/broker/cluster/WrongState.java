package io.holdfast.broker.cluster;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.topic.ClusterFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A note in a group's directory that this node has made something else of the group's log than the
 * others. All its files are whole, so without the note it would lead again after a start, until the
 * next comparison. It goes when the node is replaced, with the directory. Stateless.
 */
final class WrongState {
  private static final String FILE = "wrong-state";
  private static final int MAX_BYTES = 1024;

  private WrongState() {}

  private static Path file(Path root, int group) {
    return ClusterFile.groupDir(root, group).resolve(FILE);
  }

  /**
   * Notes it, on disk when this returns.
   *
   * @param reason a line
   * @throws IOException when the disk refuses
   */
  static void note(Disk disk, Path root, int group, String reason) throws IOException {
    DurableFiles.replace(disk, file(root, group), reason.getBytes(StandardCharsets.UTF_8));
  }

  /** What was noted of a group; null for nothing. */
  static String of(Path root, int group) throws IOException {
    Path file = file(root, group);
    if (!Files.exists(file)) {
      return null;
    }
    try (var in = Files.newInputStream(file)) {
      return new String(in.readNBytes(MAX_BYTES), StandardCharsets.UTF_8).strip();
    }
  }
}
