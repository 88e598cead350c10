package io.holdfast.storage.inspect;

import io.holdfast.storage.group.GroupImage;
import io.holdfast.storage.group.GroupImage.ChannelImage;
import io.holdfast.storage.group.GroupImage.TopicImage;
import io.holdfast.storage.group.StateCodec;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.log.LogFileNames;
import io.holdfast.storage.topic.ClusterFile;
import io.holdfast.storage.topic.DirNames;
import io.holdfast.storage.topic.Metadata;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the directory of a node of a cluster has beside journals: its groups, and which topics there
 * are. Of channels, ids, pauses and policies it knows what the newest snapshots say; what came
 * later is in the groups' logs, which are not applied here. Not thread-safe.
 */
public final class MemberView {
  private final Path root;
  private final ClusterFile file;

  /** Read when they are asked for: that is a look at all of the logs. */
  private List<GroupView> groups;

  MemberView(Path root, ClusterFile file) {
    this.root = root;
    this.file = file;
  }

  /** A topic's directory. */
  private record Found(long number, Path dir) {}

  /** A topic as a snapshot has it. */
  private record Imaged(TopicImage topic, Path snapshot) {}

  /** Of which cluster, and as whom. */
  public ClusterFile file() {
    return file;
  }

  /** The groups that were made here, by number. */
  public List<GroupView> groups() throws IOException {
    if (groups == null) {
      List<GroupView> read = new ArrayList<>();
      for (int group : file.initialised()) {
        read.add(GroupView.read(ClusterFile.groupDir(root, group), group));
      }
      groups = List.copyOf(read);
    }
    return groups;
  }

  private Map<String, Found> dirs() throws IOException {
    Map<String, Found> found = new TreeMap<>();
    Path topics = root.resolve("topics");
    if (!Files.isDirectory(topics)) {
      return found;
    }
    try (DirectoryStream<Path> all = Files.newDirectoryStream(topics)) {
      for (Path dir : all) {
        String name = dir.getFileName().toString();
        int mark = name.lastIndexOf(DirNames.REPLICATED_MARK);
        String topic = mark <= 0 ? null : DirNames.unescape(name.substring(0, mark));
        if (topic != null && name.substring(mark + 1).matches("\\d{1,18}")) {
          long number = Long.parseLong(name.substring(mark + 1));
          // One that was deleted and made again may still have both.
          found.merge(topic, new Found(number, dir), (a, b) -> a.number() > b.number() ? a : b);
        }
      }
    }
    return found;
  }

  /** Journal files of a group's newest snapshot that are not where a broker reads them. */
  List<Path> linkedOnly(GroupView group) {
    List<Path> missing = new ArrayList<>();
    GroupImage image = group.snapshot();
    for (TopicImage topic : image == null ? List.<TopicImage>of() : image.topics()) {
      String dir = DirNames.escape(topic.name()) + DirNames.REPLICATED_MARK + topic.number();
      for (int number : topic.files()) {
        Path file = root.resolve("topics").resolve(dir).resolve("journal");
        file = file.resolve(LogFileNames.of(number));
        if (!Files.exists(file)) {
          missing.add(file);
        }
      }
    }
    return missing;
  }

  /** The topics that have a directory, sorted. */
  List<String> topics() throws IOException {
    return List.copyOf(dirs().keySet());
  }

  /** Where a topic is; null when there is none. */
  Path topicDir(String topic) throws IOException {
    Found found = dirs().get(topic);
    return found == null ? null : found.dir();
  }

  /** Null when it is younger than the newest snapshot, or there is none. */
  private Imaged imaged(String topic) throws IOException {
    Found found = dirs().get(topic);
    if (found == null) {
      return null;
    }
    for (GroupView group : groups()) {
      GroupImage image = group.snapshot();
      for (TopicImage each : image == null ? List.<TopicImage>of() : image.topics()) {
        if (each.number() == found.number() && each.name().equals(topic)) {
          return new Imaged(each, group.snapshotDir().resolve(StateCodec.FILE));
        }
      }
    }
    return null;
  }

  /** What the newest snapshot says of a topic, as a metadata file would; null when nothing. */
  Metadata.TopicEntry entry(String topic) throws IOException {
    Imaged imaged = imaged(topic);
    if (imaged == null) {
      return null;
    }
    TopicImage image = imaged.topic();
    List<Metadata.Skipped> skipped = new ArrayList<>();
    OrdinalRanges ranges = image.skipped();
    for (int i = 0; i < ranges.count(); i++) {
      skipped.add(new Metadata.Skipped(ranges.from(i), ranges.to(i)));
    }
    return new Metadata.TopicEntry(
        topic,
        image.idBase(),
        image.paused(),
        image.keptFrom(),
        image.channels().stream()
            .map(each -> new Metadata.ChannelEntry(each.name(), each.paused(), each.policy()))
            .toList(),
        0,
        file.clusterId(),
        skipped,
        image.policy());
  }

  /** The channels that the newest snapshot has of a topic, sorted. */
  List<String> channels(String topic) throws IOException {
    Imaged imaged = imaged(topic);
    return imaged == null
        ? List.of()
        : imaged.topic().channels().stream().map(ChannelImage::name).sorted().toList();
  }

  /** Where the newest snapshot's messages of a topic end; 0 when it has none of it. */
  long nextOrdinal(String topic) throws IOException {
    Imaged imaged = imaged(topic);
    return imaged == null ? 0 : imaged.topic().nextOrdinal();
  }

  /** A copy of what the newest snapshot says that a channel has finished, and where the rest is. */
  LedgerState state(String topic, String channel) throws IOException {
    TopicImage image = imaged(topic).topic();
    for (ChannelImage each : image.channels()) {
      if (each.name().equals(channel)) {
        LedgerState state = each.state().copy();
        state.carry(image.carried(), image.endOf(each));
        return state;
      }
    }
    throw new IOException("there is no channel " + channel + " of topic " + topic);
  }

  /** Which file says what is known of a topic; null when none does. */
  Path stateFile(String topic) throws IOException {
    Imaged imaged = imaged(topic);
    return imaged == null ? null : imaged.snapshot();
  }
}
