package io.holdfast.storage.ledger;

import io.holdfast.storage.files.SyncFailedException;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.log.CycleFile;
import io.holdfast.storage.log.ExcerptLog;
import io.holdfast.storage.log.ExcerptReader;
import io.holdfast.storage.record.RecordFormat;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What has become of a channel's messages: finishes, requeues and deferrals, append-only. A
 * checkpoint at the head of a new file sums everything up, after which the older files go.
 *
 * <p>The channel's lock guards everything but the forcing of files.
 */
public final class Ledger implements ChannelAccount, Closeable, SyncThread.Syncable {
  private static final Logger LOG = LoggerFactory.getLogger(Ledger.class);
  private static final long BLOCK_BYTES = 4 << 20;
  private static final long MAX_RESERVE_STEP_BYTES = 256 << 10;
  private static final long CHECKPOINT_BYTES = 2 << 20;
  private static final int MAX_FILES = 8;

  private final ExcerptLog log;
  private final SyncThread syncThread;
  private final LedgerWriter writer;
  private long checkpointBytes;

  /** The file that begins with the last checkpoint of this process. */
  private volatile int checkpointCycle;

  /** How many files were cut off when everything was last summed up. */
  private int cutOffs;

  /** Whether {@link #replay} found damage. */
  private boolean incomplete;

  /** See {@link LedgerState#begin}. */
  private long begin = -1;

  /** What is finished, of a channel of which nothing has been recorded yet; else null. */
  private FinishedSet unsaid;

  /** The same channel's end. */
  private long unsaidEnd;

  /** No record was ever of a higher one. */
  private long highestGeneration;

  /** Whether a rewind failed of which nobody knows how much is there. */
  private boolean isRewindUncertain;

  /**
   * Opens the ledger of a channel.
   *
   * @param dir an existing directory
   */
  public Ledger(Path dir, SyncThread syncThread) throws IOException {
    this.syncThread = syncThread;
    log =
        new ExcerptLog(
            dir,
            syncThread.disk(),
            BLOCK_BYTES,
            MAX_RESERVE_STEP_BYTES,
            CycleFile.Clearing.RARELY_FORCED);
    writer = new LedgerWriter(log, () -> syncThread.written(this));
  }

  /**
   * Reads everything.
   *
   * @return null when there is no record at all, as after a crash while the channel was created
   */
  public LedgerState replay() throws IOException {
    return replay(Long.MAX_VALUE);
  }

  /**
   * As {@link #replay()}, with no more memory than there is.
   *
   * @param maxHeld how many messages are known with attempts or due times; those beyond are as if
   *     the ledger knew nothing but that they were delivered
   */
  public LedgerState replay(long maxHeld) throws IOException {
    LedgerReplay replay = new LedgerReplay(maxHeld);
    try (ExcerptReader reader = log.reader(RecordFormat.LEDGER)) {
      replay.run(reader);
    }
    writer.bytesSinceCheckpoint(replay.bytesSinceCheckpoint());
    checkpointBytes = replay.checkpointBytes();
    LedgerState state = replay.state();
    begin = state == null ? -1 : state.begin();
    writer.generation(replay.generation());
    highestGeneration = replay.highestGeneration();
    if (highestGeneration > 0 || (state != null && state.isMarked())) {
      writer.useFormat2();
    }
    incomplete = replay.isIncomplete() || (hasFiles() && !replay.hasCheckpoint());
    if (replay.skipped() > 0) {
      LOG.error(
          "{}: {} record(s) cannot be read; what they finished is delivered again",
          this,
          replay.skipped());
    }
    if (state != null && state.leftSomeOut()) {
      LOG.warn(
          "{}: there is memory for {} of the messages that were deferred or requeued; the others"
              + " are read in order again",
          this,
          maxHeld);
    }
    return state;
  }

  /** Notes the first message of a channel that has no record yet; each checkpoint says it. */
  public void beginAt(long ordinal) {
    begin = ordinal;
  }

  /**
   * Without any record the channel has what it has now, too: that is written down with the first
   * one, or by {@link #hasMessages}. Most of very many channels may have none.
   *
   * @param finished what is finished then; kept, and may grow
   * @param end one above the channel's last ordinal
   */
  public void beginWithFirstRecord(FinishedSet finished, long end) {
    unsaid = finished;
    unsaidEnd = end;
  }

  /** Says where the channel begins: or a loss of the first messages would pass unnoticed. */
  @Override
  public void hasMessages() throws IOException {
    writeBegin();
  }

  /** Records what was to be with the first record, if that is still to be done. */
  private void writeBegin() throws IOException {
    FinishedSet finished = unsaid;
    if (finished == null) {
      return;
    }
    // Its own records are not to be the first ones.
    unsaid = null;
    boolean behindBefore = writer.isBehind();
    boolean done = false;
    try {
      writeCheckpoint(finished, unsaidEnd, Collections.emptyIterator(), null);
      done = true;
    } finally {
      writer.behind(writer.isBehind() || behindBefore);
      if (!done) {
        unsaid = finished;
      }
    }
  }

  /**
   * Has somebody told, once, that there are records of format 2: now if there are any, else with
   * the first one written.
   *
   * @param told under the channel's lock; must not block
   */
  @Override
  public void onFormat2(Runnable told) {
    writer.onFormat2(told);
  }

  /** Whether {@link #replay} found damage: there may have been records that it knows nothing of. */
  public boolean isIncomplete() {
    return incomplete;
  }

  /** Whether there is any file, with a record or without. */
  public boolean hasFiles() {
    return !log.cycles().isEmpty();
  }

  /** Records that these messages are finished. */
  @Override
  public void finish(OrdinalRanges ranges) throws IOException {
    writeBegin();
    writer.ranges(LedgerCodec.FINISH, ranges);
  }

  /** Records that these messages went out for the first time. */
  @Override
  public void deliver(OrdinalRanges ranges) throws IOException {
    writeBegin();
    writer.ranges(LedgerCodec.DELIVER, ranges);
  }

  /** Records attempts and due times of messages that wait outside the backend. */
  @Override
  public void hold(List<HeldMessage> messages) throws IOException {
    writeBegin();
    writer.held(LedgerCodec.HOLD, messages);
  }

  /** Records that everything below an ordinal was dropped. */
  @Override
  public void empty(long floor) throws IOException {
    writeBegin();
    writer.empty(floor);
  }

  /** Whether a record could not be written: memory knows more than the disk until a checkpoint. */
  @Override
  public boolean isBehind() {
    return writer.isBehind();
  }

  /** Whether a checkpoint would pay. */
  @Override
  public boolean wantsCheckpoint() {
    return writer.isBehind()
        || isCutOff()
        || writer.bytesSinceCheckpoint() > Math.max(CHECKPOINT_BYTES, 2 * checkpointBytes)
        || log.cycles().size() > MAX_FILES;
  }

  /** Whether anything was recorded since the last checkpoint. */
  @Override
  public boolean isDirty() {
    return writer.isBehind() || writer.bytesSinceCheckpoint() > 0 || isCutOff();
  }

  /** Whether records may be gone that somebody has cut off; memory still knows what they said. */
  private boolean isCutOff() {
    return log.cutOffs() != cutOffs;
  }

  /**
   * Sums everything up at the head of a new file; {@link #removeOldFiles} is to follow.
   *
   * @param finished what is finished
   * @param end one above the channel's last ordinal
   * @param held every message with attempts or a due time, wherever it is
   * @param delivered what waits in the backend after one delivery; null for nothing
   */
  @Override
  public void checkpoint(
      FinishedSet finished, long end, Iterator<HeldMessage> held, FinishedSet delivered)
      throws IOException {
    final int cutOffsBefore = log.cutOffs();
    final FinishedSet unsaidBefore = unsaid;
    unsaid = null;
    log.roll();
    long generationBefore = writer.generation();
    if (isRewindUncertain) {
      // Should all of it have come to the disk nevertheless, this overrules it.
      writer.generation(++highestGeneration);
    }
    long before = writer.bytesSinceCheckpoint();
    int cycleBefore = log.currentCycle();
    boolean done = false;
    try {
      writeCheckpoint(finished, end, held, delivered);
      if (cutOffs != cutOffsBefore) {
        cutOffs = cutOffsBefore;
        log.replacedBelow(checkpointCycle);
      }
      done = true;
    } finally {
      if (!done) {
        unsaid = unsaidBefore;
        writer.bytesSinceCheckpoint(before);
        writer.generation(generationBefore);
        // The older files hold; on a full disk the next attempt needs the blocks of this one.
        log.discardAfter(cycleBefore);
      }
    }
  }

  /**
   * As {@link #checkpoint}, but what it says takes the place of all that was recorded before: what
   * was finished need not be any more. When this fails everything is as before.
   *
   * @param first the channel's first message from now on, if it was a later one
   */
  @Override
  public void rewind(FinishedSet finished, long end, Iterator<HeldMessage> held, long first)
      throws IOException {
    // Of a rewind with no record before it a part counts, too.
    writeBegin();
    force();
    writer.useFormat2();
    long generationBefore = writer.generation();
    long beginBefore = begin;
    writer.generation(++highestGeneration);
    begin = Math.min(begin, first);
    boolean done = false;
    try {
      checkpoint(finished, end, held, null);
      done = true;
    } finally {
      if (!done) {
        writer.generation(generationBefore);
        begin = beginBefore;
        isRewindUncertain = true;
      }
    }
  }

  private void writeCheckpoint(
      FinishedSet finished, long end, Iterator<HeldMessage> held, FinishedSet delivered)
      throws IOException {
    long before = writer.bytesSinceCheckpoint();
    checkpointCycle = writer.checkpoint(begin, finished, end, held, delivered);
    checkpointBytes = writer.bytesSinceCheckpoint() - before;
    writer.bytesSinceCheckpoint(0);
    writer.behind(false);
    isRewindUncertain = false;
  }

  /**
   * Removes the files before the last checkpoint. Waits for the disk, so without the channel's
   * lock.
   */
  @Override
  public void removeOldFiles() throws IOException {
    int newest = checkpointCycle;
    // The new file must be on disk before the old ones go, or a power cut would leave neither.
    force();
    for (int old : log.cycles().headSet(newest)) {
      log.deleteCycle(old);
    }
  }

  @Override
  public void sync() throws SyncFailedException {
    log.force();
  }

  /**
   * Waits until everything recorded is on disk. Any thread.
   *
   * @throws SyncFailedException when the disk refuses
   */
  @Override
  public void force() throws IOException {
    syncThread.now(this);
  }

  /** Bytes that all files take on the disk. */
  @Override
  public long diskBytes() {
    return log.diskBytes();
  }

  /** Number of files. */
  @Override
  public int diskFiles() {
    return log.cycles().size();
  }

  @Override
  public void giveBackHoles() throws IOException {
    log.giveBackHoles();
  }

  /** Closes the files until the next record. */
  @Override
  public void closeIdle() {
    log.closeIdle();
    writer.release();
  }

  @Override
  public void close() {
    syncThread.closing(this);
    log.close();
  }

  @Override
  public String toString() {
    return "ledger " + log.dir();
  }
}
