package io.holdfast.storage.raft;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.values.Position;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which entries a log has and where they are, as its records say one after the other: those that
 * are read at opening and those that are written later come in by the same methods. Of positions it
 * has one for each {@link #STEP_BYTES}, and one wherever an entry does not follow in the files upon
 * the entry before it; between two of them all entries are in order.
 *
 * <p>Thread-safe (own monitor): readers ask while the log's one writer appends.
 */
final class RaftLogState {
  /** So much of a file is read at most to find an entry. */
  static final long STEP_BYTES = 64 << 10;

  /**
   * Where to look for an entry.
   *
   * @param index of the entry at the position, at or below the one that is looked for
   * @param position see {@link Position}
   */
  record Place(long index, long position) {}

  /** The lowest entry that is needed; 0 when no record said so yet. */
  @GuardedBy("this")
  private long floor;

  /** The file with the record that said so: it has to stay. */
  @GuardedBy("this")
  private int floorCycle;

  /** The lowest entry that is there; 0 while no record said which entry is the next. */
  @GuardedBy("this")
  private long start;

  @GuardedBy("this")
  private long last;

  /** Of the last entry; 0 when there is none and none is known. */
  @GuardedBy("this")
  private long lastTerm;

  @GuardedBy("this")
  private int lastCrc;

  @GuardedBy("this")
  private final SparseIndex positions = new SparseIndex();

  @GuardedBy("this")
  private final SparseIndex terms = new SparseIndex();

  /** Bytes since the last of {@link #positions}. */
  @GuardedBy("this")
  private long sincePosition;

  /** Whether the next entry does not follow in the files upon the last one. */
  @GuardedBy("this")
  private boolean apart = true;

  @GuardedBy("this")
  private long doubtfulTo;

  @GuardedBy("this")
  private long doubtfulTerm;

  /** Where the records of a file end. */
  @GuardedBy("this")
  private final TreeMap<Integer, Long> ends = new TreeMap<>();

  /** The file that was written last, and where its records end. */
  @GuardedBy("this")
  private int cycle = -1;

  @GuardedBy("this")
  private long end;

  synchronized long floor() {
    return floor;
  }

  synchronized int floorCycle() {
    return floorCycle;
  }

  synchronized long start() {
    return start;
  }

  synchronized long last() {
    return last;
  }

  synchronized long lastTerm() {
    return lastTerm;
  }

  synchronized int lastCrc() {
    return lastCrc;
  }

  /** The term of an entry, 0 when it is not there. */
  synchronized long termAt(long index) {
    return index < floor || index > last ? 0 : terms.value(terms.floor(index));
  }

  /** Where an entry is, null when it is not there. */
  synchronized Place placeOf(long index) {
    if (index < start || index > last) {
      return null;
    }
    int at = positions.floor(index);
    return new Place(positions.index(at), positions.value(at));
  }

  /** How many numbers are kept for the index, for its bound. */
  synchronized int indexSize() {
    return positions.size() + terms.size();
  }

  /**
   * Up to this index there may have been entries that were answered and that a power cut took, or
   * damage that looks like one; 0 when there is no doubt any more. It ends when a leader has
   * replicated past it: with an entry of that index, or of a higher term than the node knew of.
   */
  synchronized long doubtfulTo() {
    return doubtfulTo;
  }

  synchronized long doubtfulTerm() {
    return doubtfulTerm;
  }

  synchronized void doubt(long to, long term) {
    doubtfulTo = Math.max(doubtfulTo, to);
    doubtfulTerm = Math.max(doubtfulTerm, term);
  }

  private synchronized void settle(long index, long term) {
    if (doubtfulTo > 0 && (index >= doubtfulTo || term > doubtfulTerm)) {
      doubtfulTo = 0;
      doubtfulTerm = 0;
    }
  }

  /** A record was read or written; whichever it is comes in by another call. */
  synchronized void recordAt(long position, int bytes) {
    int in = Position.cycle(position);
    if (in != cycle) {
      if (cycle >= 0) {
        ends.put(cycle, end);
      }
      cycle = in;
    }
    end = Position.offset(position) + (long) bytes;
  }

  /** A file is gone. */
  synchronized void removed(int gone) {
    ends.remove(gone);
  }

  /** Where the newest record ends, see {@link Position}; negative without one. */
  synchronized long endPosition() {
    return cycle < 0 ? -1 : Position.of(cycle, end);
  }

  /** Bytes of all files up to their last record. */
  synchronized long bytes() {
    long sum = cycle < 0 ? 0 : end;
    for (Map.Entry<Integer, Long> file : ends.entrySet()) {
      sum += file.getValue();
    }
    return sum;
  }

  /** An entry; it makes void what is there from its index on. */
  synchronized void entry(RaftRecord record, long position) {
    long index = record.index();
    if (start == 0 || index <= last) {
      cut(record);
    }
    boolean due = apart || sincePosition >= STEP_BYTES;
    if (due) {
      positions.add(index, position);
      sincePosition = 0;
      apart = false;
    }
    sincePosition += record.bytes();
    if (terms.size() == 0 || lastTerm != record.term()) {
      terms.add(index, record.term());
    }
    last = index;
    lastTerm = record.term();
    lastCrc = record.crc();
    settle(index, record.term());
  }

  /** What is there from a record's index on is void. */
  synchronized void cut(RaftRecord record) {
    long index = record.index();
    start = start == 0 ? index : Math.min(start, index);
    last = index - 1;
    lastTerm = record.prevTerm();
    lastCrc = record.prevCrc();
    positions.cutFrom(index);
    terms.cutFrom(index);
    apart = true;
  }

  /** What is below an index is not needed; the record that says so came last. */
  synchronized void first(long index) {
    floor = Math.max(floor, index);
    floorCycle = cycle;
    if (start > 0 && start < floor) {
      start = floor;
      positions.dropBelow(floor);
      terms.dropBelow(floor);
    }
  }

  /** Everything is void. */
  synchronized void begin(RaftRecord record) {
    positions.clear();
    terms.clear();
    start = 0;
    cut(record);
    floor = record.index();
    floorCycle = cycle;
    settle(record.index() - 1, 0);
  }

  /** A power cut ended the files before. */
  synchronized void resume(RaftRecord record) {
    if (start == 0) {
      cut(record);
    }
    apart = true;
  }
}
