package io.holdfast.storage.files;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file that does nothing but hold blocks on the data directory's disk. When the disk is full it
 * is given up, so that there is room for what brings space back: checkpoints of ledgers and the
 * metadata file, after which finished journal files can go. Whoever gives it up sees to it that
 * nothing is published before it is kept again.
 *
 * <p>Thread-safe (own monitor).
 */
public final class SpareSpace {
  private static final long MAX_BYTES = 4 << 20;
  private static final long MIN_BYTES = 512 << 10;

  /** Of a small disk it takes this part only. */
  private static final int DISK_PART = 32;

  private final Path file;
  private final long bytes;

  @GuardedBy("this")
  private boolean kept;

  /**
   * @param root the data directory
   * @param diskBytes the size of its disk
   */
  public SpareSpace(Path root, long diskBytes) {
    file = root.resolve("holdfast.spare");
    bytes = Math.max(MIN_BYTES, Math.min(MAX_BYTES, diskBytes / DISK_PART));
  }

  /** How large it is, bytes. */
  public long bytes() {
    return bytes;
  }

  /** Takes the blocks if they are not taken yet; false when the disk has not so many. */
  public synchronized boolean keep() throws IOException {
    if (kept && Files.exists(file)) {
      return true;
    }
    kept = false;
    boolean done = false;
    try {
      StrayFiles.makeWayForFile(Disk.LOCAL, file);
      Files.deleteIfExists(file);
      DurableFiles.reserve(file, bytes);
      done = true;
    } catch (NoSpaceException full) {
      // What this is there to find out.
      return false;
    } finally {
      if (!done) {
        Files.deleteIfExists(file);
      }
    }
    kept = true;
    return true;
  }

  /** Gives the blocks back to the disk. */
  public synchronized void giveUp() throws IOException {
    kept = false;
    Files.deleteIfExists(file);
  }
}
