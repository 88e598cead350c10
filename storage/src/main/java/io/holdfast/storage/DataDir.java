package io.holdfast.storage;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The data directory: its lock, where things are in it, which topics and channels exist, and its
 * metadata file.
 *
 * <pre>
 * holdfast.lock                                one broker per directory
 * holdfast.spare                               {@link SpareSpace}
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

  private static final String LOCK_FILE = "holdfast.lock";
  private static final String CLEAN_MARK = "clean";

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

  private static final ObjectMapper COMPACT_JSON = new ObjectMapper();
  private static final String CHECKSUM = "crc32c";

  private final Path root;
  private final FileChannel lockChannel;
  private final AtomicLong deletions = new AtomicLong(System.nanoTime());

  private final Disk disk;

  /** How the process before this one ended. */
  private final LastStop lastStop;

  private DataDir(Path root, Disk disk, FileChannel lockChannel, LastStop lastStop) {
    this.root = root;
    this.disk = disk;
    this.lockChannel = lockChannel;
    this.lastStop = lastStop;
  }

  private enum LastStop {
    /** There was none, or everything had been forced. */
    CLEAN,
    /** The machine has been up since: nothing is lost, but not all is forced. */
    PROCESS_DIED,
    /** What was not forced can be lost. */
    MACHINE_STOPPED
  }

  /**
   * Locks a directory for this process and finishes what a crash left half-done.
   *
   * @throws IOException in one line: not a directory, not writable, in use by another process
   */
  public static DataDir open(Path root) throws IOException {
    return open(root, Disk.LOCAL);
  }

  static DataDir open(Path root, Disk disk) throws IOException {
    if (!Files.isDirectory(root)) {
      throw new IOException("data path " + root + " is not a directory");
    }
    Path lockFile = root.resolve(LOCK_FILE);
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
      LastStop lastStop = lastStop(root, channel, disk);
      writeLock(channel, ProcessHandle.current().pid() + "\n");
      if (lastStop == LastStop.CLEAN) {
        // On disk before anything is written that the mark of a clean stop would be wrong about.
        disk.force(lockFile, channel);
      }
      DataDir dir = new DataDir(root, disk, channel, lastStop);
      DurableFiles.createDirectory(disk, dir.topicsDir());
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
    return new DataDir(root, Disk.LOCAL, null, LastStop.CLEAN);
  }

  private static void writeLock(FileChannel lock, String text) throws IOException {
    lock.truncate(0);
    lock.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), 0);
  }

  private static LastStop lastStop(Path root, FileChannel lock, Disk disk) throws IOException {
    if (!Files.exists(root.resolve("topics"))) {
      return LastStop.CLEAN;
    }
    List<String> lines = lockLines(lock);
    if (lines.contains(CLEAN_MARK)) {
      return LastStop.CLEAN;
    }
    String bootId = disk.bootId();
    return lines.size() == 2 && !bootId.isEmpty() && bootId.equals(lines.get(1))
        ? LastStop.PROCESS_DIED
        : LastStop.MACHINE_STOPPED;
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
      if (!hasItsChecksum(tree)) {
        return null;
      }
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

  /** Whether nothing has changed since it was written; one without a checksum is believed. */
  private static boolean hasItsChecksum(JsonNode tree) throws IOException {
    if (!(tree instanceof ObjectNode object)) {
      return true;
    }
    JsonNode stated = object.remove(CHECKSUM);
    return stated == null || stated.asText().equals(checksum(object));
  }

  /** Of the compact form, so that white space does not matter. */
  private static String checksum(ObjectNode tree) throws IOException {
    CRC32C crc = new CRC32C();
    crc.update(COMPACT_JSON.writeValueAsBytes(tree));
    return Long.toHexString(crc.getValue());
  }

  private static String holder(FileChannel channel) throws IOException {
    List<String> lines = lockLines(channel);
    return lines.isEmpty() ? "" : " (process " + lines.get(0) + ")";
  }

  /** What the lock file says: process id, boot id; or {@link #CLEAN_MARK}. */
  private static List<String> lockLines(FileChannel channel) throws IOException {
    ByteBuffer content = ByteBuffer.allocate(100);
    channel.read(content, 0);
    String text = new String(content.array(), 0, content.position(), StandardCharsets.UTF_8);
    return text.lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
  }

  /** Whether the machine may have stopped under the last broker, so that writes can be lost. */
  public boolean mayHaveLostPower() {
    return lastStop == LastStop.MACHINE_STOPPED;
  }

  /** Whether the last broker left files that may not be forced, see {@link Disk#forceAll}. */
  public boolean mayHaveUnforcedFiles() {
    return lastStop != LastStop.CLEAN;
  }

  /**
   * Remembers that this broker has dealt with {@link #mayHaveLostPower}: until the machine stops
   * there is no need to any more.
   */
  public void markSettled() throws IOException {
    writeLock(lockChannel, ProcessHandle.current().pid() + "\n" + disk.bootId() + "\n");
  }

  /**
   * Remembers that everything is on disk; to be called last, before {@link #close}. Without it the
   * next start takes care of what a crash can have left.
   */
  public void markClean() throws IOException {
    writeLock(lockChannel, CLEAN_MARK + "\n");
    disk.force(root.resolve(LOCK_FILE), lockChannel);
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
    DurableFiles.createDirectory(disk, topicDir(topic));
    DurableFiles.createDirectory(disk, journalDir(topic));
    DurableFiles.createDirectory(disk, channelsDir(topic));
  }

  /**
   * Takes back a creation that failed on the way, so that no later start finds half of it.
   *
   * @param channel null for the topic itself
   */
  public void takeBack(String topic, String channel) throws IOException {
    remove(channel == null ? markTopicDeleted(topic) : markChannelDeleted(topic, channel));
  }

  /** Makes the directory of a channel; on disk when this returns. */
  public void createChannel(String topic, String channel) throws IOException {
    DurableFiles.createDirectory(disk, channelDir(topic, channel));
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
    disk.move(dir, deleted);
    disk.forceDirectory(dir.getParent());
    disk.forceDirectory(topicsDir());
    return deleted;
  }

  /** Removes a directory that was marked as deleted; null is nothing to do. */
  public void remove(Path deleted) throws IOException {
    if (deleted != null) {
      DurableFiles.deleteTree(disk, deleted);
    }
  }

  private void finishDeletions() throws IOException {
    try (DirectoryStream<Path> left =
        Files.newDirectoryStream(
            topicsDir(), dir -> DirNames.isPassing(dir.getFileName().toString()))) {
      for (Path dir : left) {
        LOG.info("removing {}: deleted or ephemeral when the broker stopped", dir);
        DurableFiles.deleteTree(disk, dir);
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
      DurableFiles.replace(disk, aside, content);
      LOG.error("{} is damaged; kept as {}, pause flags are lost", file, aside);
      return new Metadata(FORMAT_VERSION, 0, List.of());
    }
    return metadata;
  }

  /** Replaces the metadata file; on disk when this returns. */
  public void writeMetadata(Metadata metadata) throws IOException {
    ObjectNode tree = JSON.valueToTree(metadata);
    tree.put(CHECKSUM, checksum(tree));
    DurableFiles.replace(disk, metadataFile(), JSON.writeValueAsBytes(tree));
  }

  /** The blocks held back for a full disk; one object per broker. */
  public SpareSpace spareSpace() throws IOException {
    return new SpareSpace(root, totalBytes());
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
