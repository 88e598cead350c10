package io.holdfast.storage.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts aside what somebody left where one of our files or directories has to be, under a name that
 * nothing of ours has. Nothing is lost by it, and it is said in one line. Stateless.
 */
public final class StrayFiles {
  private static final Logger LOG = LoggerFactory.getLogger(StrayFiles.class);

  /** Of what was put aside; a number may follow. */
  public static final String SUFFIX = ".stray";

  private StrayFiles() {}

  /** Renames something that is not ours. */
  public static void setAside(Disk disk, Path stray, String why) throws IOException {
    Path aside = freeName(stray.resolveSibling(stray.getFileName() + SUFFIX));
    disk.move(stray, aside);
    LOG.error("{} is not ours ({}); renamed to {}", stray, why, aside.getFileName());
  }

  /** A name that nothing has yet: the one wanted, or that with a number. */
  public static Path freeName(Path wanted) {
    Path free = wanted;
    for (int i = 2; isThere(free); i++) {
      free = wanted.resolveSibling(wanted.getFileName() + "-" + i);
    }
    return free;
  }

  /**
   * Makes directories, on disk when this returns; what is there and is none is put aside.
   *
   * @param dirs each before those in it
   */
  public static void makeDirectories(Disk disk, Path... dirs) throws IOException {
    Set<Path> parents = new LinkedHashSet<>();
    for (Path dir : dirs) {
      if (isThere(dir) && !Files.isDirectory(dir)) {
        setAside(disk, dir, "it is no directory");
      }
      if (!Files.isDirectory(dir)) {
        disk.createDirectory(dir);
        parents.add(dir.getParent());
      }
    }
    // Only now: a file system with a journal then has all of them in one transaction.
    for (Path parent : parents) {
      disk.forceDirectory(parent);
    }
  }

  /** Makes sure that a file can be put somewhere: what is there and is none is put aside. */
  public static void makeWayForFile(Disk disk, Path file) throws IOException {
    if (isThere(file) && !Files.isRegularFile(file)) {
      setAside(disk, file, "it is no file");
    }
  }

  /** Whether something has been put aside where only directories are ours. */
  public static boolean isAside(Path path) {
    return path.getFileName().toString().contains(SUFFIX) && !Files.isDirectory(path);
  }

  /** Also a link that leads nowhere. */
  private static boolean isThere(Path path) {
    return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
  }
}
