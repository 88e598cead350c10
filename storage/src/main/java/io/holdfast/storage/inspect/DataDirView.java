package io.holdfast.storage.inspect;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.topic.ClusterFile;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.storage.topic.DataFormat;
import io.holdfast.storage.topic.DirNames;
import io.holdfast.storage.topic.Metadata;
import io.holdfast.storage.topic.MetadataFile;
import io.holdfast.storage.topic.MetadataLog;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;

/**
 * A data directory for those who only look: takes no lock, changes no byte, and may be used beside
 * the broker that owns the directory. What it shows of a running broker is what the disk had when
 * it was read. Not thread-safe.
 */
public final class DataDirView {
  /** How often the metadata is read again because a broker has just replaced it. */
  private static final int MAX_ATTEMPTS = 5;

  private final DataDir dir;
  private final Metadata metadata;
  private final Defect metadataDefect;

  /** Null of a broker that is alone. */
  private final MemberView member;

  private DataDirView(DataDir dir, Metadata metadata, Defect metadataDefect, MemberView member) {
    this.dir = dir;
    this.member = member;
    this.metadata = metadata;
    this.metadataDefect = metadataDefect;
  }

  /**
   * Opens a directory.
   *
   * @throws IOException in one line: not there, not Holdfast's, of a later format, no permission
   */
  public static DataDirView open(Path root) throws IOException {
    if (!Files.exists(root)) {
      throw new IOException("data path " + root + " does not exist");
    }
    if (!Files.isDirectory(root)) {
      throw new IOException("data path " + root + " is not a directory");
    }
    ClusterFile cluster = ClusterFile.read(Disk.LOCAL, root);
    DataDir dir = DataDir.unlocked(root);
    Path file = dir.metadataFile();
    boolean hasFile = Files.exists(file);
    if (!hasFile && !Files.isDirectory(dir.topicsDir())) {
      if (!Files.isExecutable(root)) {
        throw new IOException("data path " + root + ": permission denied");
      }
      throw new IOException(
          root + " is not a Holdfast data directory: it has neither meta.json nor topics");
    }
    Metadata metadata = null;
    Defect defect = null;
    if (hasFile) {
      List<String> damaged = new ArrayList<>();
      metadata = withChanges(file, damaged);
      if (!damaged.isEmpty()) {
        defect =
            new Defect(
                MetadataLog.of(file),
                -1,
                false,
                String.join(", ", damaged),
                "the broker keeps it as meta.log.damaged and goes on without those changes");
      }
      if (metadata == null) {
        defect =
            new Defect(
                file,
                -1,
                false,
                "the metadata file is damaged",
                "the broker keeps it as meta.json.damaged and goes on with the directories: pause"
                    + " flags, what paused topics kept back, and message ids are lost");
      } else if (metadata.formatVersion() > DataFormat.NEWEST) {
        throw new IOException(
            "data path "
                + root
                + " has format version "
                + metadata.formatVersion()
                + ", these tools know up to "
                + DataFormat.NEWEST);
      }
    }
    if (metadata == null) {
      metadata = new Metadata(DataFormat.FIRST, 0, List.of());
    }
    return new DataDirView(
        dir, metadata, defect, cluster == null ? null : new MemberView(root, cluster));
  }

  /** Null when the file is damaged. A broker may replace it and its log meanwhile. */
  private static Metadata withChanges(Path file, List<String> damaged) throws IOException {
    for (int attempt = 1; ; attempt++) {
      Metadata metadata = MetadataFile.parse(read(file), new ArrayList<>());
      byte[] log = readLog(MetadataLog.of(file));
      if (metadata == null || metadata.formatVersion() > DataFormat.NEWEST) {
        return metadata;
      }
      if (attempt == MAX_ATTEMPTS || !MetadataLog.isLater(metadata, log)) {
        return MetadataLog.applied(metadata, log, damaged);
      }
    }
  }

  private static byte[] readLog(Path file) throws IOException {
    try {
      return read(file);
    } catch (NoSuchFileException e) {
      // Nothing has changed, or all of it is in the file.
      return new byte[0];
    }
  }

  private static byte[] read(Path file) throws IOException {
    try {
      return Files.readAllBytes(file);
    } catch (AccessDeniedException e) {
      throw new IOException(file + ": permission denied", e);
    }
  }

  /** The directory. */
  public Path root() {
    return dir.root();
  }

  /** What the metadata file says, or nothing when it is missing or damaged. */
  public Metadata metadata() {
    return metadata;
  }

  /** What is wrong with the metadata file, null when nothing is. */
  public Defect metadataDefect() {
    return metadataDefect;
  }

  /** What makes it that of a node of a cluster; null when it is of a broker that is alone. */
  public MemberView member() {
    return member;
  }

  /** The topics that have a directory, sorted. */
  public List<String> topics() throws IOException {
    if (member != null) {
      return member.topics();
    }
    return Files.isDirectory(dir.topicsDir()) ? dir.topics() : List.of();
  }

  /**
   * The channels of a topic that have a directory, sorted; of a node of a cluster those that the
   * newest snapshot has.
   */
  public List<String> channels(String topic) throws IOException {
    if (member != null) {
      return member.channels(topic);
    }
    return dir.channels(topic);
  }

  /** What the metadata file, or the newest snapshot, says of a topic, null when nothing. */
  public Metadata.TopicEntry entry(String topic) throws IOException {
    if (member != null) {
      return member.entry(topic);
    }
    if (metadata.topics() != null) {
      for (Metadata.TopicEntry entry : metadata.topics()) {
        if (topic.equals(entry.name())) {
          return entry;
        }
      }
    }
    return null;
  }

  /** Where a topic's journal is. */
  public Path journalDir(String topic) throws IOException {
    Path shared = member == null ? null : member.topicDir(topic);
    return shared == null ? dir.journalDir(topic) : shared.resolve("journal");
  }

  /** Where a channel's ledger is; of a node of a cluster it has none. */
  Path channelDir(String topic, String channel) {
    return dir.channelDir(topic, channel);
  }

  /**
   * A topic with the state of its channels, as a broker that starts now would see it.
   *
   * @throws IOException when there is none, or it cannot be read
   */
  public TopicView topic(String name) throws IOException {
    if (!Files.isDirectory(journalDir(name).getParent())) {
      throw new IOException("there is no topic " + name + " in " + root());
    }
    return new TopicView(this, name);
  }

  /** See {@link DataDir#willPutBack}. */
  public boolean willPutBack() throws IOException {
    return dir.willPutBack();
  }

  /** Bytes of what was deleted and is still there; the broker's next start removes it. */
  public long deletedBytes() throws IOException {
    long bytes = 0;
    if (Files.isDirectory(dir.topicsDir())) {
      try (DirectoryStream<Path> left =
          Files.newDirectoryStream(
              dir.topicsDir(), entry -> DirNames.isPassing(entry.getFileName().toString()))) {
        for (Path entry : left) {
          bytes += treeBytes(entry);
        }
      }
    }
    return bytes;
  }

  /** Bytes that a file takes on the disk; 0 when a running broker has removed it. */
  static long fileBytes(Path file) throws IOException {
    try {
      return DurableFiles.allocatedBytes(file);
    } catch (NoSuchFileException gone) {
      return 0;
    }
  }

  /**
   * Bytes that a directory's files take on the disk; a running broker may remove some meanwhile.
   */
  static long treeBytes(Path dir) throws IOException {
    if (!Files.isDirectory(dir)) {
      return 0;
    }
    long[] bytes = new long[1];
    Files.walkFileTree(
        dir,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            bytes[0] += attributes.isRegularFile() ? fileBytes(file) : 0;
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            if (e instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE;
            }
            throw e;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, IOException e)
              throws IOException {
            if (e == null || e instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE;
            }
            throw e;
          }
        });
    return bytes[0];
  }
}
