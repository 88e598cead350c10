package io.holdfast.storage.log;

import io.holdfast.storage.files.ChronicleSetup;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.NoSpaceException;
import io.holdfast.storage.files.StrayFiles;
import io.holdfast.storage.files.SyncFailedException;
import io.holdfast.storage.record.RecordFormat;
import io.holdfast.storage.values.Position;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.bytes.MappedBytes;
import net.openhft.chronicle.core.io.Closeable;
import net.openhft.chronicle.queue.ExcerptAppender;
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
public final class ExcerptLog implements LogFiles, java.io.Closeable {
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

  /** Four pages of the largest common size, so that block and overlap are whole pages. */
  private static final long BLOCK_ALIGNMENT = 256 << 10;

  /** Chronicle's listing of the directory, and how much of it Chronicle writes to. */
  private static final String LISTING = "metadata.cq4t";

  private static final long LISTING_BYTES = 8 << 10;
  private static final String DAMAGED_SUFFIX = ".damaged";

  /** Leaves room to count on. */
  private static final int LAST_CYCLE = Integer.MAX_VALUE - (1 << 20);

  private final Path dir;
  private final long blockSize;
  private final SizeRollCycle rollCycle;

  /** Cycles with a file, in order. Written under the monitor, read anywhere. */
  private final ConcurrentSkipListSet<Integer> cycles = new ConcurrentSkipListSet<>();

  /**
   * Cycles whose file has the suffix that earlier versions gave to what Chronicle could not open.
   */
  private final Set<Integer> setAside = ConcurrentHashMap.newKeySet();

  /** The file asked for last: mostly one is, with each force. */
  private volatile CyclePath lastPath;

  private record CyclePath(int cycle, Path path) {}

  private final Disk disk;
  private final DirtyFiles dirty;

  private final ReadFiles readFiles;

  private OwnFilesQueue queue;
  private boolean closed;

  // Owner's lock.
  private ExcerptAppender appender;
  private final CycleFile writeFile;
  private final MappedFiles mapped = new MappedFiles();

  /** Whether {@link #mapped} has yet to learn of them. */
  private boolean reopened;

  private int writeCycle;

  /** Chronicle does not know of files before. This monitor. */
  private volatile int shownFrom;

  private boolean freshCycle = true;
  private long writePosition;
  private boolean uncertain;

  /** The first cycle that this process writes; not known while what is there is looked at. */
  private volatile int firstOwnCycle = Integer.MAX_VALUE;

  /** The end of the newest excerpt, see {@link Position}; without one, of the newest file found. */
  private volatile long written;

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
    this.dir = dir;
    this.disk = disk;
    readFiles = new ReadFiles(disk);
    dirty = new DirtyFiles(dir, disk, this::file);
    writeFile = new CycleFile(dir, maxReserveBytes, clearing);
    cleanUpAndList();
    this.blockSize = alignBlock(blockSize);
    int newest = cycles.isEmpty() ? 0 : cycles.last();
    written = Position.of(newest, 0);
    writeCycle = newest + 1;
    firstOwnCycle = writeCycle;
    shownFrom = writeCycle;
    rollCycle = new SizeRollCycle(writeCycle);
  }

  /** The cycle of a file of a log by its name, or -1 when no file of ours is named so. */
  public static int cycleOfFile(String name) {
    int stem = name.length() - (name.endsWith(DAMAGED_SUFFIX) ? DAMAGED_SUFFIX.length() : 0);
    int cycle = SizeRollCycle.cycleOf(name.substring(0, stem));
    return cycle <= LAST_CYCLE ? cycle : -1;
  }

  private static long alignBlock(long bytes) {
    return (bytes + BLOCK_ALIGNMENT - 1) / BLOCK_ALIGNMENT * BLOCK_ALIGNMENT;
  }

  private void cleanUpAndList() throws IOException {
    disk.delete(dir.resolve(LISTING));
    List<Path> leftovers = new ArrayList<>();
    setStraysAside();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(dir)) {
      for (Path entry : entries) {
        String name = entry.getFileName().toString();
        int cycle = cycleOfFile(name);
        boolean isFile = Files.isRegularFile(entry);
        if (isOurs(cycle, entry)) {
          cycles.add(cycle);
          if (name.endsWith(DAMAGED_SUFFIX)) {
            setAside.add(cycle);
          }
        } else if (isFile && (name.endsWith(".precreated") || name.endsWith(".discard"))) {
          leftovers.add(entry);
        }
      }
    }
    for (Path leftover : leftovers) {
      disk.delete(leftover);
    }
    removeEmptyNewest();
  }

  private static boolean isOurs(int cycle, Path entry) {
    return cycle >= 0 && cycle <= LAST_CYCLE && Files.isRegularFile(entry);
  }

  /** Chronicle takes all of that suffix for its files, and stumbles over the name or the rest. */
  private void setStraysAside() throws IOException {
    List<Path> strays = new ArrayList<>();
    try (DirectoryStream<Path> entries =
        Files.newDirectoryStream(dir, "*" + SizeRollCycle.SUFFIX)) {
      for (Path entry : entries) {
        if (!isOurs(SizeRollCycle.cycleOf(entry.getFileName().toString()), entry)) {
          strays.add(entry);
        }
      }
    }
    for (Path stray : strays) {
      StrayFiles.setAside(
          disk, stray, Files.isRegularFile(stray) ? "no file is named so" : "it is no file");
    }
  }

  /** A crash between creating a file and its first excerpt leaves nothing that counts. */
  private void removeEmptyNewest() throws IOException {
    while (!cycles.isEmpty() && !setAside.contains(cycles.last())) {
      int newest = cycles.last();
      CycleFileHeader header = header(this, newest);
      if (header == CycleFileHeader.WHOLE || holdsRecords(this, newest)) {
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

  /** What the file of a cycle begins with. */
  public static CycleFileHeader header(LogFiles files, int cycle) throws IOException {
    ReadFile file = files.open(cycle);
    try {
      return CycleFileHeader.read(file).header();
    } finally {
      files.close(file);
    }
  }

  /** A page of zeros at the begin does not make the rest worthless. */
  public static boolean holdsRecords(LogFiles files, int cycle) throws IOException {
    for (RecordFormat format : List.of(RecordFormat.JOURNAL, RecordFormat.LEDGER)) {
      try (ExcerptReader reader = new ExcerptReader(files, format)) {
        if (reader.moveToCycle(cycle) && reader.nextInFile()) {
          return true;
        }
      }
    }
    return false;
  }

  /** Whether a file has a name that earlier versions gave to what Chronicle could not open. */
  public static boolean isDamagedName(Path file) {
    return file.getFileName().toString().endsWith(DAMAGED_SUFFIX);
  }

  /** Takes a file out of the log that its owner found not to belong there. At opening only. */
  public void leaveOut(int cycle, String why) throws IOException {
    Path stray = file(cycle);
    cycles.remove(cycle);
    setAside.remove(cycle);
    StrayFiles.setAside(disk, stray, why);
  }

  /** Where its files are. */
  public Path dir() {
    return dir;
  }

  @Override
  public Path file(int cycle) {
    CyclePath last = lastPath;
    if (last == null || last.cycle != cycle) {
      last = new CyclePath(cycle, dir.resolve(SizeRollCycle.fileName(cycle)));
      lastPath = last;
    }
    return setAside.contains(cycle)
        ? last.path.resolveSibling(last.path.getFileName() + DAMAGED_SUFFIX)
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

  /** The cycles with a file, oldest first; a live view. */
  public ConcurrentSkipListSet<Integer> cycles() {
    return cycles;
  }

  /** The cycle of the newest excerpt; without one, of the newest file found. */
  public int currentCycle() {
    return Position.cycle(written);
  }

  /** Whether the newest file, or the directory of a log without one, is where it was put. */
  public boolean isInPlace() {
    Integer newest = cycles.isEmpty() ? null : cycles.floor(Integer.MAX_VALUE);
    if (newest == null) {
      return Files.isDirectory(dir);
    }
    // It may have been removed by us between the two looks.
    return Files.exists(file(newest)) || !cycles.contains(newest);
  }

  @Override
  public boolean has(int cycle) {
    return cycles.contains(cycle);
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

  @Override
  public ReadFile open(int cycle) throws IOException {
    return readFiles.open(file(cycle));
  }

  @Override
  public void close(ReadFile file) {
    readFiles.close(file);
  }

  /** Bytes in the file being written, 0 right after a roll. Owner's lock. */
  public long fileBytes() {
    return freshCycle ? 0 : writePosition;
  }

  /** Bytes of data in the newest file, whoever wrote it; 0 without one. Owner's lock. */
  public long newestFileBytes() throws IOException {
    if (!freshCycle) {
      return writePosition;
    }
    return cycles.isEmpty() ? 0 : DurableFiles.allocatedBytes(file(cycles.last()));
  }

  /** Makes the next append go to a new file. Owner's lock. */
  public void roll() {
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
  public long append(ByteBuffer head, ByteBuffer body) throws IOException {
    int length = head.remaining() + body.remaining();
    uncertain = false;
    if (length > blockSize / LARGEST_EXCERPT_PART) {
      throw new IOException("a record of " + length + " bytes does not fit in a file of " + dir);
    }
    leaveFileCutOff();
    ExcerptAppender to = appender == null ? openAppender() : appender;
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
        writeFile.giveBackBehind(bytes.bytesStore(), at);
        if (newFile || reopened) {
          mapped.are(
              file(writeCycle),
              (MappedBytes) bytes,
              dir.resolve(LISTING),
              queue.metaStore().bytes());
          reopened = false;
        }
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
    written = Position.of(writeCycle, writePosition);
    dirty.written(writeCycle, writePosition);
    return Position.of(writeCycle, at);
  }

  /** Chronicle must not touch what is not there any more. */
  private void leaveFileCutOff() {
    File cut = mapped.cutOff();
    if (cut == null && appender == null && !freshCycle) {
      // Closed meanwhile; Chronicle would go on where it ended.
      File file = file(writeCycle).toFile();
      cut = file.length() < writePosition ? file : null;
    }
    if (cut != null) {
      LOG.error("{} was cut off or removed by somebody; going on in a new file", cut);
      abandon();
    }
  }

  /** Whatever is wrong with this file, the next attempt starts with a clean one. */
  private synchronized void abandon() {
    freshCycle = true;
    writeCycle++;
    // Chronicle would mark its end, in the place that may be what is wrong.
    shownFrom = writeCycle;
    closeFiles();
  }

  /** Whether an append that failed may have left its excerpt for all that. Owner's lock. */
  public boolean isUncertain() {
    return uncertain;
  }

  private synchronized ExcerptAppender openAppender() throws IOException {
    if (closed) {
      throw new IOException("closed: " + dir);
    }
    try {
      return createAppender();
    } catch (NoSpaceException full) {
      closeFiles();
      throw full;
    } catch (Exception | InternalError e) {
      // Chronicle throws checked ones, too, which it does not declare. It has looked at its listing
      // and at the file it is to go on with: once more without them.
      LOG.warn("{} cannot be gone on with: {}", dir, e.toString());
      abandon();
      disk.delete(dir.resolve(LISTING));
    }
    try {
      return createAppender();
    } catch (NoSpaceException full) {
      closeFiles();
      throw full;
    } catch (Exception | InternalError e) {
      closeFiles();
      throw new IOException("cannot open " + dir + ": " + e, e);
    }
  }

  private ExcerptAppender createAppender() throws IOException {
    setStraysAside();
    reserveListing();
    queue = OwnFilesQueue.open(dir, rollCycle, blockSize, () -> cycles.tailSet(shownFrom, true));
    appender = queue.createAppender();
    appender.singleThreadedCheckDisabled(true);
    reopened = !freshCycle;
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
    Path file = dir.resolve(name);
    if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      // Chronicle would append to it.
      StrayFiles.setAside(disk, file, "somebody put it there");
    }
    writeFile.renamed(file);
    rollCycle.cycle(writeCycle);
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
  public ExcerptReader reader(RecordFormat format) {
    return new ExcerptReader(this, format);
  }

  /**
   * Forces everything appended before the call to the disk, file by file, and a new file's
   * directory entry with it. Chronicle's own sync does not hold (chronicle-facts §3).
   *
   * @throws SyncFailedException when the disk refuses; nothing may be claimed as durable then
   */
  public void force() throws SyncFailedException {
    dirty.force();
  }

  /**
   * Removes a file that nothing needs any more. After the end of this log it does nothing: the
   * directory may be another topic's of the same name by then.
   */
  public synchronized void deleteCycle(int cycle) throws IOException {
    if (closed) {
      return;
    }
    cycles.remove(cycle);
    dirty.removed(cycle);
    disk.delete(file(cycle));
    setAside.remove(cycle);
  }

  /** Bytes on disk of all files (blocks, not the sparse size). */
  public long diskBytes() {
    return diskBytesAfter(-1);
  }

  /** Bytes on disk of the files of later cycles. */
  public long diskBytesAfter(int after) {
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

  /**
   * Gives the disk back what a copy without holes has filled with zeros, in the files that were
   * there at opening: nobody appends to them. Takes long; any thread, without a lock.
   */
  public void giveBackHoles() throws IOException {
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
    return closed || !cycles.contains(cycle) ? null : new FileHoles(file(cycle));
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  /** Closes the files; the next append opens them again. Owner's lock. */
  public synchronized void closeIdle() {
    closeFiles();
  }

  private void closeFiles() {
    writeFile.close();
    mapped.none();
    ExcerptAppender openAppender = appender;
    OwnFilesQueue openQueue = queue;
    appender = null;
    queue = null;
    Closeable.closeQuietly(openAppender, openQueue);
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
