package io.holdfast.storage.raft;

import io.holdfast.storage.files.Disk;
import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How far a {@link RaftLog} is surely on disk, in a file of its own: the sequence of the last
 * record that was forced, and its checksum (i64, i32). It is written after each force and not
 * forced itself. So while the machine is up it is exact, and a log that ends before it has lost its
 * end, be it by a file that is gone; after a power cut it may be old or torn, but what it says was
 * true.
 *
 * <p>The log's lock guards it.
 */
final class EndMark implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(EndMark.class);

  static final String NAME = "end";
  private static final int BYTES = Long.BYTES + Integer.BYTES;

  private final Path path;
  private final Disk disk;

  /** Not a channel: an interrupt would close it. */
  private final RandomAccessFile file;

  private final ByteBuffer content = ByteBuffer.allocate(BYTES);

  private EndMark(Path path, Disk disk) throws IOException {
    this.path = path;
    this.disk = disk;
    file = new RandomAccessFile(path.toFile(), "rw");
  }

  /** Makes the file, on disk. */
  static EndMark create(Path dir, Disk disk) throws IOException {
    Path path = dir.resolve(NAME);
    disk.createFile(path);
    EndMark mark = new EndMark(path, disk);
    boolean done = false;
    try {
      mark.write(0);
      mark.force();
      disk.forceDirectory(dir);
      done = true;
    } finally {
      if (!done) {
        mark.close();
      }
    }
    return mark;
  }

  /**
   * Opens the file.
   *
   * @throws NoSuchFileException when it is not there
   */
  static EndMark open(Path dir, Disk disk) throws IOException {
    Path path = dir.resolve(NAME);
    if (!Files.isRegularFile(path)) {
      throw new NoSuchFileException(path.toString());
    }
    return new EndMark(path, disk);
  }

  Path path() {
    return path;
  }

  /** The sequence, negative when the file is damaged. */
  long read() throws IOException {
    return read(path, disk);
  }

  /** As {@link #read()}, for those who only look. */
  static long read(Path path, Disk disk) throws IOException {
    byte[] bytes;
    try {
      bytes = disk.readAll(path);
    } catch (FileSystemException outOfReach) {
      throw outOfReach;
    } catch (IOException e) {
      LOG.error("{}: the disk cannot read it", path, e);
      return -1;
    }
    if (bytes.length != BYTES) {
      return -1;
    }
    ByteBuffer in = ByteBuffer.wrap(bytes);
    long sequence = in.getLong(0);
    return in.getInt(Long.BYTES) == checksum(bytes) ? sequence : -1;
  }

  private static int checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, Long.BYTES);
    // Zeros, which a file system may leave behind, are not right by themselves.
    crc.update(BYTES);
    return (int) crc.getValue();
  }

  void write(long sequence) throws IOException {
    content.putLong(0, sequence);
    content.putInt(Long.BYTES, checksum(content.array()));
    file.seek(0);
    file.write(content.array());
  }

  void force() throws IOException {
    disk.force(path, true);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
