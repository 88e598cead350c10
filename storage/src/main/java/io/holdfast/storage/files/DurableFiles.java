package io.holdfast.storage.files;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.stream.Stream;
import net.openhft.posix.PosixAPI;

/** File operations that are complete on the disk when they return. */
public final class DurableFiles {
  // errno values of Linux: ENOSPC, EDQUOT.
  private static final int NO_SPACE = 28;
  private static final int NO_QUOTA = 122;

  private static final int SMALL_FILE_BYTES = 64 << 10;

  private DurableFiles() {}

  /** Forces a directory's entries to the disk. */
  public static void forceDirectory(Path dir) throws IOException {
    Disk.LOCAL.forceDirectory(dir);
  }

  /**
   * Replaces a file: after a crash it has either the old or the new content, never a mixture.
   *
   * @throws IOException when the disk refuses; the old content is then still there
   */
  public static void replace(Path file, byte[] content) throws IOException {
    replace(Disk.LOCAL, file, content);
  }

  /** As {@link #replace(Path, byte[])}, by a disk of the caller. */
  public static void replace(Disk disk, Path file, byte[] content) throws IOException {
    Path temp = file.resolveSibling(file.getFileName() + ".tmp");
    StrayFiles.makeWayForFile(disk, temp);
    disk.delete(temp);
    disk.createFile(temp);
    Files.write(temp, content, StandardOpenOption.WRITE);
    disk.force(temp, true);
    disk.move(temp, file);
    disk.forceDirectory(file.getParent());
  }

  /**
   * Creates a file with blocks of its own, which read as zeros; its size is that of the blocks.
   *
   * @throws NoSpaceException when the disk has not so many; an empty file may be left
   */
  public static void reserve(Path file, long bytes) throws IOException {
    Files.createFile(file);
    int fd = openToWrite(file);
    try {
      reserve(fd, 0, bytes, file);
    } finally {
      PosixAPI.posix().close(fd);
    }
  }

  /**
   * Makes the blocks of a part of an open file exist.
   *
   * @param fd of {@link #openToWrite}
   * @param what for the error
   * @throws NoSpaceException when the disk has not so many
   */
  public static void reserve(int fd, long from, long bytes, Path what) throws IOException {
    PosixAPI posix = PosixAPI.posix();
    if (posix.fallocate(fd, 0, from, bytes) != 0) {
      throw lastError(posix, "cannot reserve space", what);
    }
  }

  /** The error of the last call, a {@link NoSpaceException} when that was it. */
  public static IOException lastError(PosixAPI posix, String doing, Path what) {
    int error = posix.lastError();
    return error == NO_SPACE || error == NO_QUOTA
        ? new NoSpaceException("no space left on device: " + what)
        : new IOException(doing + ": " + posix.strerror(error) + ": " + what);
  }

  /** A file descriptor for {@link #reserve(int, long, long, Path)}; the caller closes it. */
  public static int openToWrite(Path file) throws IOException {
    final int readWrite = 2;
    int fd = PosixAPI.posix().open(file.toString(), readWrite, 0);
    if (fd < 0) {
      throw new IOException("cannot open " + file);
    }
    return fd;
  }

  /** Creates a directory (and its parents), with its entry on disk. */
  public static void createDirectory(Disk disk, Path dir) throws IOException {
    if (!Files.isDirectory(dir)) {
      disk.createDirectory(dir);
      disk.forceDirectory(dir.getParent());
    }
  }

  /** Removes a directory with everything in it; one that is not there is fine. */
  public static void deleteTree(Path dir) throws IOException {
    deleteTree(Disk.LOCAL, dir);
  }

  /** As {@link #deleteTree(Path)}, by a disk of the caller. */
  public static void deleteTree(Disk disk, Path dir) throws IOException {
    if (!Files.exists(dir)) {
      return;
    }
    Files.walkFileTree(
        dir,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            disk.delete(file);
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
          public FileVisitResult postVisitDirectory(Path visited, IOException e)
              throws IOException {
            if (e != null) {
              throw e;
            }
            disk.delete(visited);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /**
   * The next part of a file that holds data; holes and reserved blocks are passed over.
   *
   * @param from file offset to look from
   * @return begin and end, null when there is none
   */
  public static long[] nextData(Path file, long from) throws IOException {
    final int seekData = 3;
    final int seekHole = 4;
    PosixAPI posix = PosixAPI.posix();
    int fd = posix.open(file.toString(), 0, 0);
    if (fd < 0) {
      // Out of descriptors, say: what is in the file is only out of reach, not gone.
      throw new IOException("cannot open " + file);
    }
    try {
      long begin = posix.lseek(fd, from, seekData);
      if (begin < 0) {
        return null;
      }
      long end = posix.lseek(fd, begin, seekHole);
      return end <= begin ? null : new long[] {begin, end};
    } finally {
      posix.close(fd);
    }
  }

  /** One above the last byte of a file that holds data; holes and reserved blocks follow. */
  public static long dataEnd(Path file) throws IOException {
    long[] end = {0};
    eachData(file, (from, to) -> end[0] = to);
    return Math.min(end[0], Files.size(file));
  }

  /**
   * The bytes of a file that hold data; the holes of a sparse file and blocks that are only
   * reserved do not count.
   */
  public static long allocatedBytes(Path file) throws IOException {
    long[] bytes = {0};
    eachData(file, (from, to) -> bytes[0] += to - from);
    return bytes[0];
  }

  /**
   * As {@link #allocatedBytes}, of all files in a directory; of a small one its size, which takes
   * less to ask for and can be more.
   */
  public static long allocatedBytesIn(Path dir) throws IOException {
    long bytes = 0;
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(dir)) {
      for (Path entry : entries) {
        long size = Files.isRegularFile(entry) ? Files.size(entry) : 0;
        bytes += size <= SMALL_FILE_BYTES ? size : allocatedBytes(entry);
      }
    }
    return bytes;
  }

  /** Told of a range of a file that holds data. */
  private interface DataRange {
    void at(long from, long to);
  }

  private static void eachData(Path file, DataRange range) throws IOException {
    final int seekData = 3;
    final int seekHole = 4;
    PosixAPI posix = PosixAPI.posix();
    long size = Files.size(file);
    int fd = posix.open(file.toString(), 0, 0);
    if (fd < 0) {
      throw new IOException("cannot open " + file);
    }
    try {
      long at = posix.lseek(fd, 0, seekData);
      while (at >= 0 && at < size) {
        long hole = posix.lseek(fd, at, seekHole);
        if (hole <= at) {
          break;
        }
        range.at(at, hole);
        at = posix.lseek(fd, hole, seekData);
      }
    } finally {
      posix.close(fd);
    }
  }

  /** Makes sure that the names in a directory, and in those below it, are on disk. */
  public static void forceTree(Disk disk, Path dir) throws IOException {
    List<Path> all;
    try (Stream<Path> walk = Files.walk(dir)) {
      all = walk.filter(Files::isDirectory).toList();
    }
    for (Path one : all) {
      disk.forceDirectory(one);
    }
  }
}
