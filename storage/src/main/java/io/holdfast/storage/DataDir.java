package io.holdfast.storage;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The data directory: its lock, where things are in it, which topics and channels exist, and its
 * metadata file.
 *
 * <pre>
 * holdfast.lock                                one broker per directory
 * meta.json                                    {@link Metadata}
 * topics/&lt;topic&gt;/journal/*.cq4                 {@link ChronicleJournal}
 * topics/&lt;topic&gt;/channels/&lt;channel&gt;/*.cq4      {@link Ledger}
 * </pre>
 *
 * <p>Names are escaped by {@link DirNames}. A deletion renames the directory first and removes it
 * afterwards; opening finishes deletions that a crash interrupted, and removes what ephemeral
 * topics left. Thread-safe.
 */
public final class DataDir implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(DataDir.class);

  /** The format this code reads and writes. */
  public static final int FORMAT_VERSION = 1;

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

  private final Path root;
  private final FileChannel lockChannel;
  private final AtomicLong deletions = new AtomicLong(System.nanoTime());

  private DataDir(Path root, FileChannel lockChannel) {
    this.root = root;
    this.lockChannel = lockChannel;
  }

  /**
   * Locks a directory for this process and finishes what a crash left half-done.
   *
   * @throws IOException in one line: not a directory, not writable, in use by another process
   */
  public static DataDir open(Path root) throws IOException {
    if (!Files.isDirectory(root)) {
      throw new IOException("data path " + root + " is not a directory");
    }
    Path lockFile = root.resolve("holdfast.lock");
    FileChannel channel;
    try {
      channel =
          FileChannel.open(
              lockFile,
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw new IOException("data path " + root + " is not writable: " + e.getMessage(), e);
    }
    boolean locked = false;
    try {
      FileLock lock;
      try {
        lock = channel.tryLock();
      } catch (OverlappingFileLockException e) {
        lock = null;
      }
      if (lock == null) {
        throw new IOException(
            "data path " + root + " is in use by another broker" + holder(channel));
      }
      channel.truncate(0);
      String pid = ProcessHandle.current().pid() + "\n";
      channel.write(ByteBuffer.wrap(pid.getBytes(StandardCharsets.UTF_8)), 0);
      DataDir dir = new DataDir(root, channel);
      DurableFiles.createDirectory(dir.topicsDir());
      dir.finishDeletions();
      locked = true;
      return dir;
    } finally {
      if (!locked) {
        channel.close();
      }
    }
  }

  /** The directory without its lock, for {@link DataDirView}, which only looks. */
  static DataDir unlocked(Path root) {
    return new DataDir(root, null);
  }

  /**
   * What a metadata file says.
   *
   * @return null when it is damaged; of a later format the version alone, since it need not have
   *     the shape that is read here
   */
  static Metadata parseMetadata(byte[] content) {
    try {
      JsonNode tree = JSON.readTree(content);
      int version = tree.path("format_version").asInt();
      if (version > FORMAT_VERSION) {
        return new Metadata(version, 0, List.of());
      }
      return version < 1 ? null : JSON.treeToValue(tree, Metadata.class);
    } catch (IOException e) {
      LOG.debug("the metadata file does not parse", e);
      return null;
    }
  }

  private static String holder(FileChannel channel) throws IOException {
    ByteBuffer pid = ByteBuffer.allocate(20);
    channel.read(pid, 0);
    String text = new String(pid.array(), 0, pid.position(), StandardCharsets.UTF_8).strip();
    return text.isEmpty() ? "" : " (process " + text + ")";
  }

  Path topicsDir() {
    return root.resolve("topics");
  }

  Path topicDir(String topic) {
    String dir = DirNames.escape(topic);
    return topicsDir().resolve(DirNames.isEphemeral(topic) ? DirNames.EPHEMERAL_PREFIX + dir : dir);
  }

  /** Where the topic's journal files are. */
  public Path journalDir(String topic) {
    return topicDir(topic).resolve("journal");
  }

  private Path channelsDir(String topic) {
    return topicDir(topic).resolve("channels");
  }

  /** Where the channel's ledger files are. */
  public Path channelDir(String topic, String channel) {
    return channelsDir(topic).resolve(DirNames.escape(channel));
  }

  public Path root() {
    return root;
  }

  /** Makes the directories of a topic; on disk when this returns. */
  public void createTopic(String topic) throws IOException {
    DurableFiles.createDirectory(topicDir(topic));
    DurableFiles.createDirectory(journalDir(topic));
    DurableFiles.createDirectory(channelsDir(topic));
  }

  /** Makes the directory of a channel; on disk when this returns. */
  public void createChannel(String topic, String channel) throws IOException {
    DurableFiles.createDirectory(channelDir(topic, channel));
  }

  /** The topics that have a directory. */
  public List<String> topics() throws IOException {
    return names(topicsDir());
  }

  /** The channels of a topic that have a directory. */
  public List<String> channels(String topic) throws IOException {
    Path dir = channelsDir(topic);
    return Files.isDirectory(dir) ? names(dir) : List.of();
  }

  private static List<String> names(Path parent) throws IOException {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> dirs = Files.newDirectoryStream(parent, Files::isDirectory)) {
      for (Path dir : dirs) {
        if (DirNames.isPassing(dir.getFileName().toString())) {
          continue;
        }
        String name = DirNames.unescape(dir.getFileName().toString());
        if (name != null) {
          names.add(name);
        } else {
          LOG.warn("{} is not a directory of ours and is left alone", dir);
        }
      }
    }
    names.sort(null);
    return names;
  }

  /**
   * Takes a topic's directory out of use: decided when this returns.
   *
   * @return what {@link #remove} is to remove, null when there was none
   */
  public Path markTopicDeleted(String topic) throws IOException {
    return markDeleted(topicDir(topic));
  }

  /** As {@link #markTopicDeleted}, for a channel. */
  public Path markChannelDeleted(String topic, String channel) throws IOException {
    return markDeleted(channelDir(topic, channel));
  }

  private Path markDeleted(Path dir) throws IOException {
    if (!Files.exists(dir)) {
      return null;
    }
    Path deleted =
        topicsDir()
            .resolve(DirNames.DELETED_PREFIX + Long.toHexString(deletions.incrementAndGet()));
    Files.move(dir, deleted, StandardCopyOption.ATOMIC_MOVE);
    DurableFiles.forceDirectory(dir.getParent());
    DurableFiles.forceDirectory(topicsDir());
    return deleted;
  }

  /** Removes a directory that was marked as deleted; null is nothing to do. */
  public void remove(Path deleted) throws IOException {
    if (deleted != null) {
      DurableFiles.deleteTree(deleted);
    }
  }

  private void finishDeletions() throws IOException {
    try (DirectoryStream<Path> left =
        Files.newDirectoryStream(
            topicsDir(), dir -> DirNames.isPassing(dir.getFileName().toString()))) {
      for (Path dir : left) {
        LOG.info("removing {}: deleted or ephemeral when the broker stopped", dir);
        DurableFiles.deleteTree(dir);
      }
    }
  }

  Path metadataFile() {
    return root.resolve("meta.json");
  }

  /**
   * Reads the metadata file. A damaged one is put aside: topics and channels are still known from
   * their directories, only pause flags and id bases are lost.
   *
   * @throws IOException when the format is of a later version, or the disk fails
   */
  public Metadata readMetadata() throws IOException {
    Path file = metadataFile();
    if (!Files.exists(file)) {
      return new Metadata(FORMAT_VERSION, 0, List.of());
    }
    byte[] content = Files.readAllBytes(file);
    Metadata metadata = parseMetadata(content);
    if (metadata != null && metadata.formatVersion() > FORMAT_VERSION) {
      throw new IOException(
          "data path "
              + root
              + " has format version "
              + metadata.formatVersion()
              + ", this broker knows up to "
              + FORMAT_VERSION);
    }
    if (metadata == null) {
      Path aside = root.resolve("meta.json.damaged");
      Files.copy(file, aside, StandardCopyOption.REPLACE_EXISTING);
      LOG.error("{} is damaged; kept as {}, pause flags are lost", file, aside);
      return new Metadata(FORMAT_VERSION, 0, List.of());
    }
    return metadata;
  }

  /** Replaces the metadata file; on disk when this returns. */
  public void writeMetadata(Metadata metadata) throws IOException {
    DurableFiles.replace(metadataFile(), JSON.writeValueAsBytes(metadata));
  }

  /** Bytes that can still be written to this directory's disk. */
  public long usableBytes() throws IOException {
    // Not by Files.getFileStore: that opens the list of mounts, which fails without descriptors.
    return known(root.toFile().getUsableSpace());
  }

  /** Bytes that this directory's disk has in all. */
  public long totalBytes() throws IOException {
    return known(root.toFile().getTotalSpace());
  }

  /** The JDK's way to say that it failed is 0, which is also the size of a full disk. */
  private long known(long bytes) throws IOException {
    if (bytes == 0 && !Files.isDirectory(root)) {
      throw new IOException(root + " is no directory any more");
    }
    return bytes;
  }

  @Override
  public void close() throws IOException {
    if (lockChannel != null) {
      lockChannel.close();
    }
  }
}
