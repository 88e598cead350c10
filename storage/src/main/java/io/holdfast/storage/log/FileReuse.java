package io.holdfast.storage.log;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.log.SpareFiles.Spare;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a finished file of a log becomes a spare one, and a spare one its next.
 *
 * <p>The order is what makes it safe: the file loses its name, and that is forced, before anything
 * in it changes, so that a power cut cannot bring the name back with other content; then its head
 * is cleared and has a new salt ({@link FileSalt}), and that is forced, before the file gets
 * another name. A start removes what a kill leaves on the way.
 *
 * <p>The log's directory's monitor guards {@link #leave}; the log's owner's lock {@link #take}; any
 * thread may {@link #make}.
 */
final class FileReuse {
  private static final Logger LOG = LoggerFactory.getLogger(FileReuse.class);

  private final Path dir;
  private final Disk disk;
  private final ReadFiles readers;
  private final SpareFiles spares;

  /** When the log began a file last; only a log under load keeps files. */
  private volatile long begunNs = System.nanoTime() - 2 * SpareFiles.RECENT_NS;

  /** The file begun last if it was another one before, else -1. */
  private volatile int again = -1;

  FileReuse(Path dir, Disk disk, ReadFiles readers, SpareFiles spares) {
    this.dir = dir;
    this.disk = disk;
    this.readers = readers;
    this.spares = spares;
  }

  /**
   * The log has begun a file.
   *
   * @param isAgain whether it was another one before
   */
  void begun(int cycle, boolean isAgain) {
    begunNs = System.nanoTime();
    again = isAgain ? cycle : -1;
  }

  /** Whether a file is the one that the log has begun last, and was another one before. */
  boolean isAgain(int cycle) {
    return again == cycle;
  }

  /**
   * Takes the name from a finished file if it is to be used again; {@link #make} has to follow.
   *
   * @return where it is now, null when it has its name still
   */
  Path leave(Path file) throws IOException {
    if (System.nanoTime() - begunNs > SpareFiles.RECENT_NS
        || !Files.exists(file)
        || DurableFiles.allocatedBytes(file) < spares.leastBytes()
        || !spares.promise(dir)) {
      return null;
    }
    Path spare = dir.resolve(LogFileNames.spare(file));
    boolean done = false;
    try {
      disk.move(file, spare);
      done = true;
    } finally {
      if (!done) {
        spares.notAdded();
      }
    }
    return spare;
  }

  /**
   * Makes a spare file of one that has left the log, or removes it.
   *
   * @param was what it was called; no reader can open it any more
   */
  void make(Path file, Path was) throws IOException {
    Spare made = null;
    try {
      // A snapshot's link keeps its content, and so does a reader that has not let go of it.
      if (links(file) == 1 && !readers.isOpen(was)) {
        made = clear(file);
      }
    } catch (IOException e) {
      LOG.warn("{} is not used again: {}", was, e.toString());
    } finally {
      if (made == null) {
        spares.notAdded();
      }
    }
    if (made == null) {
      disk.delete(file);
    } else {
      spares.add(made);
    }
  }

  private static int links(Path file) throws IOException {
    return ((Number) Files.getAttribute(file, "unix:nlink")).intValue();
  }

  private Spare clear(Path file) throws IOException {
    disk.forceDirectory(dir);
    int salt = FileSalt.next();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      FileSalt.begin(channel, salt);
    }
    disk.force(file, false);
    long[] data = DurableFiles.nextData(file, 0);
    long bytes = data == null || data[0] > 0 ? FileSalt.HEAD_BYTES : data[1];
    return new Spare(file, disk, bytes, salt, System.nanoTime());
  }

  /**
   * Has a spare file get another name.
   *
   * @return what it is like, null when there is none
   */
  Spare take(Path name) {
    Spare spare = spares.take(dir);
    if (spare == null) {
      return null;
    }
    try {
      disk.move(spare.file(), name);
      return spare;
    } catch (IOException e) {
      LOG.warn("{} is not used again: {}", spare.file(), e.toString());
      return null;
    }
  }

  /** Removes the spare files. */
  void close() {
    spares.removeOf(dir);
  }
}
