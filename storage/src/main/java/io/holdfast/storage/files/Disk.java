package io.holdfast.storage.files;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import net.openhft.posix.PosixAPI;

/**
 * What decides about a file after a power cut: forces, and changes of directories. All of the
 * storage goes through here, so that a test can stand in its place and know what is certain
 * (everything else may be old, new, torn or missing). Writes into files are not here: they go to
 * mapped memory, and mean nothing before a force.
 *
 * <p>One change is Chronicle's own: it renames {@code *.precreated}. Stateless, any thread.
 */
public class Disk {
  /** The machine's. */
  public static final Disk LOCAL = new Disk();

  private static final int PAGE_BYTES = 4096;
  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
  private static final VarHandle INTS =
      MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());

  /** For {@link #LOCAL} and for tests. */
  protected Disk() {}

  /**
   * Waits until everything written to a file before the call is on the disk.
   *
   * @param withSize its size, too
   * @throws IOException when the disk refuses. A second call proves nothing then: the kernel may
   *     have marked the pages as clean. {@link #rewrite} first
   */
  public void force(Path file, boolean withSize) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.force(withSize);
    }
  }

  /**
   * As {@link #force(Path, boolean)}, of a file that this process has locked: to close another
   * descriptor of it would end the lock (POSIX).
   */
  public void force(Path file, FileChannel locked) throws IOException {
    locked.force(true);
  }

  /** Waits until the entries of a directory, as they are now, are on the disk. */
  public void forceDirectory(Path dir) throws IOException {
    try (FileChannel channel = FileChannel.open(dir, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /**
   * Waits until everything written to the file system of a directory before the call is on the
   * disk, by whatever process.
   */
  public void forceAll(Path dir) throws IOException {
    int fd = CLibrary.calls().open(CLibrary.path(dir), 0);
    if (fd < 0) {
      throw new IOException("cannot open " + dir);
    }
    try {
      if (CLibrary.calls().syncfs(fd) != 0) {
        throw new IOException("cannot force the file system of " + dir);
      }
    } finally {
      PosixAPI.posix().close(fd);
    }
  }

  /**
   * Makes the kernel write a file again although it holds the pages for clean: each is changed to
   * what it is, atomically, so that an append beside it loses nothing.
   *
   * @param end file offset behind the last byte to write
   */
  public void rewrite(Path file, long end) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      long bytes = Math.min(end, channel.size()) & -Integer.BYTES;
      if (bytes > 0) {
        MappedByteBuffer pages = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes);
        for (int at = 0; at < bytes; at += PAGE_BYTES) {
          INTS.getAndAdd(pages, at, 0);
        }
      }
    } catch (InternalError e) {
      // How Java reports that a mapped page cannot be had.
      throw new IOException("cannot be rewritten: " + e.getMessage(), e);
    }
  }

  /** Opens a file for {@link #read}; the caller closes it. */
  public FileChannel openToRead(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.READ);
  }

  /**
   * Reads what a log's reader asks for.
   *
   * @param channel of {@link #openToRead}
   * @return how many bytes; negative at the end of the file
   * @throws IOException when the disk cannot read the block at the offset
   */
  public int read(Path file, FileChannel channel, ByteBuffer to, long offset) throws IOException {
    return channel.read(to, offset);
  }

  /**
   * Writes into a file; means nothing before a force.
   *
   * @return how many bytes
   */
  public int write(Path file, FileChannel channel, ByteBuffer from, long offset)
      throws IOException {
    return channel.write(from, offset);
  }

  /**
   * Reads a small file as a whole.
   *
   * @throws java.nio.file.FileSystemException when it cannot be opened
   * @throws IOException when the disk cannot read it
   */
  public byte[] readAll(Path file) throws IOException {
    try (FileChannel channel = openToRead(file)) {
      ByteBuffer content = ByteBuffer.allocate(Math.toIntExact(channel.size()));
      int count = 1;
      while (content.hasRemaining() && count > 0) {
        count = read(file, channel, content, content.position());
      }
      return Arrays.copyOf(content.array(), content.position());
    }
  }

  /** Creates an empty file. */
  public void createFile(Path file) throws IOException {
    Files.createFile(file);
  }

  /** Creates a directory that nobody else may read, with its parents. */
  public void createDirectory(Path dir) throws IOException {
    // nsqd's files have mode 0600.
    Files.createDirectories(
        dir, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
  }

  /** Renames a file or directory, in place of what has the new name already. */
  public void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      throw new IOException("the file system of " + to + " cannot rename atomically", e);
    }
  }

  /** Gives a file another name beside the one it has. */
  public void link(Path existing, Path link) throws IOException {
    Files.createLink(link, existing);
  }

  /** Removes a file or an empty directory; one that is not there is fine. */
  public void delete(Path path) throws IOException {
    Files.deleteIfExists(path);
  }

  /**
   * Names the time since the machine was started: while it stays the same, nothing that was written
   * is lost, forced or not.
   *
   * @return "" when that cannot be known
   */
  public String bootId() {
    try {
      return Files.readString(BOOT_ID).strip();
    } catch (IOException notLinux) {
      return "";
    }
  }
}
