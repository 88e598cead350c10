package io.holdfast.broker.cluster;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.topic.ClusterFile;
import io.holdfast.storage.topic.DirNames;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a node had before it was replaced: kept in {@code replaced-<incarnation>/} of its data
 * directory until the node has everything again from the others. Stateless.
 */
final class ReplacedData {
  private static final String PREFIX = "replaced-";
  private static final String TOPICS = "topics";

  private ReplacedData() {}

  /**
   * Moves groups and shared topics aside; to be repeated when it was cut short. A node that had
   * nothing has no directory then.
   *
   * @param incarnation that the node is to have; what is there is of the one before
   */
  static void moveAside(Disk disk, Path root, int incarnation) throws IOException {
    Path aside = root.resolve(PREFIX + (incarnation - 1));
    Path groups = root.resolve(ClusterFile.GROUPS);
    if (Files.exists(groups) && !Files.exists(aside.resolve(ClusterFile.GROUPS))) {
      DurableFiles.createDirectory(disk, aside);
      disk.move(groups, aside.resolve(ClusterFile.GROUPS));
      disk.forceDirectory(aside);
      disk.forceDirectory(root);
    }
    List<Path> topics = matching(root.resolve(TOPICS), "*" + DirNames.REPLICATED_MARK + "*");
    for (Path topic : topics) {
      Path to = aside.resolve(TOPICS).resolve(topic.getFileName());
      if (Files.exists(to)) {
        DurableFiles.deleteTree(disk, topic);
        continue;
      }
      DurableFiles.createDirectory(disk, aside);
      DurableFiles.createDirectory(disk, to.getParent());
      disk.move(topic, to);
    }
    if (!topics.isEmpty()) {
      disk.forceDirectory(aside.resolve(TOPICS));
      disk.forceDirectory(root.resolve(TOPICS));
    }
  }

  /** Whether anything is kept. */
  static boolean exists(Path root) throws IOException {
    return !matching(root, PREFIX + "*").isEmpty();
  }

  /** Removes all that is kept. */
  static void remove(Disk disk, Path root) throws IOException {
    for (Path aside : matching(root, PREFIX + "*")) {
      DurableFiles.deleteTree(disk, aside);
    }
  }

  private static List<Path> matching(Path dir, String glob) throws IOException {
    List<Path> found = new ArrayList<>();
    if (Files.isDirectory(dir)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(dir, glob)) {
        entries.forEach(found::add);
      }
    }
    return found;
  }
}
