package io.holdfast.storage.log;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.StrayFiles;
import io.holdfast.storage.files.SyncFailedException;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The directory of a log that this process writes: which files there are and what they are called,
 * how far they are written, what of them has to be forced, and their removal.
 *
 * <p>Opening deletes {@code metadata.cq4t} (of brokers of 1.0; stale locks in it cost 15 s) and a
 * headerless newest file (a crash during a roll), and puts aside what no log can begin with.
 *
 * <p>Any thread may read and {@link #force}; the log's owner's lock guards {@link #written}. Under
 * this object's monitor files are removed, and Chronicle's are opened and closed.
 */
final class LogDirectory implements LogFiles {
  private static final Logger LOG = LoggerFactory.getLogger(LogDirectory.class);

  private final Path dir;
  private final Disk disk;

  /** Cycles with a file, in order. Written under the monitor, read anywhere. */
  private final ConcurrentSkipListSet<Integer> cycles = new ConcurrentSkipListSet<>();

  /** Cycles whose file has {@link LogFileNames#DAMAGED_SUFFIX}. */
  private final Set<Integer> setAside = ConcurrentHashMap.newKeySet();

  /** The path asked for last: each force asks for the same one. */
  private volatile CyclePath lastPath;

  private record CyclePath(int cycle, Path path) {}

  /** How long the files that were found are, by cycle; bytes. */
  private final Map<Integer, Long> lengths = new HashMap<>();

  private int cutOffs;

  private final ReadFiles readFiles;
  private final CopiedFile copied = new CopiedFile(this);
  private final FileReuse reuse;
  private final DirtyFiles dirty;

  /** The first cycle that this process writes; not known while what is there is looked at. */
  private volatile int firstOwnCycle = Integer.MAX_VALUE;

  /** The end of the newest excerpt, see {@link Position}; without one, of the newest file found. */
  private volatile long written;

  @GuardedBy("this")
  private boolean closed;

  /** Opens an existing directory; the caller holds the data directory's lock. */
  LogDirectory(Path dir, Disk disk, SpareFiles spares) throws IOException {
    this.dir = dir;
    this.disk = disk;
    readFiles = new ReadFiles(disk);
    reuse = new FileReuse(dir, disk, readFiles, spares);
    dirty = new DirtyFiles(dir, disk, this::file);
    cleanUpAndList();
    for (int cycle : cycles) {
      lengths.put(cycle, file(cycle).toFile().length());
    }
    int newest = cycles.isEmpty() ? 0 : cycles.last();
    written = Position.of(newest, 0);
    firstOwnCycle = newest + 1;
  }

  private void cleanUpAndList() throws IOException {
    // Looked through once: a start does it for each of thousands of topics and channels.
    List<Path> leftovers = new ArrayList<>();
    List<Path> strays = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(dir)) {
      for (Path entry : entries) {
        String name = entry.getFileName().toString();
        int cycle = LogFileNames.cycleOf(name);
        boolean isFile = Files.isRegularFile(entry);
        if (name.equals(LogFileNames.LISTING)) {
          leftovers.add(entry);
        } else if (name.endsWith(SizeRollCycle.SUFFIX) && LogFileNames.isStray(entry)) {
          strays.add(entry);
        } else if (cycle >= 0 && isFile) {
          cycles.add(cycle);
          if (LogFileNames.isDamaged(entry)) {
            setAside.add(cycle);
          }
        } else if (isFile && LogFileNames.isLeftover(name)) {
          leftovers.add(entry);
        }
      }
    }
    setAside(strays);
    for (Path leftover : leftovers) {
      disk.delete(leftover);
    }
    removeEmptyNewest();
  }

  /** Chronicle takes all of that suffix for its files, and stumbles over the name or the rest. */
  void setStraysAside() throws IOException {
    List<Path> strays = new ArrayList<>();
    try (DirectoryStream<Path> entries =
        Files.newDirectoryStream(dir, "*" + SizeRollCycle.SUFFIX)) {
      for (Path entry : entries) {
        if (LogFileNames.isStray(entry)) {
          strays.add(entry);
        }
      }
    }
    setAside(strays);
  }

  private void setAside(List<Path> strays) throws IOException {
    for (Path stray : strays) {
      StrayFiles.setAside(
          disk, stray, Files.isRegularFile(stray) ? "no file is named so" : "it is no file");
    }
  }

  /** A crash between creating a file and its first excerpt leaves nothing that counts. */
  private void removeEmptyNewest() throws IOException {
    while (!cycles.isEmpty() && !setAside.contains(cycles.last())) {
      int newest = cycles.last();
      CycleFileHeader header = header(newest);
      if (header == CycleFileHeader.WHOLE || holdsRecords(newest)) {
        return;
      }
      cycles.remove(newest);
      if (header == CycleFileHeader.NONE) {
        disk.delete(file(newest));
      } else {
        StrayFiles.setAside(disk, file(newest), "there is no record in it");
      }
    }
  }

  /** Takes a file out of the log that its owner found not to belong there. At opening only. */
  void leaveOut(int cycle, String why) throws IOException {
    Path stray = file(cycle);
    cycles.remove(cycle);
    setAside.remove(cycle);
    StrayFiles.setAside(disk, stray, why);
  }

  Path path() {
    return dir;
  }

  Disk disk() {
    return disk;
  }

  /** What becomes of files that are finished. */
  FileReuse reuse() {
    return reuse;
  }

  @Override
  public Path file(int cycle) {
    CyclePath last = lastPath;
    if (last == null || last.cycle != cycle) {
      last = new CyclePath(cycle, dir.resolve(SizeRollCycle.fileName(cycle)));
      lastPath = last;
    }
    return setAside.contains(cycle)
        ? last.path.resolveSibling(last.path.getFileName() + LogFileNames.DAMAGED_SUFFIX)
        : last.path;
  }

  @Override
  public int firstCycle() {
    Integer first = cycles.isEmpty() ? null : cycles.ceiling(0);
    return first == null ? -1 : first;
  }

  @Override
  public int cycleAfter(int cycle) {
    Integer next = cycles.higher(cycle);
    return next == null ? -1 : next;
  }

  @Override
  public int cycleBefore(int cycle) {
    Integer before = cycles.lower(cycle);
    return before == null ? -1 : before;
  }

  @Override
  public boolean has(int cycle) {
    return cycles.contains(cycle);
  }

  /** The cycles with a file, oldest first; a live view. */
  ConcurrentSkipListSet<Integer> cycles() {
    return cycles;
  }

  /** The first cycle that this process writes. */
  int firstOwnCycle() {
    return firstOwnCycle;
  }

  /** The cycle of the newest excerpt; without one, of the newest file found. */
  int currentCycle() {
    return Position.cycle(written);
  }

  @Override
  public int completeBelow() {
    return Math.max(currentCycle(), firstOwnCycle);
  }

  @Override
  public long writtenTo(int cycle) {
    long now = written;
    return Position.cycle(now) == cycle ? Position.offset(now) : 0;
  }

  /** How many of the files that were found at opening somebody has cut off since. Owner's lock. */
  int cutOffs() {
    lengths.keySet().retainAll(cycles);
    for (Map.Entry<Integer, Long> found : lengths.entrySet()) {
      long length = file(found.getKey()).toFile().length();
      if (length < found.getValue() && cycles.contains(found.getKey())) {
        LOG.error("{} was cut off or removed by somebody", file(found.getKey()));
        found.setValue(length);
        cutOffs++;
      }
    }
    return cutOffs;
  }

  /** A file was written up to an offset, and a new one is there. Owner's lock. */
  void written(int cycle, long end, boolean isNew) {
    if (isNew) {
      cycles.add(cycle);
    }
    written = Position.of(cycle, end);
    dirty.written(cycle, end);
  }

  /** See {@link ExcerptLog#replacedBelow}. */
  void replacedBelow(int cycle) {
    dirty.replacedBelow(cycle);
  }

  /** See {@link ExcerptLog#force}. */
  void force() throws SyncFailedException {
    dirty.force();
  }

  /** See {@link ExcerptLog#unforced}. */
  List<FilePart> unforced() {
    return dirty.unforced();
  }

  /** What copies are taken of. */
  CopiedFile copied() {
    return copied;
  }

  /** See {@link ExcerptLog#safe}. */
  void safe(List<FilePart> parts) {
    dirty.safe(parts);
  }

  @Override
  public ReadFile open(int cycle) throws IOException {
    return readFiles.open(file(cycle));
  }

  @Override
  public void close(ReadFile file) {
    readFiles.close(file);
  }

  /** Whether the newest file, or the directory of a log without one, is where it was put. */
  boolean isInPlace() {
    Integer newest = cycles.isEmpty() ? null : cycles.floor(Integer.MAX_VALUE);
    if (newest == null) {
      return Files.isDirectory(dir);
    }
    // It may have been removed by us between the two looks.
    return Files.exists(file(newest)) || !cycles.contains(newest);
  }

  /** See {@link ExcerptLog#deleteCycle}. */
  void delete(int cycle) throws IOException {
    Path file;
    Path spare;
    synchronized (this) {
      if (closed) {
        return;
      }
      cycles.remove(cycle);
      dirty.removed(cycle);
      file = file(cycle);
      spare = cycle >= firstOwnCycle ? reuse.leave(file) : null;
      if (spare == null) {
        disk.delete(file);
      }
      // Its name is gone: no copy opens it again.
      copied.removed(cycle);
      setAside.remove(cycle);
    }
    if (spare != null) {
      reuse.make(spare, file);
      if (isClosed()) {
        // Nobody would use it.
        reuse.close();
      }
    }
  }

  /** Bytes on disk of the files of later cycles (blocks, not the sparse size). */
  long diskBytesAfter(int after) {
    long bytes = 0;
    for (int cycle : cycles.tailSet(after, false)) {
      try {
        long onDisk = DurableFiles.allocatedBytes(file(cycle));
        long here = reuse.isAgain(cycle) ? writtenTo(cycle) : 0;
        // Behind it is what the file had before.
        bytes += here > 0 ? Math.min(onDisk, here + CycleFile.SLACK_BYTES) : onDisk;
      } catch (IOException e) {
        LOG.debug("{} went away while it was measured", file(cycle), e);
      }
    }
    return bytes;
  }

  /** Bytes of data in the newest file, whoever wrote it; 0 without one. */
  long newestFileBytes() throws IOException {
    return cycles.isEmpty() ? 0 : DurableFiles.allocatedBytes(file(cycles.last()));
  }

  /** See {@link ExcerptLog#giveBackHoles}. */
  void giveBackHoles() throws IOException {
    long bytes = 0;
    for (int cycle : cycles.headSet(firstOwnCycle)) {
      try (FileHoles holes = openHoles(cycle)) {
        bytes += holes == null ? 0 : holes.giveBack(this::isClosed);
      }
    }
    if (bytes > 0) {
      LOG.info("{}: {} bytes of zeros given back to the disk, holes that a copy lost", dir, bytes);
    }
  }

  /** Under the monitor: after the end of this log the file may be another topic's. */
  private synchronized FileHoles openHoles(int cycle) throws IOException {
    // Of most files it is one look: a start does it for each of thousands of topics and channels.
    return closed || !cycles.contains(cycle) || !FileHoles.isWorth(file(cycle))
        ? null
        : new FileHoles(file(cycle));
  }

  synchronized boolean isClosed() {
    return closed;
  }

  /**
   * Nothing is opened or removed from now on.
   *
   * @return false when it was closed before
   */
  synchronized boolean close() {
    boolean first = !closed;
    closed = true;
    return first;
  }
}
