package io.holdfast.storage.topic;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.LastStop;
import io.holdfast.storage.files.SpareSpace;
import io.holdfast.storage.files.StrayFiles;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.ledger.Ledger;
import io.holdfast.storage.redo.RedoLog;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The data directory: its lock, where things are in it, which topics and channels exist, and its
 * metadata file.
 *
 * <pre>
 * holdfast.lock                                one broker per directory
 * holdfast.spare                               {@link SpareSpace}
 * meta.json, meta.log                          {@link Metadata}, {@link MetadataLog}
 * cluster.json                                 {@link ClusterFile}, of a node of a cluster
 * redo/*.cq4                                   {@link RedoLog}, with {@code durability = synced}
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

  static final String TOPICS = "topics";

  /** Metadata (older versions have a node id in the name) and disk queues of nsqd. */
  private static final Pattern NSQD_FILE =
      Pattern.compile("nsqd(\\.\\d+)?\\.dat|.+\\.diskqueue\\.(meta|\\d+)\\.dat");

  private final Path root;
  private final AtomicLong deletions = new AtomicLong(System.nanoTime());

  private final Disk disk;
  private final DataFormat format = new DataFormat();
  private final MetadataText metadataText = MetadataFile.text();

  @GuardedBy("metadataText")
  private final MetadataLog metadataLog;

  /** Of the last metadata file that was read or written. */
  @GuardedBy("metadataText")
  private long metadataNumber;

  /** Null of one that is only looked at. */
  private final DataDirLock lock;

  /** The same. Set once, before anybody else knows of this object. */
  private RedoLog redo;

  private DataDir(Path root, Disk disk, DataDirLock lock) {
    this.root = root;
    this.disk = disk;
    this.lock = lock;
    metadataLog = new MetadataLog(disk, metadataFile());
  }

  /**
   * Locks a directory for this process and finishes what a crash left half-done.
   *
   * @throws IOException in one line: not a directory, not writable, nsqd's, a cluster's, in use by
   *     another process
   */
  public static DataDir open(Path root) throws IOException {
    return open(root, Disk.LOCAL);
  }

  /** As {@link #open(Path)}, on a disk of which more is known than of the machine's. */
  public static DataDir open(Path root, Disk disk) throws IOException {
    ClusterFile.refuseMember(disk, root, "start it with cluster_nodes");
    return openAny(root, disk);
  }

  /**
   * As {@link #open(Path, Disk)}, for a node of a cluster: it knows whether the directory is its
   * own.
   */
  public static DataDir openMember(Path root, Disk disk) throws IOException {
    return openAny(root, disk);
  }

  private static DataDir openAny(Path root, Disk disk) throws IOException {
    if (!Files.isDirectory(root)) {
      throw new IOException("data path " + root + " is not a directory");
    }
    refuseNsqds(root);
    DataDirLock lock = DataDirLock.take(root, disk);
    boolean opened = false;
    try {
      DataDir dir = new DataDir(root, disk, lock);
      StrayFiles.makeDirectories(disk, dir.topicsDir());
      lock.topicsMade();
      dir.finishDeletions();
      dir.redo = RedoLog.open(root, dir.topicsDir(), disk, dir.mayHaveUnforcedFiles());
      opened = true;
      return dir;
    } finally {
      if (!opened) {
        lock.close();
      }
    }
  }

  /** A broker that came up empty where nsqd had messages would hide them. */
  private static void refuseNsqds(Path root) throws IOException {
    if (Files.exists(root.resolve(TOPICS)) || Files.exists(root.resolve(MetadataFile.NAME))) {
      return;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(root)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        if (NSQD_FILE.matcher(name).matches()) {
          throw new IOException(
              "data path "
                  + root
                  + " holds data of nsqd ("
                  + name
                  + "): bring it to another directory with: holdfast-tools import "
                  + root
                  + " DIR");
        }
      }
    }
  }

  /** The directory without its lock, for {@code DataDirView}, which only looks. */
  public static DataDir unlocked(Path root) {
    return new DataDir(root, Disk.LOCAL, null);
  }

  /** Whether the machine may have stopped under the last broker, so that writes can be lost. */
  public boolean mayHaveLostPower() {
    return lock.lastStop() == LastStop.MACHINE_STOPPED;
  }

  /** How the process before this one ended. */
  public LastStop lastStop() {
    return lock.lastStop();
  }

  /** The disk that it is on. */
  public Disk disk() {
    return disk;
  }

  /** Whether the last broker left files that may not be forced, see {@link Disk#forceAll}. */
  public boolean mayHaveUnforcedFiles() {
    return lock.lastStop() != LastStop.CLEAN;
  }

  /**
   * Remembers that this broker has dealt with {@link #mayHaveLostPower}: until the machine stops
   * there is no need to any more.
   */
  public void markSettled() throws IOException {
    lock.markSettled();
  }

  /**
   * Remembers that everything is on disk; to be called last, before {@link #close}. Without it the
   * next start takes care of what a crash can have left.
   */
  public void markClean() throws IOException {
    lock.markClean();
  }

  /**
   * Whether this is still the directory that was opened: somebody may have removed or replaced it.
   *
   * @return null when it is; else what is wrong, in one line
   */
  public String trouble() {
    return lock.trouble();
  }

  /** Nothing is made in a directory that took this one's place. */
  private void requireInPlace() throws IOException {
    String trouble = lock == null ? null : lock.trouble();
    if (trouble != null) {
      throw new IOException(trouble);
    }
  }

  /** Where all topics are. */
  public Path topicsDir() {
    return root.resolve(TOPICS);
  }

  /** The directory of a topic, whether it is there or not. */
  public Path topicDir(String topic) {
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
    requireInPlace();
    Path dir = topicDir(topic);
    if (redo != null && !Files.isDirectory(dir)) {
      redo.forget(dir.getFileName().toString());
    }
    StrayFiles.makeDirectories(disk, dir, journalDir(topic), channelsDir(topic));
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
    requireInPlace();
    StrayFiles.makeDirectories(disk, channelDir(topic, channel));
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
    try (DirectoryStream<Path> dirs = Files.newDirectoryStream(parent)) {
      for (Path dir : dirs) {
        String fileName = dir.getFileName().toString();
        if (DirNames.isPassing(fileName)
            || DirNames.isReplicated(fileName)
            || StrayFiles.isAside(dir)) {
          continue;
        }
        String name = DirNames.unescape(fileName);
        if (name != null && Files.isDirectory(dir)) {
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
    requireInPlace();
    if (!Files.isDirectory(dir)) {
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

  /** Where {@link #readMetadata} looks. */
  public Path metadataFile() {
    return root.resolve(MetadataFile.NAME);
  }

  /**
   * Reads the metadata file and what has changed since it was written. A damaged one is put aside:
   * topics and channels are still known from their directories, only pause flags and id bases are
   * lost.
   *
   * @throws IOException when the format is of a later version, or the disk fails
   */
  public Metadata readMetadata() throws IOException {
    synchronized (metadataText) {
      Metadata metadata = MetadataFile.read(disk, metadataFile());
      metadataNumber = Math.max(metadataNumber, metadata.number());
      format.atLeast(metadata.formatVersion());
      format.isOnDisk(metadata.formatVersion());
      return metadata.withNumber(0);
    }
  }

  /**
   * Replaces the metadata file; on disk when this returns.
   *
   * @param metadata its format version is raised to what the directory has
   */
  public void writeMetadata(Metadata metadata) throws IOException {
    synchronized (metadataText) {
      requireInPlace();
      writeWhole(inFormat(metadata));
    }
  }

  /**
   * As {@link #writeMetadata}, which costs no more than what has changed since the last time;
   * nothing when that is nothing.
   */
  public void updateMetadata(Metadata metadata) throws IOException {
    synchronized (metadataText) {
      requireInPlace();
      Metadata now = inFormat(metadata);
      if (!metadataLog.append(now)) {
        writeWhole(now);
      }
    }
  }

  /**
   * As {@link #updateMetadata(Metadata)}, of some topics: costs the same however many there are.
   *
   * @return false when nothing was done, as the whole of the metadata is to be given
   */
  public boolean updateMetadata(MetadataUpdate update) throws IOException {
    synchronized (metadataText) {
      requireInPlace();
      return metadataLog.append(format.atLeast(update.neededFormat()), update);
    }
  }

  /**
   * Whether it is on disk that a topic keeps all its messages, from the first on, for a channel to
   * come.
   */
  public boolean keepsAll(String topic) {
    synchronized (metadataText) {
      Metadata.TopicEntry entry = metadataLog.onDisk(topic);
      return entry != null && entry.handedOver() == 0;
    }
  }

  private Metadata inFormat(Metadata metadata) {
    int version = format.atLeast(metadata.neededFormat());
    return new Metadata(version, metadata.nextIdBase(), metadata.topics());
  }

  @GuardedBy("metadataText")
  private void writeWhole(Metadata metadata) throws IOException {
    Metadata numbered = metadata.withNumber(metadataNumber);
    byte[] text = metadataText.of(numbered);
    if (!isInFile(text)) {
      // Above that of any file that was here before, also of one that nobody has read.
      metadataNumber = Math.max(metadataNumber + 1, System.currentTimeMillis());
      numbered = metadata.withNumber(metadataNumber);
      text = metadataText.of(numbered);
    }
    DurableFiles.replace(disk, metadataFile(), text);
    format.isOnDisk(metadata.formatVersion());
    metadataLog.begin(numbered, text.length);
  }

  /** Whether the file says just this, and nothing has changed since: it stays as it is, then. */
  @GuardedBy("metadataText")
  private boolean isInFile(byte[] text) {
    Path file = metadataFile();
    if (metadataNumber == 0 || !Files.isRegularFile(file) || Files.exists(MetadataLog.of(file))) {
      return false;
    }
    try {
      return Arrays.equals(disk.readAll(file), text);
    } catch (IOException e) {
      LOG.debug("{} cannot be read and is written anew", file, e);
      return false;
    }
  }

  /**
   * Of a directory that is only looked at: whether the next start will put copies into journals
   * that may have lost with power what they wait to have on disk.
   */
  public boolean willPutBack() throws IOException {
    return RedoLog.hasFiles(root) && DataDirLock.lookAt(root, disk) == LastStop.MACHINE_STOPPED;
  }

  /** What journals have that are forced later; null of a directory that is only looked at. */
  public RedoLog redoLog() {
    return redo;
  }

  /** Which format the directory has. */
  public DataFormat format() {
    return format;
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
    if (lock != null) {
      try {
        redo.close();
      } finally {
        lock.close();
      }
    }
  }
}
