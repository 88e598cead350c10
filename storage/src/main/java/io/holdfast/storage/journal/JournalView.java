package io.holdfast.storage.journal;

import io.holdfast.storage.log.ExcerptReader;
import io.holdfast.storage.log.LogView;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A topic's journal for those who only look: what a recovery asks of it, and a cursor over its
 * messages. Not thread-safe.
 */
public final class JournalView implements JournalContents {
  /** As much as any broker takes. */
  private static final int MAX_RECORD_BYTES = 1 << 30;

  private final Path dir;
  private final LogView log;
  private final JournalFiles files;
  private OrdinalRanges skipped = new OrdinalRanges();
  private Collection<MessageRef> relocations;
  private long nextOrdinal;

  /**
   * Looks at a directory.
   *
   * @throws IOException when it cannot be read
   */
  public JournalView(Path dir) throws IOException {
    this.dir = dir;
    log = new LogView(dir);
    files = new JournalFiles(log, MAX_RECORD_BYTES);
    MisplacedFiles.find(log, files).keySet().forEach(log::leaveOut);
    nextOrdinal = files.findNextOrdinal();
  }

  /** Why a broker's next start puts files of a journal aside, by file. */
  public static Map<Path, String> misplaced(Path dir) throws IOException {
    LogView log = new LogView(dir);
    Map<Path, String> misplaced = new LinkedHashMap<>();
    MisplacedFiles.find(log, new JournalFiles(log, MAX_RECORD_BYTES))
        .forEach((cycle, why) -> misplaced.put(log.file(cycle), why));
    return misplaced;
  }

  @Override
  public long nextOrdinal() {
    return nextOrdinal;
  }

  @Override
  public long firstOrdinal() throws IOException {
    return files.firstOrdinal(nextOrdinal);
  }

  @Override
  public void raiseNextOrdinal(long ordinal) {
    nextOrdinal = Math.max(nextOrdinal, ordinal);
  }

  @Override
  public void skip(OrdinalRanges ranges) {
    skipped = ranges;
    if (!ranges.isEmpty()) {
      raiseNextOrdinal(ranges.to(ranges.count() - 1));
    }
  }

  @Override
  public long endBelow(long ordinal) throws IOException {
    return files.endBelow(ordinal);
  }

  @Override
  public OrdinalRanges skipped() {
    return skipped;
  }

  @Override
  public Collection<MessageRef> relocations() throws IOException {
    if (relocations == null) {
      relocations = files.relocations().read();
    }
    return relocations;
  }

  /** A cursor over its messages; the caller closes it. */
  public JournalCursor cursor() {
    return new FilesCursor(this, files, "journal " + dir);
  }

  /** A reader of its records. */
  public ExcerptReader reader() {
    return files.reader();
  }

  /** The newest file that begins at or below an ordinal, else the oldest; -1 without files. */
  public int cycleFor(long ordinal) throws IOException {
    return files.cycleFor(ordinal);
  }

  /** The ordinal a file begins with, -1 when nothing in it can be read. */
  public long firstOrdinalOf(int cycle) throws IOException {
    return files.firstOrdinalOf(cycle);
  }

  /** Its files. */
  public LogView log() {
    return log;
  }

  /** Where its files are. */
  public Path dir() {
    return dir;
  }
}
