package io.holdfast.broker.cluster.state;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.group.GroupImage;
import io.holdfast.storage.group.GroupImage.ChannelImage;
import io.holdfast.storage.group.GroupImage.TopicImage;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.log.LogFileNames;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes the directories of a group's topics what a snapshot says, whatever they are: those of the
 * same node, which have gone on since, or some that have nothing to do with it. Each step can be
 * done again: a crash on the way leaves a mixture, and the start after it does the same from the
 * snapshot, which stays as it is. So the snapshot itself is what says that there is something to be
 * finished.
 */
final class GroupLoader {
  private final GroupTopics topics;
  private final TopicDirs dirs;
  private final Disk disk;

  GroupLoader(GroupTopics topics, Disk disk) {
    this.topics = topics;
    this.dirs = topics.dirs();
    this.disk = disk;
  }

  /**
   * Loads a snapshot.
   *
   * @param image what its state file says
   * @param snapshot its directory
   * @throws IOException when a file is missing or damaged below the end that was noted, naming file
   *     and offset
   */
  void load(GroupImage image, Path snapshot) throws IOException {
    topics.restart(image.nextNumber(), image.nextIdBase());
    Map<Long, String> wanted = new HashMap<>();
    for (TopicImage topic : image.topics()) {
      wanted.put(topic.number(), topic.name());
    }
    removeOthers(wanted);
    for (TopicImage topic : image.topics()) {
      topics.add(load(topic, snapshot));
    }
    dirs.forceRoot();
  }

  /** Removes the topics of this group that a state does not have. */
  void removeOthers(Map<Long, String> wanted) throws IOException {
    for (TopicDirs.Found found : dirs.all()) {
      if (!found.topic().equals(wanted.get(found.number()))) {
        dirs.delete(found.topic(), found.number());
      }
    }
  }

  private ReplicatedTopic load(TopicImage topic, Path snapshot) throws IOException {
    dirs.create(topic.name(), topic.number());
    Path dir = dirs.journal(topic.name(), topic.number());
    boolean isForeign = takeFiles(topic, dir, snapshot);
    ChronicleJournal journal =
        topics.open(
            topic.name(),
            topic.number(),
            topic.end(),
            topic.nextOrdinal(),
            topic.skipped(),
            isForeign);
    ReplicatedTopic loaded =
        new ReplicatedTopic(topic.name(), topic.number(), topic.idBase(), journal);
    loaded.restore(
        topic.paused(), topic.keptFrom(), topic.retainFrom(), topic.neededFrom(), topic.policy());
    loaded.restore(topic.carried());
    for (ChannelImage channel : topic.channels()) {
      ReplicatedChannel made =
          new ReplicatedChannel(channel.name(), channel.number(), channel.state());
      made.setPaused(channel.paused());
      made.setEpoch(channel.epoch());
      made.setPolicy(channel.policy());
      loaded.restore(made);
    }
    dirs.force(topic.name(), topic.number());
    loaded.dirForced();
    return loaded;
  }

  /**
   * Has a journal's directory have the files of a snapshot and nothing else.
   *
   * @return whether any was not there before
   */
  private boolean takeFiles(TopicImage topic, Path dir, Path snapshot) throws IOException {
    Set<String> names = new HashSet<>();
    List<Path> taken = new ArrayList<>();
    for (int number : topic.files()) {
      String name = LogFileNames.of(number);
      names.add(name);
      Path file = dir.resolve(name);
      Path link = snapshot.resolve(GroupImage.linkName(topic.number(), name));
      if (!Files.exists(link)) {
        throw new IOException(link + " is missing: the snapshot's state has it");
      }
      if (!Files.exists(file) || !Files.isSameFile(file, link)) {
        disk.delete(file);
        disk.link(link, file);
        taken.add(file);
      }
    }
    removeOthers(dir, names);
    for (Path file : taken) {
      // Whoever received it may not have: from now on this is what is trusted.
      disk.force(file, true);
    }
    return !taken.isEmpty();
  }

  private void removeOthers(Path dir, Set<String> names) throws IOException {
    List<Path> others = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(dir)) {
      for (Path entry : entries) {
        if (!names.contains(entry.getFileName().toString()) && Files.isRegularFile(entry)) {
          others.add(entry);
        }
      }
    }
    for (Path other : others) {
      disk.delete(other);
    }
  }
}
