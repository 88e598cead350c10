package io.holdfast.storage.log;

import io.holdfast.storage.files.Disk;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeMap;

/**
 * The files of a log that is only looked at, perhaps beside a running broker: listed when asked,
 * never changed. The newest one may still be written. Not thread-safe.
 */
public final class LogView implements LogFiles {
  private final Path dir;
  private final boolean withEmpty;
  private final TreeMap<Integer, Path> files = new TreeMap<>();
  private final Set<Integer> leftOut = new HashSet<>();

  /**
   * The files that a broker would have after its start.
   *
   * @param dir one that is not there has no files
   * @throws IOException when it cannot be read
   */
  public LogView(Path dir) throws IOException {
    this(dir, false);
  }

  private LogView(Path dir, boolean withEmpty) throws IOException {
    this.dir = dir;
    this.withEmpty = withEmpty;
    refresh();
  }

  /** Also the newest ones in which there is nothing, which a broker's start takes away. */
  public static LogView withEmpty(Path dir) throws IOException {
    return new LogView(dir, true);
  }

  /**
   * Lists the files again.
   *
   * @return whether there is a newer one than before
   */
  public boolean refresh() throws IOException {
    int newest = newest();
    files.clear();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(dir)) {
      for (Path entry : entries) {
        int cycle = LogFileNames.cycleOf(entry.getFileName().toString());
        if (cycle >= 0 && Files.isRegularFile(entry) && !leftOut.contains(cycle)) {
          files.put(cycle, entry);
        }
      }
    } catch (NoSuchFileException gone) {
      return false;
    }
    if (!withEmpty) {
      leaveOutEmpty();
    }
    return newest() > newest;
  }

  private void leaveOutEmpty() throws IOException {
    for (int newest = newest();
        newest >= 0 && !LogFileNames.isDamaged(files.get(newest));
        newest = newest()) {
      if (header(newest) == CycleFileHeader.WHOLE || holdsRecords(newest)) {
        return;
      }
      files.remove(newest);
    }
  }

  /** From now on a file is not looked at: a broker would put it aside. */
  public void leaveOut(int cycle) {
    leftOut.add(cycle);
    files.remove(cycle);
  }

  private int newest() {
    return files.isEmpty() ? -1 : files.lastKey();
  }

  @Override
  public int firstCycle() {
    return files.isEmpty() ? -1 : files.firstKey();
  }

  @Override
  public int cycleAfter(int cycle) {
    Integer next = files.higherKey(cycle);
    return next == null ? -1 : next;
  }

  @Override
  public int cycleBefore(int cycle) {
    Integer before = files.lowerKey(cycle);
    return before == null ? -1 : before;
  }

  @Override
  public boolean has(int cycle) {
    return files.containsKey(cycle);
  }

  @Override
  public Path file(int cycle) {
    Path file = files.get(cycle);
    return file == null ? dir.resolve(SizeRollCycle.fileName(cycle)) : file;
  }

  @Override
  public int completeBelow() {
    return newest();
  }

  @Override
  public long writtenTo(int cycle) {
    return UNKNOWN;
  }

  @Override
  public ReadFile open(int cycle) throws IOException {
    return new ReadFile(file(cycle), Disk.LOCAL);
  }

  @Override
  public void close(ReadFile file) {
    file.close();
  }
}
