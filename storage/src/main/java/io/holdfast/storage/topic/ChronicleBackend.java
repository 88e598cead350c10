package io.holdfast.storage.topic;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.Journal;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.ledger.CarriedMessages;
import io.holdfast.storage.ledger.ChannelAccount;
import io.holdfast.storage.ledger.FinishedSet;
import io.holdfast.storage.ledger.HeldMessages;
import io.holdfast.storage.ledger.Ledger;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The backend of a channel: a cursor over the topic's journal, and the ledger of what became of the
 * messages (of an {@code #ephemeral} channel only in memory). Taking overflow costs nothing but a
 * count, the journal has it already.
 *
 * <p>Ordinals below {@code cursor} are with the channel (memory queue, in flight, held) or
 * finished; from {@code cursor} to {@code end} they are here, but for those in {@code skip}.
 */
public final class ChronicleBackend implements BackendQueue {
  private static final Logger LOG = LoggerFactory.getLogger(ChronicleBackend.class);

  /** The skip set is a set only; its floor must never rise. */
  private static final long NO_FLOOR = -1;

  private static final long NOTHING = -1;

  private final JournalCursor journal;
  private final ChannelAccount ledger;
  private final FinishedSet finished;

  /** Ordinals at or above {@link #cursor} that are finished or held elsewhere. */
  private FinishedSet skip;

  /** How many of them there are. */
  private long skipCount;

  /** What was delivered once before the process started; null when the cursor is past all of it. */
  private FinishedSet delivered;

  /** What can be delivered without its own journal record. */
  private final CarriedMessages carried;

  /** Carried, but the ledger's record of it may not be on the disk. */
  private final List<MessageRef> unforced = new ArrayList<>();

  /** What the channel is still to take over, see {@link #takeHeld}. */
  private HeldMessages held;

  private long cursor;
  private long end;

  /**
   * {@link #neededFrom} and {@link #pinnedFile} as the ledger has it, since a finish could not be
   * recorded: until a checkpoint succeeds these files stay, so that a crash delivers again what the
   * ledger does not know to be finished.
   */
  private long unrecordedFrom = NOTHING;

  private int unrecordedFile = CarriedMessages.NO_FILE;

  /** Messages of this channel that could not be read. */
  private long unreadable;

  private final OrdinalRanges gap = new OrdinalRanges();

  private ChronicleBackend(JournalCursor journal, ChannelAccount ledger, ChannelRecovery recovery) {
    this.journal = journal;
    this.ledger = ledger;
    end = recovery.end();
    finished = recovery.state().finished();
    carried = recovery.carried();
    cursor = recovery.cursor();
    skip = recovery.skip();
    skipCount = skip.countFrom(cursor);
    delivered = recovery.state().delivered();
    held = recovery.held();
    journal.moveTo(cursor);
  }

  /**
   * Opens the backend of a channel: new with everything from an ordinal on, or as its ledger says.
   *
   * @param dir the channel's directory, which exists
   * @param known whether the channel is known to have been there: without its ledger it then has
   *     all of the journal, copies of older messages included
   * @param first where a new channel begins
   * @param heldFrom what the topic itself holds back begins here; negative for nothing
   */
  public static ChronicleBackend open(
      Path dir,
      Journal topicJournal,
      SyncThread syncThread,
      boolean known,
      long first,
      long heldFrom)
      throws IOException {
    Ledger ledger = new Ledger(dir, syncThread);
    LedgerState said = ledger.replay();
    ChannelRecovery recovery =
        new ChannelRecovery(
            said, ledger.isIncomplete(), ledger.hasFiles(), topicJournal, known, first, heldFrom);
    ChronicleBackend backend = new ChronicleBackend(topicJournal.cursor(), ledger, recovery);
    if (recovery.isNew()) {
      // Before the channel's creation is acknowledged: it says where the channel begins.
      boolean done = false;
      try {
        ledger.beginAt(recovery.state().begin());
        ledger.checkpoint(backend.finished, backend.end, List.<HeldMessage>of().iterator(), null);
        ledger.force();
        // Thousands of channels may be made before one is used.
        ledger.closeIdle();
        done = true;
      } finally {
        if (!done) {
          backend.close();
        }
      }
    }
    return backend;
  }

  /**
   * Makes the backend of an {@code #ephemeral} channel: everything from an ordinal on, and nothing
   * of it survives the process.
   */
  public static ChronicleBackend ephemeral(Journal topicJournal, long first) throws IOException {
    ChannelRecovery empty =
        new ChannelRecovery(null, false, false, topicJournal, false, first, first);
    return new ChronicleBackend(topicJournal.cursor(), ChannelAccount.NONE, empty);
  }

  /** What the ledger holds: the channel's from now on, once. */
  public HeldMessages takeHeld() {
    HeldMessages taken = held;
    held = null;
    return taken;
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
  public void extend(long newEnd) throws IOException {
    OrdinalRanges unused = journal.unused();
    OrdinalRanges gaps = new OrdinalRanges();
    for (int i = 0; i < unused.count(); i++) {
      long from = Math.max(unused.from(i), end);
      long to = Math.min(unused.to(i), newEnd);
      if (from < to) {
        end = from;
        passGap(to);
        gaps.add(from, to);
      }
    }
    end = Math.max(end, newEnd);
    // Without room in the ledger, too: the messages are there.
    if (!gaps.isEmpty()) {
      finish(gaps);
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
    passSkipped();
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

  @Override
  public void putBack(MessageView polled) {
    cursor = polled.ordinal();
  }

  /**
   * Past what is finished or held: the journal's files with it may be gone, since messages that the
   * cursor has not reached yet are held, too, after a start.
   */
  private void passSkipped() {
    if (skipCount > 0) {
      long next = Math.min(end, skip.nextAbsent(cursor));
      skipCount -= next - cursor;
      cursor = next;
    }
  }

  @Override
  public void visitWaiting(int max, Visitor visitor) {
    long at = cursor;
    for (int i = 0; i < max; i++) {
      at = skipCount == 0 ? at : skip.nextAbsent(at);
      if (at >= end) {
        return;
      }
      boolean isAgain = delivered != null && at < delivered.end() && delivered.contains(at);
      visitor.visit(at, isAgain ? 1 : 0);
      at++;
    }
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
    unreadable += passTo(ordinal);
    try {
      finish(gap);
    } catch (IOException e) {
      // Not the delivery's business: the ledger is behind until the next checkpoint.
      LOG.debug("{}", ledger, e);
    }
  }

  @Override
  public long dropBelow(long ordinal) throws IOException {
    passSkipped();
    long to = Math.min(ordinal, end);
    if (to <= cursor) {
      return 0;
    }
    long count = passTo(to);
    finish(gap);
    return count;
  }

  /**
   * Moves the cursor up to an ordinal; {@link #gap} is what it passes there, to be finished.
   *
   * @return how many messages that is
   */
  private long passTo(long ordinal) {
    long known = skip.countFrom(cursor) - skip.countFrom(ordinal);
    long from = cursor;
    cursor = ordinal;
    skipCount -= known;
    gap.clear();
    // What is held elsewhere may have a copy that can be read; what is finished is not missed.
    for (long at = skip.nextAbsent(from); at < ordinal; at = skip.nextAbsent(at)) {
      long until = Math.min(ordinal, skip.nextPresent(at));
      gap.add(at, until);
      at = until;
    }
    return ordinal - from - known;
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
  public void finish(OrdinalRanges ranges) throws IOException {
    if (ranges.isEmpty()) {
      return;
    }
    try {
      ledger.finish(ranges);
    } catch (IOException e) {
      noteUnrecorded();
      throw e;
    } finally {
      finished.add(ranges);
      carried.finish(ranges);
    }
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
    try {
      ledger.empty(end);
    } catch (IOException e) {
      noteUnrecorded();
      throw e;
    } finally {
      cursor = end;
      skip = new FinishedSet(NO_FLOOR);
      skipCount = 0;
      delivered = null;
      carried.clear();
      unforced.clear();
      finished.raiseFloor(end);
    }
  }

  /** Before memory knows what the ledger could not take. */
  private void noteUnrecorded() {
    if (unrecordedFrom == NOTHING) {
      unrecordedFrom = carried.neededFrom(finished);
      unrecordedFile = carried.pinnedFile();
    }
  }

  @Override
  public long neededFrom() {
    long from = carried.neededFrom(finished);
    return unrecordedFrom == NOTHING ? from : Math.min(from, unrecordedFrom);
  }

  @Override
  public int pinnedFile() {
    return Math.min(carried.pinnedFile(), unrecordedFile);
  }

  @Override
  public long backlogFrom() {
    settle();
    passSkipped();
    return cursor;
  }

  @Override
  public void carry(List<HeldMessage> messages) throws IOException {
    messages.forEach(message -> unforced.add(message.ref()));
    ledger.hold(messages);
  }

  @Override
  public boolean hasUnforcedCarried() {
    return !unforced.isEmpty();
  }

  @Override
  public void carriedForced() {
    if (ledger.isBehind()) {
      // The next checkpoint makes up for what could not be written.
      return;
    }
    for (MessageRef copy : unforced) {
      if (!finished.contains(copy.ordinal())) {
        carried.put(copy);
      }
    }
    unforced.clear();
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
      unrecordedFrom = NOTHING;
      unrecordedFile = CarriedMessages.NO_FILE;
    }
  }

  @Override
  public void force() throws IOException {
    ledger.force();
  }

  @Override
  public void removeOldFiles() throws IOException {
    ledger.removeOldFiles();
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
  public int diskFiles() {
    return ledger.diskFiles();
  }

  @Override
  public void giveBackHoles() throws IOException {
    ledger.giveBackHoles();
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
