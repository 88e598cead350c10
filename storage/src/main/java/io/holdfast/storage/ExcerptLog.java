package io.holdfast.storage;

import io.holdfast.storage.ExcerptSalvage.RecordFormat;
import java.io.Closeable;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.function.Function;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.bytes.SyncMode;
import net.openhft.chronicle.queue.ChronicleQueue;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.wire.DocumentContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One Chronicle Queue used as an append-only log of excerpts in size-rolled files: the one place
 * that knows how to open such a directory after a crash, how to reserve disk blocks before an
 * append, how to roll, and how to force files to disk. The journal and the ledger are both built on
 * it.
 *
 * <p>Opening deletes {@code metadata.cq4t} (disposable; stale locks in it cost 15 s) and a
 * headerless newest file (a crash during a roll), and the first append of a process always goes to
 * a new file: appending behind an unclean end can hide later excerpts.
 *
 * <p>Threads: the owner's lock guards {@link #append} and {@link #roll}; {@link #force} may run
 * beside them in one thread; opening, closing and deleting files is guarded by this object's
 * monitor. Files are opened at first use and can be closed while nobody reads.
 */
final class ExcerptLog implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(ExcerptLog.class);

  static {
    // Tools and tests come here without the broker's main.
    ChronicleSetup.silence();
  }

  /**
   * From this size on a body is written by call: 64 KiB take 8 us, where clearing them and storing
   * them through the mapping takes 15. Below it the call costs more ({@link CycleFile}).
   */
  private static final int WRITTEN_BY_CALL_BYTES = 16 << 10;

  /** Of a block, what Chronicle is good for (chronicle-facts §5). */
  private static final int LARGEST_EXCERPT_PART = 4;

  private static final long MAX_FOUND_BLOCK_BYTES = 1 << 30;

  /** Four pages of the largest common size, so that block and overlap are whole pages. */
  private static final long BLOCK_ALIGNMENT = 256 << 10;

  /** Chronicle's listing of the directory, and how much of it Chronicle writes to. */
  private static final String LISTING = "metadata.cq4t";

  private static final long LISTING_BYTES = 8 << 10;
  private static final String DAMAGED_SUFFIX = ".damaged";
  private static final int LOCK_TIMEOUT_MS = 500;

  /** Where an excerpt's payload begins: the cycle in the upper half, the file offset below. */
  static long position(int cycle, long offset) {
    return ((long) cycle << 32) | offset;
  }

  static int cycleOf(long position) {
    return (int) (position >>> 32);
  }

  static int offsetOf(long position) {
    return (int) position;
  }

  private final Path dir;
  private final long blockSize;
  private final SizeRollCycle rollCycle;

  /** Cycles with a file, in order. Written under the monitor, read anywhere. */
  private final ConcurrentSkipListSet<Integer> cycles = new ConcurrentSkipListSet<>();

  /**
   * Cycles whose file Chronicle cannot open: renamed, so that it does not try, and still searched
   * by readers.
   */
  private final Set<Integer> setAside = ConcurrentHashMap.newKeySet();

  /** The file asked for last: mostly one is, with each force. */
  private volatile CyclePath lastPath;

  private record CyclePath(int cycle, Path path) {}

  private final Disk disk;
  private final DirtyFiles dirty;

  /** Open readers; the queue stays open while there are any. This monitor. */
  private int readers;

  private ChronicleQueue queue;
  private boolean closed;

  // Owner's lock.
  private ExcerptAppender appender;
  private final CycleFile writeFile;
  private int writeCycle;
  private boolean freshCycle = true;
  private long writePosition;
  private long lastIndex;
  private boolean uncertain;

  /** The first cycle that this process writes. */
  private final int firstOwnCycle;

  /** The newest cycle an excerpt was appended to by this process, else the newest found on disk. */
  private volatile int currentCycle;

  /**
   * Opens the log in an existing directory; the caller holds the data directory's lock.
   *
   * @param blockSize bytes mapped at once; at least the largest file, so that each file is one
   *     mapping
   * @param maxReserveBytes how many bytes are reserved ahead at most
   * @param clearing how pages are cleared ahead
   */
  ExcerptLog(Path dir, Disk disk, long blockSize, long maxReserveBytes, CycleFile.Clearing clearing)
      throws IOException {
    this.dir = dir;
    this.disk = disk;
    dirty = new DirtyFiles(dir, disk, this::file);
    writeFile = new CycleFile(dir, maxReserveBytes, clearing);
    long largestBytes = cleanUpAndList();
    // A damaged file can have grown to any size; such a one is not mapped as a whole.
    this.blockSize =
        Math.max(alignBlock(blockSize), Math.min(blockOf(largestBytes), MAX_FOUND_BLOCK_BYTES));
    currentCycle = cycles.isEmpty() ? 0 : cycles.last();
    writeCycle = currentCycle + 1;
    firstOwnCycle = writeCycle;
    rollCycle = new SizeRollCycle(writeCycle);
  }

  /** The block size that a file of one block was made with: Chronicle adds a quarter to it. */
  private static long blockOf(long fileBytes) {
    final int partsWithOverlap = 5;
    return alignBlock(fileBytes / partsWithOverlap * (partsWithOverlap - 1));
  }

  private static long alignBlock(long bytes) {
    return (bytes + BLOCK_ALIGNMENT - 1) / BLOCK_ALIGNMENT * BLOCK_ALIGNMENT;
  }

  private long cleanUpAndList() throws IOException {
    disk.delete(dir.resolve(LISTING));
    List<Path> leftovers = new ArrayList<>();
    List<Path> strangers = new ArrayList<>();
    long largestBytes = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(dir)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        int cycle = SizeRollCycle.cycleOf(name);
        if (!Files.isRegularFile(file)) {
          if (cycle >= 0) {
            strangers.add(file);
          }
          continue;
        }
        if (name.endsWith(DAMAGED_SUFFIX)) {
          cycle = SizeRollCycle.cycleOf(name.substring(0, name.length() - DAMAGED_SUFFIX.length()));
          if (cycle >= 0) {
            cycles.add(cycle);
            setAside.add(cycle);
          }
        } else if (cycle >= 0) {
          cycles.add(cycle);
          largestBytes = Math.max(largestBytes, Files.size(file));
        } else if (name.endsWith(".precreated") || name.endsWith(".discard")) {
          leftovers.add(file);
        }
      }
    }
    for (Path file : leftovers) {
      disk.delete(file);
    }
    for (Path stranger : strangers) {
      // Chronicle would take it for one of its files.
      Path aside = stranger.resolveSibling(stranger.getFileName() + DAMAGED_SUFFIX);
      Files.move(stranger, aside);
      LOG.error("{} is not a file; renamed to {}", stranger, aside.getFileName());
    }
    boolean newest = true;
    for (Integer cycle : cycles.descendingSet()) {
      Path file = file(cycle);
      CycleFileHeader header = setAside.contains(cycle) ? null : CycleFileHeader.of(file);
      if (header == null || header == CycleFileHeader.WHOLE) {
        newest = false;
      } else if (header == CycleFileHeader.DAMAGED) {
        newest = false;
        setAside(cycle, "its header");
      } else if (newest && !holdsRecords(file)) {
        // A crash between creating the file and writing its header: it never held an excerpt.
        disk.delete(file);
        cycles.remove(cycle);
      } else {
        setAside(cycle, "it has no header");
      }
    }
    return largestBytes;
  }

  /** A page of zeros at the begin does not make the rest worthless. */
  private static boolean holdsRecords(Path file) throws IOException {
    return new ExcerptSalvage(file, RecordFormat.JOURNAL, 0).next()
        || new ExcerptSalvage(file, RecordFormat.LEDGER, 0).next();
  }

  private void setAside(int cycle, String why) throws IOException {
    Path file = file(cycle);
    setAside.add(cycle);
    disk.move(file, file(cycle));
    LOG.error("{} is damaged ({}); renamed to {}", file, why, file(cycle).getFileName());
  }

  Path dir() {
    return dir;
  }

  Path file(int cycle) {
    CyclePath last = lastPath;
    if (last == null || last.cycle != cycle) {
      last = new CyclePath(cycle, dir.resolve(SizeRollCycle.fileName(cycle)));
      lastPath = last;
    }
    return setAside.contains(cycle)
        ? last.path.resolveSibling(last.path.getFileName() + DAMAGED_SUFFIX)
        : last.path;
  }

  /** The oldest cycle with a file, or -1. */
  int firstCycle() {
    Integer first = cycles.isEmpty() ? null : cycles.ceiling(0);
    return first == null ? -1 : first;
  }

  /** The next cycle after this one that has a file, or -1. */
  int cycleAfter(int cycle) {
    Integer next = cycles.higher(cycle);
    return next == null ? -1 : next;
  }

  /** The cycles with a file, oldest first; a live view. */
  ConcurrentSkipListSet<Integer> cycles() {
    return cycles;
  }

  int currentCycle() {
    return currentCycle;
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

  /** Files of cycles below are complete: nothing will be appended to them. */
  int completeBelow() {
    return Math.max(currentCycle, firstOwnCycle);
  }

  /** Bytes in the file being written, 0 right after a roll. Owner's lock. */
  long fileBytes() {
    return freshCycle ? 0 : writePosition;
  }

  /** Bytes of data in the newest file, whoever wrote it; 0 without one. Owner's lock. */
  long newestFileBytes() throws IOException {
    if (!freshCycle) {
      return writePosition;
    }
    return cycles.isEmpty() ? 0 : DurableFiles.allocatedBytes(file(cycles.last()));
  }

  /** Makes the next append go to a new file. Owner's lock. */
  void roll() {
    if (!freshCycle) {
      writeFile.release(writePosition);
      writeCycle++;
      freshCycle = true;
    }
  }

  /**
   * Appends one excerpt made of two parts. When this returns, the excerpt survives the death of the
   * process (chronicle-facts §2a).
   *
   * @return the position of its first payload byte
   * @throws NoSpaceException when there is no room on the disk; nothing has been appended then
   * @throws IOException when the record is too large, which changes nothing, or for any other
   *     reason; then the excerpt may be there or not, and what comes next goes to a new file
   */
  long append(ByteBuffer head, ByteBuffer body) throws IOException {
    int length = head.remaining() + body.remaining();
    uncertain = false;
    if (length > blockSize / LARGEST_EXCERPT_PART) {
      throw new IOException("a record of " + length + " bytes does not fit in a file of " + dir);
    }
    ExcerptAppender to = openAppender();
    boolean newFile = freshCycle;
    boolean byCall = body.isDirect() && body.remaining() >= WRITTEN_BY_CALL_BYTES;
    if (newFile) {
      precreate(length);
    } else {
      writeFile.reserve(writePosition + length);
    }
    long at;
    boolean begun = false;
    try (DocumentContext dc = to.writingDocument()) {
      begun = true;
      try {
        Bytes<?> bytes = dc.wire().bytes();
        at = bytes.writePosition();
        if (!byCall) {
          writeFile.clear(at, at + length);
        }
        bytes.writeSome(head);
        if (byCall) {
          long bodyAt = bytes.writePosition();
          bytes.writeSkip(body.remaining());
          writeFile.writeBody(body, bodyAt);
        } else {
          bytes.writeSome(body);
        }
        writePosition = bytes.writePosition();
        if (writePosition != at + length) {
          throw new IOException(
              "wrote " + (writePosition - at) + " of " + length + " bytes to " + file(writeCycle));
        }
        lastIndex = dc.index();
        writeFile.giveBackBehind(bytes.bytesStore(), at);
        uncertain = true;
      } catch (IOException | RuntimeException | Error e) {
        dc.rollbackOnClose();
        throw e;
      }
    } catch (Exception | InternalError e) {
      // Chronicle stumbles over a damaged header or index in the file, the disk refuses a write, or
      // (InternalError) the system could not provide a mapped page. Chronicle's checked exceptions
      // it does not declare. Only what Chronicle rolled back leaves the file as good as before.
      Path file = file(writeCycle);
      boolean rolledBack = begun && !uncertain && e instanceof RuntimeException && !byCall;
      if (newFile || !rolledBack) {
        abandon();
      }
      throw new IOException("cannot append to " + file + ": " + e, e);
    }
    uncertain = false;
    if (newFile) {
      freshCycle = false;
      cycles.add(writeCycle);
    }
    currentCycle = writeCycle;
    dirty.written(writeCycle, writePosition);
    return position(writeCycle, at);
  }

  /** Whatever is wrong with this file, the next attempt starts with a clean one. */
  private void abandon() {
    writeFile.close();
    freshCycle = true;
    writeCycle++;
  }

  /** Whether an append that failed may have left its excerpt for all that. Owner's lock. */
  boolean isUncertain() {
    return uncertain;
  }

  /** Chronicle's index of the excerpt appended last. Owner's lock. */
  long lastIndex() {
    return lastIndex;
  }

  private ExcerptAppender openAppender() throws IOException {
    if (appender == null) {
      synchronized (this) {
        appender = open(ChronicleQueue::createAppender, cycles.descendingSet());
        appender.singleThreadedCheckDisabled(true);
      }
    }
    return appender;
  }

  /** Gives the new file its first blocks before Chronicle takes it over by renaming it. */
  private void precreate(int length) throws IOException {
    String name = SizeRollCycle.fileName(writeCycle);
    Path early =
        dir.resolve(
            name.substring(0, name.length() - SizeRollCycle.SUFFIX.length()) + ".precreated");
    disk.delete(early);
    disk.createFile(early);
    writeFile.start(early);
    boolean done = false;
    try {
      writeFile.reserve(length + 2 * CycleFile.SLACK_BYTES);
      writeFile.clear(0, CycleFile.SLACK_BYTES);
      done = true;
    } finally {
      if (!done) {
        writeFile.close();
        disk.delete(early);
      }
    }
    writeFile.renamed(dir.resolve(name));
    rollCycle.cycle(writeCycle);
  }

  private ChronicleQueue queue() throws IOException {
    if (closed) {
      throw new IOException("closed: " + dir);
    }
    if (queue == null) {
      reserveListing();
      queue =
          SingleChronicleQueueBuilder.binary(dir)
              .rollCycle(rollCycle)
              .blockSize(blockSize)
              .syncMode(SyncMode.NONE)
              .timeoutMS(LOCK_TIMEOUT_MS)
              .build();
    }
    return queue;
  }

  /**
   * Gives Chronicle's directory listing its blocks before Chronicle writes to it through a mapping,
   * where a full disk is an error of the whole JVM ({@code InternalError}) in any later line.
   */
  private void reserveListing() throws IOException {
    Path listing = dir.resolve(LISTING);
    if (Files.exists(listing)) {
      return;
    }
    boolean done = false;
    try {
      DurableFiles.reserve(listing, LISTING_BYTES);
      done = true;
    } finally {
      if (!done) {
        Files.deleteIfExists(listing);
      }
    }
  }

  /**
   * A new reader, positioned before the oldest excerpt.
   *
   * @param format how the records look that make up the excerpts; null for excerpts of any content,
   *     which cannot be found again behind a damaged header
   */
  ExcerptReader reader(RecordFormat format) {
    return new ExcerptReader(this, format);
  }

  /**
   * Opens an appender or tailer. Where Chronicle stumbles over the header of the file it begins
   * with, that file is set aside.
   *
   * @param files in the order in which Chronicle opens them
   */
  private <T> T open(Function<ChronicleQueue, T> how, Iterable<Integer> files) throws IOException {
    while (true) {
      try {
        return how.apply(queue());
      } catch (NoSpaceException full) {
        throw full;
      } catch (Exception | InternalError e) {
        // Chronicle throws checked ones, too, which it does not declare.
        Integer first = null;
        for (Integer cycle : files) {
          if (first == null && !setAside.contains(cycle)) {
            first = cycle;
          }
        }
        if (first == null || first >= firstOwnCycle || isNotTheFilesFault(e)) {
          throw new IOException("cannot open " + dir + ": " + e, e);
        }
        setAside(first, e.getClass().getSimpleName());
        queue.close();
        queue = null;
      }
    }
  }

  /** No permission, no file descriptor, no memory to map: the file can be as good as ever. */
  private static boolean isNotTheFilesFault(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      String text = String.valueOf(cause.getMessage());
      if (cause instanceof FileNotFoundException
          || cause instanceof FileSystemException
          || text.contains("Too many open files")
          || text.contains("Map failed")) {
        return true;
      }
    }
    return false;
  }

  /** For {@link ExcerptReader}: a tailer; keeps the queue open until {@link #readerClosed}. */
  synchronized ExcerptTailer newTailer() throws IOException {
    ExcerptTailer tailer = open(ChronicleQueue::createTailer, cycles);
    tailer.singleThreadedCheckDisabled(true);
    readers++;
    return tailer;
  }

  synchronized void readerClosed() {
    readers--;
  }

  /**
   * Forces everything appended before the call to the disk, file by file, and a new file's
   * directory entry with it. Chronicle's own sync does not hold (chronicle-facts §3).
   *
   * @throws SyncFailedException when the disk refuses; nothing may be claimed as durable then
   */
  void force() throws SyncFailedException {
    dirty.force();
  }

  /**
   * Removes a file that nothing needs any more; {@link #refreshListing} is to follow. After the end
   * of this log it does nothing: the directory may be another topic's of the same name by then.
   */
  synchronized void deleteCycle(int cycle) throws IOException {
    if (closed) {
      return;
    }
    cycles.remove(cycle);
    dirty.removed(cycle);
    disk.delete(file(cycle));
    setAside.remove(cycle);
  }

  /** Tells Chronicle that files went. Owner's lock: beside a roll it could forget the new file. */
  synchronized void refreshListing() {
    if (queue != null) {
      queue.refreshDirectoryListing();
    }
  }

  /** Bytes on disk of all files (blocks, not the sparse size). */
  long diskBytes() {
    return diskBytesAfter(-1);
  }

  /** Bytes on disk of the files of later cycles. */
  long diskBytesAfter(int after) {
    long bytes = 0;
    for (int cycle : cycles.tailSet(after, false)) {
      try {
        bytes += DurableFiles.allocatedBytes(file(cycle));
      } catch (IOException e) {
        LOG.debug("{} went away while it was measured", file(cycle), e);
      }
    }
    return bytes;
  }

  /** Closes the files when no reader is open; the next use opens them again. Owner's lock. */
  synchronized boolean closeIfUnread() {
    if (queue != null && readers == 0) {
      closeFiles();
      return true;
    }
    return false;
  }

  private void closeFiles() {
    writeFile.close();
    if (appender != null) {
      appender.close();
      appender = null;
    }
    if (queue != null) {
      queue.close();
      queue = null;
    }
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      if (!freshCycle) {
        writeFile.release(writePosition);
      }
      closeFiles();
    }
  }
}
