package io.holdfast.storage.raft;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.LastStop;
import io.holdfast.storage.files.NoSpaceException;
import io.holdfast.storage.log.CycleFile;
import io.holdfast.storage.log.ExcerptLog;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log of a replicated group: entries with index, term and bytes, without gaps. What {@link
 * #force} returned for is there after a kill and after a power cut; if it is not, {@link #open}
 * says so and the group stops. Records only add (see {@link RaftRecord}); entries at the end become
 * void by a record, entries at the beginning go with whole files.
 *
 * <p>What is appended between two forces is a batch. It is written after the force before it
 * returned, so a power cut can tear the last batch only; each record says which ones were on disk
 * before it, so damage before the last batch is known for what it is.
 *
 * <p>Threads: what changes the log is under this object's monitor, also while the disk is waited
 * for; the rest is for any thread and waits for none of that. After an error of the disk that
 * leaves open what is there, everything but {@link #close} fails until the log was opened again.
 */
public final class RaftLog implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(RaftLog.class);
  private static final long MAX_RESERVE_STEP_BYTES = 4 << 20;

  private final RaftLogOptions options;
  private final Disk disk;
  private final ExcerptLog log;
  private final EndMark end;
  private final EntryCursors cursors;
  private final RaftLogState state = new RaftLogState();

  /** Under the monitor, but for {@link RecordWriter#failed}. */
  private final RecordWriter writer;

  private volatile boolean closed;

  private RaftLog(Path dir, Disk disk, RaftLogOptions options, boolean isNew) throws IOException {
    this.options = options;
    this.disk = disk;
    log =
        new ExcerptLog(
            dir,
            disk,
            options.blockBytes(),
            MAX_RESERVE_STEP_BYTES,
            CycleFile.Clearing.OFTEN_FORCED);
    // It has nothing open yet, should this fail.
    end = isNew ? EndMark.create(dir, disk) : EndMark.open(dir, disk);
    cursors = new EntryCursors(log);
    writer = new RecordWriter(log, end, state, options.maxBytesPerFile());
  }

  /**
   * Makes the log of a new group, which begins with index 1. What a crash leaves of it can be
   * removed: until this returned nothing was promised.
   *
   * @param dir an existing directory with nothing in it
   * @throws IOException when there is a log in it, or the disk refuses
   */
  public static RaftLog create(Path dir, Disk disk, RaftLogOptions options) throws IOException {
    RaftLog made = new RaftLog(dir, disk, options, true);
    boolean done = false;
    try {
      made.begin();
      done = true;
      return made;
    } finally {
      if (!done) {
        made.abandon();
      }
    }
  }

  private synchronized void begin() throws IOException {
    if (!log.cycles().isEmpty()) {
      throw new IOException("there is a log in " + log.dir());
    }
    writer.write(RaftRecord.BEGIN, 1, 0, 0, 0, RecordWriter.NOTHING);
    force();
  }

  /**
   * Opens a log and reads all of it. After a power cut that has to be done, with success or with
   * {@link DamagedException}, before anybody notes that the machine was started: a torn end is
   * damage from then on.
   *
   * @param lastStop how the process ended that wrote it: while the machine is up any damage is
   *     damage; after a power cut the last batch may be torn and is cut, see {@link #doubtfulTo}
   * @param term the highest that the group's vote file knows
   * @throws NoSuchFileException when there is no log, or none any more
   * @throws DamagedException when something is missing or wrong that was forced; no record of it is
   *     changed
   * @throws IOException when it cannot be read or written for other reasons
   */
  public static RaftLog open(
      Path dir, Disk disk, RaftLogOptions options, LastStop lastStop, long term)
      throws IOException {
    if (!Files.isDirectory(dir)) {
      throw new NoSuchFileException(dir.toString());
    }
    RaftLog opened = new RaftLog(dir, disk, options, false);
    boolean done = false;
    try {
      opened.recover(lastStop, term);
      done = true;
      return opened;
    } finally {
      if (!done) {
        opened.abandon();
      }
    }
  }

  private synchronized void recover(LastStop lastStop, long term) throws IOException {
    if (log.cycles().isEmpty()) {
      throw new NoSuchFileException(log.file(1).toString());
    }
    RaftLogReplay replay = new RaftLogReplay(log, state, cursors);
    replay.run();
    RaftLogJudge.judge(
        replay, state, log, end.path(), end.read(), lastStop == LastStop.MACHINE_STOPPED);
    if (lastStop != LastStop.CLEAN) {
      // Nobody knows whether the last force worked.
      for (int cycle : log.cycles().tailSet(replay.unforcedCycle())) {
        disk.rewrite(log.file(cycle), DurableFiles.dataEnd(log.file(cycle)));
        disk.force(log.file(cycle), true);
      }
      disk.forceDirectory(log.dir());
    }
    writer.goOnAfter(replay.sequence());
    if (replay.isBroken()) {
      state.doubt(replay.lostTo(disk), term);
      LOG.warn(
          "{}: a power cut tore what was written last: entries from {} on, up to {} at most, are"
              + " gone ({}: {}). No vote until a leader has sent them again",
          log.dir(),
          state.last() + 1,
          state.doubtfulTo(),
          log.where(replay.brokenAt()),
          replay.defect());
      log.roll();
      long index = state.last() + 1;
      writer.write(RaftRecord.RESUME, index, 0, state.lastTerm(), state.lastCrc(), doubt());
      force();
    } else {
      end.write(replay.sequence());
    }
    removeFilesBefore(state.floor());
  }

  private ByteBuffer doubt() {
    long to = state.doubtfulTo();
    return to == 0
        ? RecordWriter.NOTHING
        : ByteBuffer.allocate(2 * Long.BYTES).putLong(to).putLong(state.doubtfulTerm()).flip();
  }

  /**
   * Says who is asked when the disk is full, before an append fails for it: what the log takes is
   * on the way to free space.
   *
   * @param makeRoom whether there is more room now, so that it is worth one more try
   */
  public void whenFull(Predicate<IOException> makeRoom) {
    writer.whenFull(makeRoom);
  }

  /** The lowest entry there is; one above {@link #lastIndex} when there is none. */
  public long firstIndex() {
    return state.floor();
  }

  /** The highest entry there is; one below {@link #firstIndex} when there is none. */
  public long lastIndex() {
    return state.last();
  }

  /** The term of an entry, 0 when there is none of that index. */
  public long termAt(long index) {
    return state.termAt(index);
  }

  /**
   * Up to this index there may have been entries that this node has answered and that were cut when
   * the log was opened, now or earlier; 0 when there is no doubt. Until then the group must neither
   * vote nor stand for election here. It ends by itself when a leader has replicated past it: with
   * an entry of this index, or of a higher term than the one given to {@link #open}.
   */
  public long doubtfulTo() {
    return state.doubtfulTo();
  }

  /** Bytes of its files, as far as they are written. */
  public long bytes() {
    return state.bytes();
  }

  /** How many positions and terms are in memory, 16 bytes each. */
  int indexSize() {
    return state.indexSize();
  }

  /** Where its files are. */
  public Path dir() {
    return log.dir();
  }

  /**
   * Reads an entry. Cheap when it is the one behind one that was read before.
   *
   * @return null when there is none of that index
   * @throws DamagedException when it cannot be read: the group is to stop
   */
  public RaftEntry read(long index) throws IOException {
    RaftLogState.Place place = placeOf(index);
    if (place == null) {
      return null;
    }
    EntryCursor cursor = cursors.take(index);
    try {
      while (true) {
        int newest = log.currentCycle();
        RaftRecord record = cursor.find(index, place);
        if (record != null) {
          return new RaftEntry(index, record.term(), cursor.payload(record));
        }
        // Cut meanwhile, or forgotten; or a roll hid the end of the file from the reader.
        RaftLogState.Place now = placeOf(index);
        if (place.equals(now) && log.currentCycle() == newest) {
          throw cursor.damaged(place.position(), "entry " + index + " is not found");
        }
        if (now == null) {
          return null;
        }
        place = now;
      }
    } finally {
      cursors.giveBack(cursor);
    }
  }

  private RaftLogState.Place placeOf(long index) throws IOException {
    requireWorking();
    return index < state.floor() ? null : state.placeOf(index);
  }

  /**
   * Appends entries; {@link #force} makes them certain. An index that is there already makes void
   * what was there from it on.
   *
   * @param entries with consecutive indexes, the first one not above {@link #lastIndex} + 1
   * @throws IllegalArgumentException when they do not follow; nothing has been appended
   * @throws NoSpaceException when there is no room; those before {@link #lastIndex} are appended
   * @throws IOException when one is too large, which changes nothing, or the disk refuses
   */
  public synchronized void append(List<RaftEntry> entries) throws IOException {
    requireWorking();
    if (entries.isEmpty()) {
      return;
    }
    long first = entries.get(0).index();
    if (first < state.floor() || first > state.last() + 1) {
      throw new IllegalArgumentException(
          "entry " + first + " does not follow " + state.floor() + " to " + state.last());
    }
    long prevTerm = state.lastTerm();
    int prevCrc = state.lastCrc();
    if (first <= state.last()) {
      RaftRecord there = cursors.find(first, state.placeOf(first));
      prevTerm = there.prevTerm();
      prevCrc = there.prevCrc();
    }
    check(entries, prevTerm);
    for (RaftEntry entry : entries) {
      RaftRecord written =
          writer.write(
              RaftRecord.ENTRY, entry.index(), entry.term(), prevTerm, prevCrc, entry.bytes());
      prevTerm = written.term();
      prevCrc = written.crc();
    }
  }

  private void check(List<RaftEntry> entries, long prevTerm) throws IOException {
    long index = entries.get(0).index();
    long term = prevTerm;
    for (RaftEntry entry : entries) {
      if (entry.index() != index || entry.term() < term) {
        throw new IllegalArgumentException(
            "entry " + entry.index() + " of term " + entry.term() + " is out of order");
      }
      if (entry.bytes().remaining() > options.maxEntryBytes()) {
        throw new IOException(
            "an entry of "
                + entry.bytes().remaining()
                + " bytes is larger than "
                + options.maxEntryBytes());
      }
      index++;
      term = entry.term();
    }
  }

  private void requireWorking() throws IOException {
    if (closed) {
      throw new IOException("closed: " + log.dir());
    }
    IOException reason = writer.failed();
    if (reason != null) {
      throw new IOException(log.dir() + " failed before: " + reason.getMessage(), reason);
    }
  }

  /**
   * Waits until everything appended so far is on the disk, cuts included.
   *
   * @throws IOException when the disk refuses: nothing since the last force may be answered
   */
  public synchronized void force() throws IOException {
    requireWorking();
    writer.force();
  }

  /**
   * Makes void what is above an index; certain with the next {@link #force}.
   *
   * @param lastKept not below {@link #firstIndex} - 1; at or above {@link #lastIndex} nothing
   *     happens
   */
  public synchronized void truncateSuffix(long lastKept) throws IOException {
    requireWorking();
    if (lastKept < state.floor() - 1) {
      throw new IllegalArgumentException(lastKept + " is before " + state.floor());
    }
    if (lastKept < state.last()) {
      RaftRecord gone = cursors.find(lastKept + 1, state.placeOf(lastKept + 1));
      writer.write(
          RaftRecord.CUT, lastKept + 1, 0, gone.prevTerm(), gone.prevCrc(), RecordWriter.NOTHING);
    }
  }

  /**
   * Forgets what is below an index, on disk when this returns: first a record says so, then files
   * go that have nothing else. Beyond the end it is a {@link #reset}.
   *
   * @param firstKept at or below {@link #firstIndex} nothing happens
   */
  public synchronized void truncatePrefix(long firstKept) throws IOException {
    requireWorking();
    if (firstKept > state.last()) {
      boolean follows = firstKept == state.last() + 1;
      reset(firstKept, follows ? state.lastTerm() : 0, follows ? state.lastCrc() : 0);
    } else if (firstKept > state.floor()) {
      writer.write(RaftRecord.FIRST, firstKept, 0, 0, 0, doubt());
      force();
      state.first(firstKept);
      removeFilesBefore(firstKept);
    }
  }

  /**
   * Drops all entries, on disk when this returns.
   *
   * @param next index of the entry that comes next, from 1
   */
  public synchronized void reset(long next) throws IOException {
    requireWorking();
    if (next < 1) {
      throw new IllegalArgumentException("no index: " + next);
    }
    reset(next, 0, 0);
  }

  @GuardedBy("this")
  private void reset(long next, long prevTerm, int prevCrc) throws IOException {
    log.roll();
    writer.write(RaftRecord.BEGIN, next, 0, prevTerm, prevCrc, doubt());
    force();
    removeFilesBelow(log.currentCycle());
  }

  /** Removes the files that have nothing at or above an index. */
  @GuardedBy("this")
  private void removeFilesBefore(long index) throws IOException {
    if (log.firstCycle() == log.currentCycle()) {
      return;
    }
    if (index > state.last()) {
      removeFilesBelow(state.floorCycle());
      return;
    }
    EntryCursor cursor = cursors.take(index);
    int needed;
    try {
      needed = cursor.cycleOf(index, state.placeOf(index));
    } finally {
      cursors.giveBack(cursor);
    }
    removeFilesBelow(Math.min(needed, state.floorCycle()));
  }

  /** One after the other, so that a power cut leaves no gap between those that come back. */
  @GuardedBy("this")
  private void removeFilesBelow(int cycle) throws IOException {
    for (int old : log.cycles().headSet(cycle)) {
      log.deleteCycle(old);
      disk.forceDirectory(log.dir());
      state.removed(old);
    }
    cursors.closeRemoved();
  }

  /** Closes its files until they are needed again. */
  public synchronized void closeIdle() {
    log.closeIdle();
    cursors.closeIdle();
    writer.closeIdle();
  }

  /** Forces what was appended, and closes the log. */
  @Override
  public synchronized void close() throws IOException {
    if (closed) {
      return;
    }
    try {
      if (writer.failed() == null) {
        force();
        end.force();
      }
    } finally {
      abandon();
    }
  }

  /** Closes it as it is, without a word to the disk. */
  synchronized void abandon() throws IOException {
    closed = true;
    cursors.close();
    log.close();
    end.close();
  }

  @Override
  public String toString() {
    return "Raft log " + log.dir();
  }
}
