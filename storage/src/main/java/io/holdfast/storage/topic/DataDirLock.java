package io.holdfast.storage.topic;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.files.DirectoryLock;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.LastStop;
import io.holdfast.storage.files.StrayFiles;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a data directory to one process, and knows how the process before it ended.
 *
 * <p>The directory itself is locked as nsqd locks it, so that the two notice each other and no
 * removal of a file opens the door; and {@code holdfast.lock}, which says who has it and how it
 * ended, is locked as well: brokers of 1.0 look at nothing else. Thread-safe (own monitor).
 */
final class DataDirLock implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(DataDirLock.class);
  private static final String LOCK_FILE = "holdfast.lock";
  private static final String CLEAN_MARK = "clean";

  private final Path root;
  private final Path file;
  private final Disk disk;
  private final DirectoryLock directory;
  private final LastStop lastStop;

  @GuardedBy("this")
  private FileChannel channel;

  /** Inodes: of the directory, its topics and the lock file. */
  private final Object rootKey;

  @GuardedBy("this")
  private Object topicsKey;

  @GuardedBy("this")
  private Object fileKey;

  /** What the lock file is to say. */
  @GuardedBy("this")
  private String text;

  private DataDirLock(Path root, Disk disk, DirectoryLock directory) throws IOException {
    this.root = root;
    this.disk = disk;
    this.directory = directory;
    file = root.resolve(LOCK_FILE);
    rootKey = key(root);
    StrayFiles.makeWayForFile(disk, file);
    channel = openFile();
    boolean locked = false;
    try {
      lockFile(channel);
      lastStop = readLastStop();
      locked = true;
    } finally {
      if (!locked) {
        channel.close();
      }
    }
    fileKey = key(file);
  }

  /**
   * Locks an existing directory.
   *
   * @throws IOException in one line: not readable or writable, in use by another process
   */
  static DataDirLock take(Path root, Disk disk) throws IOException {
    DirectoryLock directory = DirectoryLock.tryLock(root);
    if (directory == null) {
      throw new IOException("data path " + root + " is in use by another broker" + holder(root));
    }
    DataDirLock lock = null;
    try {
      lock = new DataDirLock(root, disk, directory);
      lock.begin();
      return lock;
    } catch (IOException | RuntimeException e) {
      if (lock != null) {
        lock.closeFile();
      }
      directory.close();
      throw e;
    }
  }

  private synchronized void begin() throws IOException {
    write(ProcessHandle.current().pid() + "\n");
    if (lastStop == LastStop.CLEAN) {
      // On disk before anything is written that the mark of a clean stop would be wrong about.
      disk.force(file, channel);
    }
  }

  private synchronized void closeFile() throws IOException {
    channel.close();
  }

  private FileChannel openFile() throws IOException {
    try {
      return FileChannel.open(
          file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw new IOException("data path " + root + " is not writable: " + e.getMessage(), e);
    }
  }

  private void lockFile(FileChannel opened) throws IOException {
    FileLock lock;
    try {
      lock = opened.tryLock();
    } catch (OverlappingFileLockException e) {
      lock = null;
    }
    if (lock == null) {
      throw new IOException("data path " + root + " is in use by another broker" + holder(root));
    }
  }

  /** " (process N)", as far as that can be told. */
  private static String holder(Path root) {
    try {
      List<String> lines = lines(Files.readString(root.resolve(LOCK_FILE)));
      // Of nsqd, which writes no such file, nothing is known.
      return lines.isEmpty() || lines.contains(CLEAN_MARK) ? "" : " (process " + lines.get(0) + ")";
    } catch (IOException e) {
      LOG.debug("who holds {}", root, e);
      return "";
    }
  }

  private static List<String> lines(String content) {
    return content.lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
  }

  @GuardedBy("this")
  private LastStop readLastStop() throws IOException {
    if (!Files.exists(root.resolve(DataDir.TOPICS))) {
      return LastStop.CLEAN;
    }
    ByteBuffer content = ByteBuffer.allocate(100);
    try {
      channel.read(content, 0);
    } catch (IOException e) {
      LOG.error("{} cannot be read, taken for that of a broker whose machine stopped", file, e);
      return LastStop.MACHINE_STOPPED;
    }
    return lastStop(
        new String(content.array(), 0, content.position(), StandardCharsets.UTF_8), disk);
  }

  /**
   * What the file says of a directory that nobody is to lock.
   *
   * @throws IOException when it cannot be read
   */
  static LastStop lookAt(Path root, Disk disk) throws IOException {
    Path file = root.resolve(LOCK_FILE);
    return Files.exists(file) ? lastStop(Files.readString(file), disk) : LastStop.MACHINE_STOPPED;
  }

  private static LastStop lastStop(String content, Disk disk) {
    List<String> lines = lines(content);
    if (lines.contains(CLEAN_MARK)) {
      return LastStop.CLEAN;
    }
    String bootId = disk.bootId();
    return lines.size() == 2 && !bootId.isEmpty() && bootId.equals(lines.get(1))
        ? LastStop.PROCESS_DIED
        : LastStop.MACHINE_STOPPED;
  }

  @GuardedBy("this")
  private void write(String newText) throws IOException {
    text = newText;
    byte[] bytes = newText.getBytes(StandardCharsets.UTF_8);
    // In this order a full disk has the block already.
    channel.write(ByteBuffer.wrap(bytes), 0);
    channel.truncate(bytes.length);
  }

  /** How the process before this one ended. */
  LastStop lastStop() {
    return lastStop;
  }

  /** The directory of the topics is there now, and is to stay. */
  synchronized void topicsMade() throws IOException {
    topicsKey = key(root.resolve(DataDir.TOPICS));
  }

  /** From now on the death of the process is no more than that. */
  synchronized void markSettled() throws IOException {
    write(ProcessHandle.current().pid() + "\n" + disk.bootId() + "\n");
  }

  /** Everything is on disk. */
  synchronized void markClean() throws IOException {
    write(CLEAN_MARK + "\n");
    disk.force(file, channel);
  }

  /**
   * Whether the directory is still the one that was locked. A lock file that somebody removed is
   * made anew: what it says matters to the next start.
   *
   * @return null when it is; else what is wrong, for people
   */
  synchronized String trouble() {
    try {
      if (!rootKey.equals(keyOrNull(root))) {
        return "data path " + root + " was removed or replaced while the broker runs";
      }
      Path topics = root.resolve(DataDir.TOPICS);
      if (topicsKey != null && !topicsKey.equals(keyOrNull(topics))) {
        return topics + " was removed or replaced while the broker runs";
      }
      if (!fileKey.equals(keyOrNull(file))) {
        replaceFile();
      }
      return null;
    } catch (IOException e) {
      return "data path " + root + " cannot be read: " + e.getMessage();
    }
  }

  @GuardedBy("this")
  private void replaceFile() throws IOException {
    FileChannel opened = openFile();
    boolean done = false;
    try {
      lockFile(opened);
      done = true;
    } finally {
      if (!done) {
        opened.close();
      }
    }
    channel.close();
    channel = opened;
    write(text);
    disk.force(file, channel);
    fileKey = key(file);
    LOG.warn("{} was removed or replaced while the broker runs; made anew", file);
  }

  private static Object key(Path path) throws IOException {
    return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
  }

  private static Object keyOrNull(Path path) throws IOException {
    try {
      return key(path);
    } catch (NoSuchFileException gone) {
      return null;
    }
  }

  @Override
  public synchronized void close() throws IOException {
    try {
      channel.close();
    } finally {
      directory.close();
    }
  }
}
