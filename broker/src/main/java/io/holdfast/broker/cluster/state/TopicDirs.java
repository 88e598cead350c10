package io.holdfast.broker.cluster.state;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.topic.DirNames;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The directories of a group's topics: {@code topics/<name>~<number>/journal}, with the topic's
 * number, so that a topic that is made again never meets what the one before it left. Changes
 * nothing but these.
 */
final class TopicDirs {
  private static final char NUMBER_MARK = '~';
  private static final String JOURNAL = "journal";

  private final GroupPlace place;
  private final Disk disk;
  private final Path root;

  TopicDirs(GroupPlace place, Disk disk) {
    this.place = place;
    this.disk = disk;
    root = place.dataRoot().resolve("topics");
  }

  /** A directory that there is. */
  record Found(String topic, long number, Path path) {}

  Path root() {
    return root;
  }

  Path dir(String topic, long number) {
    return root.resolve(DirNames.escape(topic) + NUMBER_MARK + number);
  }

  /** Where the topic's journal is. */
  Path journal(String topic, long number) {
    return dir(topic, number).resolve(JOURNAL);
  }

  /** Makes the directory of a new topic, without forcing anything; what was there goes. */
  void createEmpty(String topic, long number) throws IOException {
    DurableFiles.deleteTree(disk, dir(topic, number));
    disk.createDirectory(journal(topic, number));
  }

  /** Makes the directory of a topic, unless it is there. */
  void create(String topic, long number) throws IOException {
    if (!Files.isDirectory(journal(topic, number))) {
      disk.createDirectory(journal(topic, number));
    }
  }

  /** Makes sure that a topic's directory is found after a power cut. */
  void force(String topic, long number) throws IOException {
    disk.forceDirectory(journal(topic, number));
    disk.forceDirectory(dir(topic, number));
  }

  /** The same of the directory of all topics. */
  void forceRoot() throws IOException {
    if (!Files.isDirectory(root)) {
      disk.createDirectory(root);
      disk.forceDirectory(place.dataRoot());
    }
    disk.forceDirectory(root);
  }

  /** The directories of this group's topics; others are left out. */
  List<Found> all() throws IOException {
    List<Found> found = new ArrayList<>();
    if (!Files.isDirectory(root)) {
      return found;
    }
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(root)) {
      for (Path entry : entries) {
        Found topic = parse(entry);
        if (topic != null && place.owns(topic.topic())) {
          found.add(topic);
        }
      }
    }
    return found;
  }

  private static Found parse(Path dir) {
    String name = dir.getFileName().toString();
    int mark = name.lastIndexOf(NUMBER_MARK);
    String topic = mark <= 0 ? null : DirNames.unescape(name.substring(0, mark));
    if (topic == null) {
      return null;
    }
    try {
      return new Found(topic, Long.parseLong(name.substring(mark + 1)), dir);
    } catch (NumberFormatException notOurs) {
      return null;
    }
  }

  /** Removes a topic's directory; one that is gone is fine. */
  void delete(String topic, long number) throws IOException {
    DurableFiles.deleteTree(disk, dir(topic, number));
  }
}
