package io.holdfast.storage.topic;

import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.Journal;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.ledger.ChannelAccount;
import io.holdfast.storage.ledger.FinishedSet;
import io.holdfast.storage.ledger.HeldMessages;
import io.holdfast.storage.ledger.Ledger;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.values.CarriedMessage;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The backend of a channel: reads its {@link Backlog} from the topic's journal, and has the ledger
 * record what becomes of the messages (of an {@code #ephemeral} channel only memory does). Taking
 * overflow costs nothing but a count, the journal has it already.
 */
public final class ChronicleBackend implements BackendQueue {
  private static final Logger LOG = LoggerFactory.getLogger(ChronicleBackend.class);

  private final Journal topicJournal;
  private final JournalCursor journal;
  private final BacklogAhead ahead;
  private final ChannelAccount ledger;
  private FinishedSet finished;
  private Backlog backlog;

  private NeededRecords needed;

  /** Nothing from the backlog's cursor on and below this can be read. */
  private long lostTo;

  /** What the channel is still to take over, see {@link #takeHeld}. */
  private HeldMessages held;

  /** Messages of this channel that could not be read. */
  private long unreadable;

  private final OrdinalRanges gap = new OrdinalRanges();

  ChronicleBackend(Journal topicJournal, ChannelAccount ledger, ChannelRecovery recovery) {
    this.topicJournal = topicJournal;
    this.journal = topicJournal.cursor();
    ahead = new BacklogAhead(topicJournal);
    this.ledger = ledger;
    begin(recovery);
    held = recovery.held();
  }

  /** What is finished, for the first checkpoint of a new channel. */
  FinishedSet finished() {
    return finished;
  }

  private void begin(ChannelRecovery recovery) {
    finished = recovery.state().finished();
    needed = new NeededRecords(recovery.relocated());
    backlog =
        new Backlog(
            recovery.cursor(), recovery.end(), recovery.skip(), recovery.state().delivered());
    journal.moveTo(backlog.cursor());
    lostTo = 0;
  }

  /** See {@link Ledger#onFormat2}. */
  public void onFormat2(Runnable told) {
    ledger.onFormat2(told);
  }

  /** What the ledger holds: the channel's from now on, once. */
  public HeldMessages takeHeld() {
    HeldMessages taken = held;
    held = null;
    return taken;
  }

  @Override
  public boolean isCaughtUp() {
    return backlog.isCaughtUp();
  }

  @Override
  public void put(Batch batch, int inMemory) throws IOException {
    long gapFrom = backlog.end();
    boolean caughtUp = backlog.add(batch.firstOrdinal(), batch.endOrdinal(), inMemory);
    if (caughtUp && inMemory < batch.count()) {
      journal.moveTo(batch, backlog.cursor());
    }
    finishGap(gapFrom, batch.firstOrdinal());
    ledger.hasMessages();
  }

  @Override
  public void extend(long newEnd) throws IOException {
    OrdinalRanges skipped = journal.skipped();
    OrdinalRanges gaps = new OrdinalRanges();
    for (int i = 0; i < skipped.count(); i++) {
      long from = Math.max(skipped.from(i), backlog.end());
      long to = Math.min(skipped.to(i), newEnd);
      if (from < to) {
        backlog.extend(from);
        backlog.passGap(to);
        gaps.add(from, to);
      }
    }
    backlog.extend(newEnd);
    // Without room in the ledger, too: the messages are there.
    if (!gaps.isEmpty()) {
      finish(gaps);
    }
  }

  @Override
  public void putHeld(Batch batch, List<HeldMessage> messages) throws IOException {
    long gapFrom = backlog.end();
    backlog.addSkipped(batch.firstOrdinal(), batch.endOrdinal());
    finishGap(gapFrom, batch.firstOrdinal());
    hold(messages);
  }

  @Override
  public void skipTo(long ordinal) throws IOException {
    long gapFrom = backlog.end();
    backlog.passGap(ordinal);
    finishGap(gapFrom, ordinal);
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
    return backlog.depth();
  }

  @Override
  public long depthBelow(long ordinal) {
    return backlog.depthBelow(ordinal);
  }

  @Override
  public boolean poll(MessageView to) throws IOException {
    if (backlog.depth() == 0) {
      backlog.settle();
      return false;
    }
    backlog.passSkipped();
    if (backlog.cursor() < lostTo) {
      takeLost(to);
      return true;
    }
    if (journal.nextOrdinal() != backlog.cursor()) {
      journal.moveTo(backlog.cursor());
    }
    while (journal.next(to, backlog.end())) {
      long ordinal = to.ordinal();
      if (ordinal > backlog.cursor() && pastUnreadable(ordinal)) {
        return poll(to);
      }
      if (backlog.take(ordinal)) {
        to.setAttempts(backlog.attempts(ordinal));
        return true;
      }
    }
    return journal.nextOrdinal() > backlog.cursor()
        && pastUnreadable(journal.nextOrdinal())
        && poll(to);
  }

  private void takeLost(MessageView to) {
    long ordinal = backlog.cursor();
    backlog.take(ordinal);
    to.setLost(ordinal);
    to.setAttempts(backlog.attempts(ordinal));
  }

  @Override
  public void putBack(MessageView polled) {
    backlog.putBack(polled.ordinal());
  }

  @Override
  public void visitWaiting(int max, Visitor visitor) {
    backlog.visit(max, visitor);
  }

  /**
   * The journal has nothing to read between the cursor and an ordinal: that counts as finished,
   * unless others may have it. Then nothing has changed, and it is to be polled.
   *
   * @return whether that is so
   */
  private boolean pastUnreadable(long ordinal) {
    if (ledger.isShared()) {
      lostTo = ordinal;
      unreadable += backlog.depthBelow(ordinal);
      return true;
    }
    unreadable += backlog.passTo(ordinal, gap);
    try {
      finish(gap);
    } catch (IOException e) {
      // Not the delivery's business: the ledger is behind until the next checkpoint.
      LOG.debug("{}", ledger, e);
    }
    return false;
  }

  @Override
  public long dropBelow(long ordinal) throws IOException {
    backlog.passSkipped();
    long to = Math.min(ordinal, backlog.end());
    if (to <= backlog.cursor()) {
      return 0;
    }
    long count = backlog.passTo(to, gap);
    finish(gap);
    return count;
  }

  @Override
  public boolean read(MessageRef ref, MessageView to) throws IOException {
    if (ledger.isLost(ref.ordinal())) {
      return ledger.readCopy(ref.ordinal(), to);
    }
    boolean isPlaced = ref.batchPosition() != MessageRef.NOWHERE;
    boolean readable = isPlaced ? journal.read(ref, to) : ahead.read(ref.ordinal(), to);
    if (readable && !isPlaced) {
      ref.placeAt(to);
    }
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
      needed.noteUnrecorded(finished);
      throw e;
    } finally {
      finished.add(ranges);
      needed.finish(ranges);
    }
  }

  @Override
  public long lost(long ordinal) {
    return ledger.lost(ordinal, Math.max(lostTo, ordinal + 1));
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
  public void empty(Collection<HeldMessage> staying) throws IOException {
    OrdinalRanges dropped = backlog.allBut(staying, finished.floor());
    try {
      if (staying.isEmpty()) {
        ledger.empty(backlog.end());
      } else {
        ledger.finish(dropped);
      }
    } catch (IOException e) {
      needed.noteUnrecorded(finished);
      throw e;
    } finally {
      backlog.clear();
      needed.finish(dropped);
      finished.add(dropped);
      needed.emptied(finished);
    }
  }

  @Override
  public HeldMessages rewind(
      long first, Collection<MessageRef> relocations, Iterable<HeldMessage> staying)
      throws IOException {
    List<HeldMessage> single = ChannelBackends.asPublished(relocations, journal);
    unreadable += relocations.size() - single.size();
    // What the channel holds of a message counts more than its relocation.
    staying.forEach(single::add);
    long end = Math.max(first, backlog.end());
    LedgerState state = ChannelRecovery.from(first, end, topicJournal, single);
    state.mention(end);
    ChannelRecovery recovery = new ChannelRecovery(state, false, false, topicJournal, end);
    ledger.rewind(state.finished(), recovery.end(), recovery.held().iterator(), first);
    begin(recovery);
    return recovery.held();
  }

  @Override
  public HeldMessages restart(LedgerState state, long epoch, long keptFrom) throws IOException {
    ChannelRecovery recovery = new ChannelRecovery(state, false, false, topicJournal, keptFrom);
    ledger.begin(epoch);
    begin(recovery);
    return recovery.held();
  }

  @Override
  public List<MessageRef> takeDelivered(int max) throws IOException {
    return ahead.takeDelivered(backlog, max);
  }

  @Override
  public long takeDeferred(long from, long to, int max, Predicate<MessageView> taker)
      throws IOException {
    return ahead.takeDeferred(backlog, from, to, max, taker);
  }

  @Override
  public long neededFrom() {
    return needed.from(finished);
  }

  @Override
  public int pinnedFile() {
    return needed.file();
  }

  @Override
  public long backlogFrom() {
    backlog.settle();
    backlog.passSkipped();
    return backlog.cursor();
  }

  @Override
  public List<HeldMessage> takeCarried(Iterable<CarriedMessage> copies) {
    return BacklogAhead.takeCarried(backlog, copies);
  }

  @Override
  public void relocate(List<HeldMessage> messages) throws IOException {
    needed.relocated(messages);
    ledger.hold(messages);
  }

  @Override
  public boolean hasUnforcedRelocations() {
    return needed.hasUnforced();
  }

  @Override
  public void relocationsForced() {
    // When it is behind, the next checkpoint makes up for what could not be written.
    if (!ledger.isBehind()) {
      needed.forced(finished);
    }
  }

  @Override
  public boolean isCongested() {
    return ledger.isCongested();
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
      ledger.checkpoint(finished, backlog.end(), held, backlog.delivered());
      needed.recorded();
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
    ahead.filesRemoved();
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
    ahead.close();
    ledger.closeIdle();
  }

  @Override
  public void close() {
    journal.close();
    ahead.close();
    ledger.close();
  }
}
