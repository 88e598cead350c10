package io.holdfast.broker.cluster.state;

import io.holdfast.broker.cluster.engine.GroupMember;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.group.GroupImage;
import io.holdfast.storage.group.GroupImage.TopicImage;
import io.holdfast.storage.group.StateCodec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A state that was noted, and how it becomes files: {@code state.bin}, and a hard link to each
 * journal file. What it lists stays where it is until a later one is finished, see {@link
 * Removals}.
 */
final class GroupSnapshot implements GroupMember.Snapshot {
  private final GroupImage image;

  /** Those of the image, in its order, also when they were deleted meanwhile. */
  private final List<ReplicatedTopic> topics;

  private final TopicDirs dirs;
  private final Disk disk;

  GroupSnapshot(GroupImage image, List<ReplicatedTopic> topics, TopicDirs dirs, Disk disk) {
    this.image = image;
    this.topics = topics;
    this.dirs = dirs;
    this.disk = disk;
  }

  @Override
  public List<String> writeTo(Path dir) throws IOException {
    List<String> names = new ArrayList<>();
    boolean isNewTopic = false;
    for (int i = 0; i < topics.size(); i++) {
      ReplicatedTopic topic = topics.get(i);
      TopicImage noted = image.topics().get(i);
      topic.journal().force();
      if (!topic.isDirForced()) {
        dirs.force(topic.name(), topic.number());
        isNewTopic = true;
      }
      for (int number : noted.files()) {
        Path file = topic.journal().file(number);
        String name = GroupImage.linkName(topic.number(), file.getFileName().toString());
        disk.link(file, dir.resolve(name));
        names.add(name);
      }
    }
    if (isNewTopic) {
      dirs.forceRoot();
      topics.forEach(ReplicatedTopic::dirForced);
    }
    StateCodec.write(image, disk, dir.resolve(StateCodec.FILE));
    names.add(StateCodec.FILE);
    disk.forceDirectory(dir);
    return names;
  }
}
