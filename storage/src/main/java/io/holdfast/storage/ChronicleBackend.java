package io.holdfast.storage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The durable backend of a channel: a cursor over the topic's journal, and the ledger of what
 * became of the messages. Taking overflow costs nothing but a count, the journal has it already.
 *
 * <p>Ordinals below {@code cursor} are with the channel (memory queue, in flight, held) or
 * finished; from {@code cursor} to {@code end} they are here, but for those in {@code skip}.
 */
public final class ChronicleBackend implements BackendQueue {
  private static final Logger LOG = LoggerFactory.getLogger(ChronicleBackend.class);

  /** The skip set is a set only; its floor must never rise. */
  private static final long NO_FLOOR = -1;

  private final JournalCursor journal;
  private final Ledger ledger;
  private final FinishedSet finished;

  /** Ordinals at or above {@link #cursor} that are finished or held elsewhere. */
  private FinishedSet skip;

  /** How many of them there are. */
  private long skipCount;

  /** What was delivered once before the process started; null when the cursor is past all of it. */
  private FinishedSet delivered;

  private long cursor;
  private long end;

  /**
   * The floor as the ledger has it: while it is behind, journal files above stay, so that a crash
   * delivers again what it does not know to be finished.
   */
  private long recordedFloor;

  /** Messages of this channel that could not be read. */
  private long unreadable;

  private final OrdinalRanges gap = new OrdinalRanges();

  private ChronicleBackend(JournalCursor journal, Ledger ledger, LedgerState state, long end) {
    this.journal = journal;
    this.ledger = ledger;
    this.end = end;
    finished = state.finished();
    cursor = finished.floor();
    recordedFloor = cursor;
    skip = new FinishedSet(NO_FLOOR);
    delivered = state.delivered();
  }

  /**
   * Opens the backend of a channel: new with everything from an ordinal on, or as its ledger says.
   *
   * @param dir the channel's directory, which exists
   * @param first where a new channel begins
   * @param heldFrom what the topic itself holds back begins here; negative for nothing
   * @param held receives the messages the channel holds, by ordinal
   */
  public static ChronicleBackend open(
      Path dir,
      Journal topicJournal,
      SyncThread syncThread,
      long first,
      long heldFrom,
      List<HeldMessage> held)
      throws IOException {
    Ledger ledger = new Ledger(dir, syncThread);
    LedgerState state = ledger.replay();
    boolean isNew = state == null;
    if (isNew) {
      // Files without a record are a creation cut short, or damage: rather too much than too
      // little.
      state = new LedgerState(ledger.hasFiles() ? topicJournal.firstOrdinal() : first);
    } else if (ledger.isDamaged()) {
      // It may have lost its floor; what is in no file any more was finished by everyone.
      state.finish(0, topicJournal.firstOrdinal());
    }
    topicJournal.raiseNextOrdinal(state.endOrdinal());
    // The ledger can know of more than a held-back mark that a crash kept from being rewritten.
    long end = heldFrom >= 0 ? Math.max(heldFrom, state.endOrdinal()) : topicJournal.nextOrdinal();
    ChronicleBackend backend = new ChronicleBackend(topicJournal.cursor(), ledger, state, end);
    backend.journal.moveTo(backend.cursor);
    state
        .finished()
        .segments()
        .forEach((key, bitmap) -> backend.skip.segments().put(key, bitmap.clone()));
    for (HeldMessage message : state.held()) {
      long ordinal = message.ref().ordinal();
      if (ordinal >= backend.cursor && ordinal < end) {
        backend.skip.add(ordinal, ordinal + 1);
        held.add(message);
      }
    }
    backend.skipCount = backend.skip.countFrom(backend.cursor);
    if (isNew) {
      // Before the channel's creation is acknowledged: it says where the channel begins.
      boolean done = false;
      try {
        ledger.checkpoint(backend.finished, end, List.<HeldMessage>of().iterator(), null);
        done = true;
      } finally {
        if (!done) {
          backend.close();
        }
      }
    }
    return backend;
  }

  @Override
  public boolean isCaughtUp() {
    settle();
    return cursor == end;
  }

  /** When nothing before the end is left to deliver, the cursor is at the end. */
  private void settle() {
    if (cursor < end && depth() == 0) {
      cursor = end;
      skipCount = 0;
      skip = new FinishedSet(NO_FLOOR);
    }
  }

  @Override
  public void put(Batch batch, int inMemory) throws IOException {
    boolean caughtUp = isCaughtUp();
    long gapFrom = end;
    passGap(batch.firstOrdinal());
    end = batch.endOrdinal();
    if (caughtUp) {
      cursor = batch.firstOrdinal() + inMemory;
      if (inMemory < batch.count()) {
        journal.moveTo(batch, cursor);
      }
    }
    finishGap(gapFrom, batch.firstOrdinal());
  }

  @Override
  public void extend(long newEnd) {
    if (newEnd > end) {
      end = newEnd;
    }
  }

  @Override
  public void putHeld(Batch batch, List<HeldMessage> messages) throws IOException {
    boolean caughtUp = isCaughtUp();
    long gapFrom = end;
    passGap(batch.firstOrdinal());
    end = batch.endOrdinal();
    if (caughtUp) {
      cursor = end;
    } else {
      skip.add(batch.firstOrdinal(), batch.endOrdinal());
      skipCount += batch.count();
    }
    finishGap(gapFrom, batch.firstOrdinal());
    hold(messages);
  }

  @Override
  public void skipTo(long ordinal) throws IOException {
    long gapFrom = end;
    passGap(ordinal);
    finishGap(gapFrom, ordinal);
  }

  /** Moves the end up to an ordinal; what lies between will not come. */
  private void passGap(long ordinal) {
    if (ordinal <= end) {
      return;
    }
    if (isCaughtUp()) {
      cursor = ordinal;
    } else {
      skip.add(end, ordinal);
      skipCount += ordinal - end;
    }
    end = ordinal;
  }

  /** After the positions are right: a disk error here must not leave them half-changed. */
  private void finishGap(long from, long to) throws IOException {
    if (from < to) {
      gap.clear();
      gap.add(from, to);
      finish(gap);
    }
  }

  @Override
  public long depth() {
    return end - cursor - skipCount;
  }

  @Override
  public boolean poll(MessageView to) throws IOException {
    if (depth() == 0) {
      settle();
      return false;
    }
    if (journal.nextOrdinal() != cursor) {
      journal.moveTo(cursor);
    }
    while (journal.next(to, end)) {
      long ordinal = to.ordinal();
      if (ordinal > cursor) {
        pastUnreadable(ordinal);
      }
      cursor = ordinal + 1;
      if (skipCount == 0 || !skip.contains(ordinal)) {
        to.setAttempts(attempts(ordinal));
        return true;
      }
      skipCount--;
    }
    if (journal.nextOrdinal() > cursor) {
      pastUnreadable(journal.nextOrdinal());
    }
    return false;
  }

  private int attempts(long ordinal) {
    if (delivered == null) {
      return 0;
    }
    if (ordinal >= delivered.end()) {
      delivered = null;
      return 0;
    }
    return delivered.contains(ordinal) ? 1 : 0;
  }

  /** The journal has nothing to read between the cursor and an ordinal: that counts as finished. */
  private void pastUnreadable(long ordinal) {
    long skipped = skip.countFrom(cursor) - skip.countFrom(ordinal);
    skipCount -= skipped;
    unreadable += ordinal - cursor - skipped;
    long from = cursor;
    cursor = ordinal;
    try {
      finishGap(from, ordinal);
    } catch (IOException e) {
      // Not the delivery's business: the ledger is behind until the next checkpoint.
      LOG.debug("{}", ledger, e);
    }
  }

  @Override
  public boolean read(MessageRef ref, MessageView to) throws IOException {
    boolean readable = journal.read(ref, to);
    if (!readable) {
      unreadable++;
    }
    return readable;
  }

  @Override
  public boolean keepsBodies() {
    return true;
  }

  @Override
  public void finish(OrdinalRanges ranges) throws IOException {
    finished.add(ranges);
    ledger.finish(ranges);
    noteFloor();
  }

  @Override
  public void deliver(OrdinalRanges ranges) throws IOException {
    ledger.deliver(ranges);
  }

  @Override
  public void hold(List<HeldMessage> messages) throws IOException {
    ledger.hold(messages);
  }

  @Override
  public void empty() throws IOException {
    cursor = end;
    skip = new FinishedSet(NO_FLOOR);
    skipCount = 0;
    delivered = null;
    finished.raiseFloor(end);
    ledger.empty(end);
    noteFloor();
  }

  private void noteFloor() {
    if (!ledger.isBehind()) {
      recordedFloor = finished.floor();
    }
  }

  @Override
  public long dropped() {
    return 0;
  }

  @Override
  public long floor() {
    return recordedFloor;
  }

  @Override
  public boolean isBehind() {
    return ledger.isBehind();
  }

  @Override
  public boolean wantsCheckpoint() {
    return ledger.wantsCheckpoint();
  }

  @Override
  public void checkpoint(Iterator<HeldMessage> held) throws IOException {
    if (ledger.isDirty()) {
      ledger.checkpoint(finished, end, held, delivered);
      noteFloor();
    }
  }

  @Override
  public void removeOldFiles() throws IOException {
    ledger.removeOldFiles();
  }

  @Override
  public void filesRemoved() {
    ledger.filesRemoved();
  }

  @Override
  public void journalFilesRemoved() {
    journal.filesRemoved();
  }

  @Override
  public long unreadable() {
    return unreadable;
  }

  @Override
  public long diskBytes() {
    return ledger.diskBytes();
  }

  @Override
  public void closeIdle() {
    journal.release();
    ledger.closeIdle();
  }

  @Override
  public void close() {
    journal.close();
    ledger.close();
  }
}
