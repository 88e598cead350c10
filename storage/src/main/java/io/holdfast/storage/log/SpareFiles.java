package io.holdfast.storage.log;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.files.Disk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The finished files that all logs of a process keep to be used again: each in the directory of the
 * log that it was of, and will be of. Only logs that begin a file every few seconds keep any; what
 * is not used within some seconds goes, and so do all when the disk is short.
 *
 * <p>A file that is used again has its blocks, and its pages are in the page cache: nothing has to
 * be allocated, no page to be taken from the system, and a force writes data and nothing else.
 *
 * <p>Thread-safe (own monitor).
 */
public final class SpareFiles {
  private static final Logger LOG = LoggerFactory.getLogger(SpareFiles.class);

  /** What one log can use between two turns of housekeeping. */
  private static final int MOST_OF_LOG = 4;

  /** A log that begins files more seldom has no need of them, and leaves none for long. */
  static final long RECENT_NS = TimeUnit.SECONDS.toNanos(5);

  private static final SpareFiles NONE = new SpareFiles(0, Long.MAX_VALUE, () -> false);

  private final int most;
  private final long leastBytes;
  private final BooleanSupplier isAllowed;

  /** Oldest first. */
  @GuardedBy("this")
  private final List<Spare> spares = new ArrayList<>();

  /** How many are being made. */
  @GuardedBy("this")
  private int promised;

  /**
   * One of them.
   *
   * @param bytes from its begin on that have disk blocks
   * @param salt that it begins with
   */
  record Spare(Path file, Disk disk, long bytes, int salt, long sinceNs) {
    boolean isOf(Path dir) {
      return file.getParent().equals(dir);
    }
  }

  /**
   * @param most of all logs together
   * @param leastBytes smaller files are not worth it
   * @param isAllowed whether a file may be kept now: asked for each, by any thread
   */
  public SpareFiles(int most, long leastBytes, BooleanSupplier isAllowed) {
    this.most = most;
    this.leastBytes = leastBytes;
    this.isAllowed = isAllowed;
  }

  /** Keeps none. */
  public static SpareFiles none() {
    return NONE;
  }

  /** What a file has to have on the disk to be kept, bytes. */
  long leastBytes() {
    return leastBytes;
  }

  /**
   * Whether a log may keep one more; {@link #add} or {@link #notAdded} has to follow.
   *
   * @param dir the log's
   */
  boolean promise(Path dir) {
    synchronized (this) {
      long ofLog = spares.stream().filter(spare -> spare.isOf(dir)).count();
      if (spares.size() + promised >= most || ofLog >= MOST_OF_LOG) {
        return false;
      }
      promised++;
    }
    boolean allowed = isAllowed.getAsBoolean();
    if (!allowed) {
      notAdded();
    }
    return allowed;
  }

  /** What was promised was made. */
  synchronized void add(Spare spare) {
    promised--;
    spares.add(spare);
  }

  /** What was promised was not made. */
  synchronized void notAdded() {
    promised--;
  }

  /** One that a log may use now, which is kept no longer; null when there is none. */
  synchronized Spare take(Path dir) {
    // The newest: most of it is in the processor's caches.
    for (int i = spares.size() - 1; i >= 0; i--) {
      if (spares.get(i).isOf(dir)) {
        return spares.remove(i);
      }
    }
    return null;
  }

  /** What they take of the disk, and give back when it is short. */
  public synchronized long bytes() {
    return spares.stream().mapToLong(Spare::bytes).sum();
  }

  /** Removes those that nobody used for some seconds. Housekeeping thread. */
  public void removeUnused() {
    long nowNs = System.nanoTime();
    remove(takeAll(spare -> nowNs - spare.sinceNs() > RECENT_NS));
  }

  /** Removes all: the disk is short. */
  public void removeAll() {
    remove(takeAll(spare -> true));
  }

  /** Removes those of a log, which is at its end. */
  void removeOf(Path dir) {
    remove(takeAll(spare -> spare.isOf(dir)));
  }

  private interface Which {
    boolean is(Spare spare);
  }

  private synchronized List<Spare> takeAll(Which which) {
    List<Spare> taken = new ArrayList<>();
    for (Iterator<Spare> all = spares.iterator(); all.hasNext(); ) {
      Spare spare = all.next();
      if (which.is(spare)) {
        all.remove();
        taken.add(spare);
      }
    }
    return taken;
  }

  private static void remove(List<Spare> gone) {
    for (Spare spare : gone) {
      try {
        spare.disk().delete(spare.file());
      } catch (IOException e) {
        LOG.warn("{} stays until the next start: {}", spare.file(), e.toString());
      }
    }
  }
}
