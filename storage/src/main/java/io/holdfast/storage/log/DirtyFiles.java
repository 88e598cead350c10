package io.holdfast.storage.log;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.SyncFailedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntFunction;

/**
 * The files of one log that were written since they were last forced, and the forcing of them.
 *
 * <p>After a failed force the kernel may hold the pages for clean that it could not write, so that
 * a second one would succeed without writing anything. Such a file is rewritten before it is forced
 * again, and its log goes on in a new file.
 *
 * <p>Any thread; the forces come one after the other.
 */
public final class DirtyFiles {
  private final Path dir;
  private final Disk disk;
  private final IntFunction<Path> files;

  /** Offset behind the last byte written, by cycle. */
  @GuardedBy("dirty")
  private final TreeMap<Integer, Long> dirty = new TreeMap<>();

  /** Up to where a file is on disk, here or by somebody who keeps a copy; by cycle. */
  @GuardedBy("dirty")
  private final TreeMap<Integer, Long> safeTo = new TreeMap<>();

  private final Object forcing = new Object();

  /** Files whose size and directory entry are on disk. */
  @GuardedBy("forcing")
  private final Set<Integer> forcedOnce = new HashSet<>();

  /** Files whose last force failed. */
  @GuardedBy("forcing")
  private final Set<Integer> suspect = new HashSet<>();

  /**
   * @param files the path of a cycle's file
   */
  DirtyFiles(Path dir, Disk disk, IntFunction<Path> files) {
    this.dir = dir;
    this.disk = disk;
    this.files = files;
  }

  /** A file was written up to an offset. */
  void written(int cycle, long end) {
    synchronized (dirty) {
      dirty.put(cycle, end);
    }
  }

  /** A file is gone. */
  void removed(int cycle) {
    synchronized (dirty) {
      dirty.remove(cycle);
      safeTo.remove(cycle);
    }
  }

  /**
   * What is on no disk yet, oldest file first. Not beside a {@link #force}: while that runs it is
   * held for done.
   */
  List<FilePart> unforced() {
    List<FilePart> parts = new ArrayList<>();
    synchronized (dirty) {
      dirty.forEach(
          (cycle, end) -> {
            long from = safeTo.getOrDefault(cycle, 0L);
            if (from < end) {
              parts.add(new FilePart(cycle, from, end));
            }
          });
    }
    return parts;
  }

  /** Somebody keeps a copy of these parts on disk until the files are forced. */
  void safe(List<FilePart> parts) {
    synchronized (dirty) {
      parts.forEach(part -> safeTo.merge(part.cycle(), part.to(), Math::max));
    }
  }

  /** What is complete is asked for no more; the newest file may go on. */
  private void forced(NavigableMap<Integer, Long> now) {
    synchronized (dirty) {
      now.forEach((cycle, end) -> safeTo.merge(cycle, end, Math::max));
      safeTo.headMap(now.lastKey()).keySet().retainAll(dirty.keySet());
    }
  }

  /** Files before a cycle need not be forced: a newer one has all that they said. */
  void replacedBelow(int cycle) {
    synchronized (dirty) {
      dirty.headMap(cycle).clear();
      safeTo.headMap(cycle).clear();
    }
  }

  /**
   * Forces everything written before the call, file by file, and then the directory for new ones.
   *
   * @throws SyncFailedException when the disk refuses; nothing may be claimed as durable then
   */
  void force() throws SyncFailedException {
    synchronized (forcing) {
      TreeMap<Integer, Long> now;
      synchronized (dirty) {
        if (dirty.isEmpty()) {
          return;
        }
        now = new TreeMap<>(dirty);
        dirty.clear();
      }
      boolean done = false;
      try {
        force(now);
        if (!now.isEmpty()) {
          forced(now);
        }
        done = true;
      } finally {
        if (!done) {
          synchronized (dirty) {
            now.forEach((cycle, end) -> dirty.merge(cycle, end, Math::max));
          }
        }
      }
    }
  }

  @GuardedBy("forcing")
  private void force(Map<Integer, Long> now) throws SyncFailedException {
    Set<Integer> created = new HashSet<>();
    for (Iterator<Map.Entry<Integer, Long>> all = now.entrySet().iterator(); all.hasNext(); ) {
      Map.Entry<Integer, Long> entry = all.next();
      int cycle = entry.getKey();
      Path file = files.apply(cycle);
      if (!Files.exists(file)) {
        continue;
      }
      if (file.toFile().length() < entry.getValue()) {
        // What is gone cannot be forced; the next force is of what there is.
        all.remove();
        throw new SyncFailedException(
            file.toString(), new IOException("it was cut off by somebody before it was forced"));
      }
      boolean first = !forcedOnce.contains(cycle);
      try {
        if (suspect.contains(cycle)) {
          disk.rewrite(file, entry.getValue());
        }
        disk.force(file, first);
      } catch (IOException e) {
        suspect.add(cycle);
        throw new SyncFailedException(file.toString(), e);
      } catch (RuntimeException | Error e) {
        suspect.add(cycle);
        throw e;
      }
      suspect.remove(cycle);
      if (first) {
        created.add(cycle);
      }
    }
    if (!created.isEmpty()) {
      try {
        disk.forceDirectory(dir);
      } catch (IOException e) {
        throw new SyncFailedException(dir.toString(), e);
      }
      forcedOnce.addAll(created);
    }
  }
}
