package io.holdfast.storage.log;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.NoSpaceException;
import io.holdfast.storage.files.SyncFailedException;
import io.holdfast.storage.record.RecordFormat;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One Chronicle Queue used as an append-only log of excerpts in size-rolled files; the journal, the
 * ledger and the Raft log are built on it. It puts together the {@link LogDirectory}, which knows
 * what to do with a directory after a crash, and the {@link LogAppender}.
 *
 * <p>Threads: the owner's lock guards {@link #append} and {@link #roll}; {@link #force} may run
 * beside them in one thread. Files are opened at first use and can be closed while nobody appends.
 */
public final class ExcerptLog implements LogFiles, Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(ExcerptLog.class);

  private final LogDirectory directory;
  private final LogAppender appender;

  /**
   * Opens the log in an existing directory; the caller holds the data directory's lock.
   *
   * @param blockSize bytes mapped at once; at least the largest file, so that each file is one
   *     mapping
   * @param maxReserveBytes how many bytes are reserved ahead at most
   * @param clearing how pages are cleared ahead
   */
  public ExcerptLog(
      Path dir, Disk disk, long blockSize, long maxReserveBytes, CycleFile.Clearing clearing)
      throws IOException {
    this(dir, disk, blockSize, maxReserveBytes, clearing, SpareFiles.none());
  }

  /**
   * As the other one, of a log whose finished files are used again.
   *
   * @param spares keeps them; the log's records have to be of a {@link RecordFormat} that knows of
   *     it
   */
  public ExcerptLog(
      Path dir,
      Disk disk,
      long blockSize,
      long maxReserveBytes,
      CycleFile.Clearing clearing,
      SpareFiles spares)
      throws IOException {
    directory = new LogDirectory(dir, disk, spares);
    appender = new LogAppender(directory, blockSize, maxReserveBytes, clearing);
  }

  /** Takes a file out of the log that its owner found not to belong there. At opening only. */
  public void leaveOut(int cycle, String why) throws IOException {
    directory.leaveOut(cycle, why);
  }

  /** Where its files are. */
  public Path dir() {
    return directory.path();
  }

  @Override
  public Path file(int cycle) {
    return directory.file(cycle);
  }

  @Override
  public int firstCycle() {
    return directory.firstCycle();
  }

  @Override
  public int cycleAfter(int cycle) {
    return directory.cycleAfter(cycle);
  }

  @Override
  public int cycleBefore(int cycle) {
    return directory.cycleBefore(cycle);
  }

  /** The cycles with a file, oldest first; a live view. */
  public ConcurrentSkipListSet<Integer> cycles() {
    return directory.cycles();
  }

  /** The cycle of the newest excerpt; without one, of the newest file found. */
  public int currentCycle() {
    return directory.currentCycle();
  }

  /** Whether the newest file, or the directory of a log without one, is where it was put. */
  public boolean isInPlace() {
    return directory.isInPlace();
  }

  @Override
  public boolean has(int cycle) {
    return directory.has(cycle);
  }

  @Override
  public int completeBelow() {
    return directory.completeBelow();
  }

  @Override
  public long writtenTo(int cycle) {
    return directory.writtenTo(cycle);
  }

  @Override
  public ReadFile open(int cycle) throws IOException {
    return directory.open(cycle);
  }

  @Override
  public void close(ReadFile file) {
    directory.close(file);
  }

  /** Bytes in the file being written, 0 right after a roll. Owner's lock. */
  public long fileBytes() {
    return appender.fileBytes();
  }

  /** Bytes of data in the newest file, whoever wrote it; 0 without one. Owner's lock. */
  public long newestFileBytes() throws IOException {
    return appender.newestFileBytes();
  }

  /** Makes the next append go to a new file. Owner's lock. */
  public void roll() {
    appender.roll();
  }

  /**
   * Appends one excerpt made of two parts. When this returns, the excerpt survives the death of the
   * process (CHRONICLE.md). Owner's lock.
   *
   * @param head begins with the record's head; its checksum may be another one afterwards
   * @return the position of its first payload byte
   * @throws NoSpaceException when there is no room on the disk; nothing has been appended then
   * @throws IOException when the record is too large, which changes nothing, or for any other
   *     reason; then the excerpt may be there or not, and what comes next goes to a new file
   */
  public long append(ByteBuffer head, ByteBuffer body) throws IOException {
    if (appender.isIdle()) {
      OpenLogs.awaitRoom();
    }
    return appender.append(head, body);
  }

  /**
   * Appends excerpts to a new file, and leaves it. Costs a part of {@link #append} where the last
   * time in this process was with excerpts of the same lengths. Owner's lock.
   *
   * @param records not changed
   * @throws IOException as of {@link #append}; some of them may be there then
   */
  public void appendFile(List<ByteBuffer> records) throws IOException {
    appender.appendFile(records);
  }

  /**
   * Looks whether somebody has cut off or removed a file. Owner's lock.
   *
   * @return in how many files that was found since the opening: what they held may be gone
   */
  public int cutOffs() {
    return appender.cutOffs();
  }

  /** Whether an append that failed may nevertheless have left its excerpt. Owner's lock. */
  public boolean isUncertain() {
    return appender.isUncertain();
  }

  /**
   * A new reader, positioned before the oldest excerpt.
   *
   * @param format how the records look that make up the excerpts; null for excerpts of any content,
   *     which cannot be found again behind a damaged header
   */
  public ExcerptReader reader(RecordFormat format) {
    return new ExcerptReader(directory, format);
  }

  /**
   * Forces everything appended before the call to the disk, file by file, and a new file's
   * directory entry with it. Chronicle's own sync does not hold (CHRONICLE.md).
   *
   * @throws SyncFailedException when the disk refuses; nothing may be claimed as durable then
   */
  public void force() throws SyncFailedException {
    directory.force();
  }

  /** What was appended and is on no disk yet, oldest file first. Not beside {@link #force}. */
  public List<FilePart> unforced() {
    return directory.unforced();
  }

  /**
   * Reads a part of a file as it is now.
   *
   * @param to with room for it; its position moves
   * @throws IOException when the disk cannot read it, or it is gone
   */
  public void read(FilePart part, ByteBuffer to) throws IOException {
    directory.copied().read(part, to);
  }

  /** Somebody keeps a copy of these parts on disk until {@link #force}. */
  public void safe(List<FilePart> parts) {
    directory.safe(parts);
  }

  /**
   * Removes a file that nothing needs any more. After the end of this log it does nothing: the
   * directory may be another topic's of the same name by then.
   */
  public void deleteCycle(int cycle) throws IOException {
    directory.delete(cycle);
  }

  /**
   * Files before a cycle need not be forced: it has all that they said. Some of them could not be,
   * as they were cut off.
   */
  public void replacedBelow(int cycle) {
    directory.replacedBelow(cycle);
  }

  /** Removes the files behind a cycle, as far as that can be done. Owner's lock. */
  public void discardAfter(int cycle) {
    roll();
    for (int partial : cycles().tailSet(cycle, false)) {
      try {
        deleteCycle(partial);
      } catch (IOException e) {
        LOG.warn("{} stays, of which nothing counts: {}", file(partial), e.toString());
      }
    }
    // The disk gets the blocks back when the last mapping goes.
    closeIdle();
  }

  /** Bytes on disk of all files (blocks, not the sparse size). */
  public long diskBytes() {
    return directory.diskBytesAfter(-1);
  }

  /** Bytes on disk of the files of later cycles. */
  public long diskBytesAfter(int after) {
    return directory.diskBytesAfter(after);
  }

  /**
   * Gives the disk back what a copy without holes has filled with zeros, in the files that were
   * there at opening: nobody appends to them. Takes long; any thread, without a lock.
   */
  public void giveBackHoles() throws IOException {
    directory.giveBackHoles();
  }

  /** Whether no file is open, so that an append would have to open one. Owner's lock. */
  public boolean isIdle() {
    return appender.isIdle();
  }

  /** Closes the files; the next append opens them again. Owner's lock. */
  public void closeIdle() {
    appender.closeIdle();
  }

  @Override
  public void close() {
    synchronized (directory) {
      if (directory.close()) {
        appender.close();
        directory.reuse().close();
      }
    }
  }
}
