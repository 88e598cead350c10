package io.holdfast.storage.journal;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.log.CycleFile;
import io.holdfast.storage.log.ExcerptLog;
import io.holdfast.storage.log.SpareFiles;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The durable {@link Journal}: one excerpt of a Chronicle Queue per publish command. Opening reads
 * only the newest file, to find the next ordinal.
 */
public final class ChronicleJournal implements Journal {
  private static final Logger LOG = LoggerFactory.getLogger(ChronicleJournal.class);
  private static final long MAX_RESERVE_STEP_BYTES = 4 << 20;
  private static final long MIN_RESERVE_STEP_BYTES = 64 << 10;
  private static final int RESERVE_STEPS = 8;

  /** Larger files could have so many records that their index comes to where the salt stands. */
  private static final long MAX_BYTES_USED_AGAIN = 256 << 20;

  /** A file with less is not worth a new one. */
  private static final long MIN_LEFT_BYTES = 256 << 10;

  /**
   * Above the last ordinal on disk after a power cut, none can have been given out from here on.
   */
  public static final long MAX_LOST = 2 * GroupCommit.MAX_UNFORCED;

  private final ExcerptLog log;
  private final JournalFiles files;
  private final RetainedFiles retained;
  private final StorageOptions options;
  private final GroupCommit commit;

  /** The head of the record being appended. Topic's lock. */
  private final ByteBuffer head = ByteBuffer.allocateDirect(RecordCodec.JOURNAL_HEAD_BYTES);

  /** The file whose first ordinal was noted last. Topic's lock. */
  private int notedCycle = -1;

  private volatile long nextOrdinal;

  /** Where it ended when it was opened, see {@link #restore}. */
  private JournalEnd openedAt = JournalEnd.EMPTY;

  /** No message has these ordinals: they may have been lost with power. Topic's lock. */
  private OrdinalRanges skipped = new OrdinalRanges();

  /**
   * Opens the journal of a topic.
   *
   * @param dir an existing directory
   * @throws IOException when it cannot be read
   */
  public ChronicleJournal(Path dir, StorageOptions options, SyncThread syncThread)
      throws IOException {
    this(
        dir,
        options,
        syncThread,
        options.synced() ? CycleFile.Clearing.OFTEN_FORCED : CycleFile.Clearing.RARELY_FORCED,
        false);
    for (Map.Entry<Integer, String> stray : MisplacedFiles.find(log, files).entrySet()) {
      log.leaveOut(stray.getKey(), stray.getValue());
      files.removed(stray.getKey());
    }
    files.relocations().note(syncThread.disk(), dir);
    nextOrdinal = files.findNextOrdinal();
  }

  private ChronicleJournal(
      Path dir,
      StorageOptions options,
      SyncThread syncThread,
      CycleFile.Clearing clearing,
      boolean isForcedByOwner)
      throws IOException {
    this.options = options;
    // Not much of a small file, for a kill leaves what is reserved and not used.
    long step = Math.min(MAX_RESERVE_STEP_BYTES, options.maxBytesPerFile() / RESERVE_STEPS);
    log =
        new ExcerptLog(
            dir,
            syncThread.disk(),
            options.journalBlockBytes(),
            Math.max(MIN_RESERVE_STEP_BYTES, step),
            clearing,
            isForcedByOwner || options.maxBytesPerFile() > MAX_BYTES_USED_AGAIN
                ? SpareFiles.none()
                : options.spares());
    commit = new GroupCommit(log, options, syncThread, isForcedByOwner);
    files = new JournalFiles(log, options.maxRecordBytes());
    retained = new RetainedFiles(log, files);
  }

  /**
   * Opens a journal that is a copy of what another log says: it is put back to an end noted before,
   * and nothing but {@link #force} forces it. What was behind the end comes again from that log.
   *
   * @param dir an existing directory
   * @param end as {@link #end()} was; all before it was forced
   * @param nextOrdinal as {@link #nextOrdinal()} was then
   * @param skipped as {@link #skipped()} was then; kept
   * @param checkAll whether all files are read, not only the newest one: they are a copy
   * @throws IOException when something before the end is missing or damaged, naming file and offset
   */
  public static ChronicleJournal restore(
      Path dir,
      StorageOptions options,
      SyncThread syncThread,
      JournalEnd end,
      long nextOrdinal,
      OrdinalRanges skipped,
      boolean checkAll)
      throws IOException {
    JournalCut.cut(dir, end, syncThread.disk());
    ChronicleJournal journal =
        new ChronicleJournal(dir, options, syncThread, CycleFile.Clearing.RARELY_FORCED, true);
    try {
      JournalCut.check(journal.log, end, checkAll, nextOrdinal, skipped);
    } catch (IOException | RuntimeException e) {
      journal.close();
      throw e;
    }
    journal.openedAt = end;
    journal.nextOrdinal = nextOrdinal;
    journal.skipped = skipped;
    return journal;
  }

  /** Where the last record ends that was appended. Topic's lock. */
  public JournalEnd end() {
    int cycle = log.currentCycle();
    long offset = log.writtenTo(cycle);
    return offset > 0 ? new JournalEnd(cycle, offset) : openedAt;
  }

  /**
   * Where a message stands in its own record.
   *
   * @return with no attempts; null when it cannot be read
   */
  public MessageRef find(long ordinal) throws IOException {
    return files.find(ordinal);
  }

  /** Files older than one whose messages are all below an ordinal, see {@link #removeBelow}. */
  public List<Integer> filesBelow(long ordinal, int file) throws IOException {
    return files.below(ordinal, file);
  }

  /** The numbers of all files, oldest first. */
  public List<Integer> fileNumbers() {
    return List.copyOf(log.cycles());
  }

  /** The file of a number, whether there is one or not. */
  public Path file(int number) {
    return log.file(number);
  }

  /** Removes a file that nothing needs any more; one that is gone is fine. */
  public void removeFile(int number) throws IOException {
    log.deleteCycle(number);
    files.removed(number);
  }

  @Override
  public void append(Batch batch) throws IOException {
    commit.requireForced();
    long ordinal = nextOrdinal;
    long timeNs = batch.timestampNs() != 0 ? batch.timestampNs() : options.wallNs().getAsLong();
    long at =
        write(
            RecordCodec.TYPE_BATCH,
            ordinal,
            timeNs,
            batch.deferMs(),
            batch.count(),
            batch.section(),
            batch.sectionCrc());
    noteFirst(Position.cycle(at), ordinal);
    nextOrdinal = ordinal + batch.count();
    int firstMessage = Position.offset(at) + RecordCodec.JOURNAL_HEAD_BYTES;
    batch.appended(ordinal, timeNs, at, firstMessage);
    commit.appended(batch.count());
  }

  /** Remembers with what a file begins; relocated messages do not count. Topic's lock. */
  private void noteFirst(int cycle, long ordinal) {
    if (cycle != notedCycle) {
      notedCycle = cycle;
      files.begins(cycle, ordinal);
    }
  }

  @Override
  public MessageRef relocate(MessageView message) throws IOException {
    commit.requireForced();
    int length = message.bodyLength();
    ByteBuffer section = ByteBuffer.allocate(Integer.BYTES + length);
    section.putInt(length).put(message.body()).flip();
    long ordinal = message.ordinal();
    long at;
    try {
      at =
          write(
              RecordCodec.TYPE_RELOCATED,
              ordinal,
              message.timestampNs(),
              message.deferMs(),
              1,
              section,
              RecordCodec.startCrc(section));
    } catch (IOException e) {
      // It may be there nevertheless, at the end of the newest file or in one behind it.
      files.relocations().mayBeIn(log.currentCycle());
      files.relocations().mayBeIn(log.currentCycle() + 1);
      throw e;
    }
    files.relocations().add(at);
    commit.appended(1);
    int body = Position.offset(at) + RecordCodec.JOURNAL_HEAD_BYTES + Integer.BYTES;
    return new MessageRef(ordinal, at, body, length, 0, true);
  }

  /** Appends one record; returns its position. */
  private long write(
      int type, long ordinal, long timeNs, long deferMs, int count, ByteBuffer section, int crc)
      throws IOException {
    if (commit.takeRollWanted() || log.fileBytes() > options.maxBytesPerFile()) {
      log.roll();
    }
    int headBytes = RecordCodec.JOURNAL_HEAD_BYTES;
    int bytes = headBytes + section.remaining();
    RecordCodec.putHead(head, 0, RecordCodec.JOURNAL_MAGIC, type, bytes, count);
    head.putLong(RecordCodec.ORDINAL_OFFSET, ordinal);
    head.putLong(RecordCodec.TIME_OFFSET, timeNs);
    head.putLong(RecordCodec.DEFER_OFFSET, deferMs);
    RecordCodec.putCrc(head, 0, RecordCodec.finishCrc(crc, head, 0, headBytes));
    try {
      return log.append(head.clear(), section);
    } catch (IOException e) {
      if (type == RecordCodec.TYPE_BATCH && log.isUncertain()) {
        // The record may be there nevertheless: its ordinals must not become another one's.
        nextOrdinal = ordinal + count;
      }
      throw e;
    }
  }

  @Override
  public Collection<MessageRef> relocations() throws IOException {
    return files.relocations().read();
  }

  /**
   * Notes which files have relocated messages, so that nobody has to read them all to know.
   * Housekeeping thread.
   */
  public void noteRelocations() {
    files.relocations().save();
  }

  @Override
  public void force() throws IOException {
    commit.force();
  }

  @Override
  public boolean whenDurable(DurabilityListener listener) {
    return commit.whenDurable(listener);
  }

  @Override
  public long nextOrdinal() {
    return nextOrdinal;
  }

  @Override
  public boolean leaveFile() throws IOException {
    if (log.newestFileBytes() < MIN_LEFT_BYTES) {
      return false;
    }
    writeCount();
    return true;
  }

  @Override
  public boolean endsInRelocations() throws IOException {
    int newest = log.cycles().isEmpty() ? -1 : log.cycles().last();
    return newest > log.firstCycle() && files.firstOrdinalOf(newest) < 0;
  }

  @Override
  public void leaveRelocations() throws IOException {
    writeCount();
  }

  /** A record of no messages at the head of a new file: it keeps the count when all others go. */
  private void writeCount() throws IOException {
    ByteBuffer nothing = ByteBuffer.allocate(0);
    log.roll();
    int crc = RecordCodec.startCrc(nothing);
    long at =
        write(
            RecordCodec.TYPE_BATCH, nextOrdinal, options.wallNs().getAsLong(), 0, 0, nothing, crc);
    noteFirst(Position.cycle(at), nextOrdinal);
    commit.written();
  }

  @Override
  public long firstOrdinal() throws IOException {
    return files.firstOrdinal(nextOrdinal);
  }

  @Override
  public void raiseNextOrdinal(long ordinal) {
    if (ordinal > nextOrdinal) {
      nextOrdinal = ordinal;
    }
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
  public long ordinalAt(long timeNs) throws IOException {
    return files.seek().ordinalAt(timeNs, nextOrdinal);
  }

  @Override
  public JournalCursor cursor() {
    return new FilesCursor(this, files, toString());
  }

  @Override
  public int oldestFile() {
    return log.firstCycle();
  }

  /**
   * Whether nobody removed the newest file, or the directory of a journal without one. Any thread.
   */
  public boolean isInPlace() {
    return log.isInPlace();
  }

  @Override
  public int fileOf(long ordinal) throws IOException {
    return files.cycleFor(ordinal);
  }

  @Override
  public boolean mayGo(int file, long ordinal, int pinned, Retention retention) throws IOException {
    return retained.mayGo(file, ordinal, pinned, retention);
  }

  @Override
  public boolean hasFilesBelow(long ordinal, int file) throws IOException {
    return files.isBelow(log.firstCycle(), ordinal, file);
  }

  @Override
  public int removeBelow(long ordinal, int file, Retention retention) throws IOException {
    int removed = 0;
    for (int cycle : log.cycles()) {
      if (!files.isBelow(cycle, ordinal, file) || !mayGo(cycle, ordinal, file, retention)) {
        break;
      }
      if (removed == 0) {
        // What stays keeps the count of ordinals, and has to be on disk for that.
        commit.force();
      }
      removeFile(cycle);
      removed++;
      LOG.debug("removed {}", log.file(cycle));
    }
    return removed;
  }

  @Override
  public long diskBytes() {
    return log.diskBytes();
  }

  @Override
  public int diskFiles() {
    return log.cycles().size();
  }

  @Override
  public long diskBytesAfter(int file) {
    return log.diskBytesAfter(file);
  }

  /** The files of this journal by their first ordinal, oldest first; for the tools. */
  public Map<Path, Long> files() throws IOException {
    Map<Path, Long> byFile = new LinkedHashMap<>();
    for (int cycle : log.cycles()) {
      byFile.put(log.file(cycle), files.firstOrdinalOf(cycle));
    }
    return byFile;
  }

  @Override
  public void giveBackHoles() throws IOException {
    log.giveBackHoles();
  }

  @Override
  public void closeIdle() {
    log.closeIdle();
  }

  @Override
  public void close() {
    commit.close();
    log.close();
  }

  @Override
  public String toString() {
    return commit.toString();
  }
}
