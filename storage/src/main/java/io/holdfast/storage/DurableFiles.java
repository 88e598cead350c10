package io.holdfast.storage;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import net.openhft.posix.PosixAPI;

/** File operations that are complete on the disk when they return. */
public final class DurableFiles {
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

  static void replace(Disk disk, Path file, byte[] content) throws IOException {
    Path temp = file.resolveSibling(file.getFileName() + ".tmp");
    disk.delete(temp);
    disk.createFile(temp);
    Files.write(temp, content, StandardOpenOption.WRITE);
    disk.force(temp, true);
    disk.move(temp, file);
    disk.forceDirectory(file.getParent());
  }

  /** Creates a directory (and its parents), with its entry on disk. */
  static void createDirectory(Disk disk, Path dir) throws IOException {
    if (!Files.isDirectory(dir)) {
      disk.createDirectory(dir);
      disk.forceDirectory(dir.getParent());
    }
  }

  /** Removes a directory with everything in it; one that is not there is fine. */
  public static void deleteTree(Path dir) throws IOException {
    deleteTree(Disk.LOCAL, dir);
  }

  static void deleteTree(Disk disk, Path dir) throws IOException {
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

  /** One above the last byte of a file that holds data; holes and reserved blocks follow. */
  public static long dataEnd(Path file) throws IOException {
    final int seekData = 3;
    final int seekHole = 4;
    PosixAPI posix = PosixAPI.posix();
    long size = Files.size(file);
    int fd = posix.open(file.toString(), 0, 0);
    if (fd < 0) {
      throw new IOException("cannot open " + file);
    }
    try {
      long end = 0;
      long at = posix.lseek(fd, 0, seekData);
      while (at >= 0 && at < size) {
        long hole = posix.lseek(fd, at, seekHole);
        if (hole <= at) {
          break;
        }
        end = hole;
        at = posix.lseek(fd, hole, seekData);
      }
      return Math.min(end, size);
    } finally {
      posix.close(fd);
    }
  }

  /**
   * The bytes of a file that hold data; the holes of a sparse file and blocks that are only
   * reserved do not count.
   */
  public static long allocatedBytes(Path file) throws IOException {
    final int seekData = 3;
    final int seekHole = 4;
    PosixAPI posix = PosixAPI.posix();
    long size = Files.size(file);
    int fd = posix.open(file.toString(), 0, 0);
    if (fd < 0) {
      throw new IOException("cannot open " + file);
    }
    try {
      long bytes = 0;
      long at = posix.lseek(fd, 0, seekData);
      while (at >= 0 && at < size) {
        long hole = posix.lseek(fd, at, seekHole);
        if (hole <= at) {
          break;
        }
        bytes += hole - at;
        at = posix.lseek(fd, hole, seekData);
      }
      return bytes;
    } finally {
      posix.close(fd);
    }
  }
}
