package io.holdfast.storage.inspect;

import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.journal.JournalView;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.log.LogView;
import io.holdfast.storage.topic.ChannelRecovery;
import io.holdfast.storage.topic.TopicRecovery;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageView;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * A channel on disk for those who only look: what {@link ChannelRecovery} makes of its ledger, as
 * the broker does at its start. Not thread-safe.
 */
public final class ChannelView implements Closeable {
  /** What has become of a message, as far as the disk tells. */
  public enum State {
    /** Not finished, and no delivery recorded. */
    READY,
    /** Delivered and not finished: in flight, requeued or timed out. */
    UNFINISHED,
    /** Not to be delivered before a time. */
    DEFERRED,
    /** Not to be delivered until somebody redrives it; see {@link ChannelView#dead}. */
    DEAD,
    /** Done with, or dropped by an empty. */
    FINISHED,
    /** Kept back by the topic, which is paused. */
    KEPT
  }

  private final String name;
  private final Path dir;
  private final JournalView journal;
  private final TopicRecovery topic;

  /** Of a channel that is known without a ledger; else null. */
  private final LedgerState known;

  private final LogView files;
  private final LedgerScan ledger;
  private ChannelRecovery recovery;

  ChannelView(String name, Path dir, JournalView journal, TopicRecovery topic) throws IOException {
    this(name, dir, journal, topic, null);
  }

  /**
   * @param dir of the ledger; of a channel of which something is known, the file that says so
   * @param known changed by this; null when the ledger says it
   */
  ChannelView(String name, Path dir, JournalView journal, TopicRecovery topic, LedgerState known)
      throws IOException {
    this.name = name;
    this.dir = dir;
    this.journal = journal;
    this.topic = topic;
    this.known = known;
    files = new LogView(ledgerDir());
    ledger = new LedgerScan(files, Defect.Listener.NONE);
    refresh();
  }

  /** Where there is none, nothing is. */
  private Path ledgerDir() {
    return known == null ? dir : dir.resolveSibling("none");
  }

  /** Reads what was written to the ledger since. */
  public void refresh() throws IOException {
    boolean changed = recovery == null;
    while (ledger.next()) {
      // The ledger adds it up.
      changed = true;
    }
    if (changed) {
      recovery =
          new ChannelRecovery(
              known != null ? known : ledger.state(),
              ledger.isIncomplete(),
              files.firstCycle() >= 0,
              journal,
              topic.isKnown(name),
              topic.first(),
              topic.keptFrom());
    }
  }

  ChannelRecovery recovery() {
    return recovery;
  }

  /**
   * Whether a ledger says what is finished; else a snapshot does, of which places are not known.
   */
  boolean hasLedger() {
    return known == null;
  }

  /** Where that is. */
  Path dir() {
    return dir;
  }

  /** The topic's journal; what cannot be read there is told in one line. */
  JournalCursor cursor(Consumer<String> unreadable) {
    JournalCursor cursor = journal.cursor();
    cursor.onUnreadable(unreadable);
    return cursor;
  }

  /** As clients know it. */
  public String name() {
    return name;
  }

  /** Whether it delivers nothing. */
  public boolean paused() {
    return topic.isPaused(name);
  }

  /** What is finished and held. */
  public LedgerState state() {
    return recovery.state();
  }

  /** A new scan of the ledger's records. */
  public LedgerScan scan(Defect.Listener listener) throws IOException {
    return new LedgerScan(new LogView(ledgerDir()), listener);
  }

  /**
   * What it has not finished, and what the topic keeps back for it.
   *
   * @param unreadable told in one line of what cannot be read
   */
  public ChannelMessages messages(Consumer<String> unreadable) {
    return new ChannelMessages(recovery, journal, unreadable);
  }

  /**
   * What {@code /stats} would give as depth after a start of the broker.
   *
   * @param nowMs wall clock, ms since 1970
   */
  public long depth(long nowMs) {
    return unfinished() - deferred(nowMs) - deadCount();
  }

  /** Messages the channel has and has not finished, dead letters included. */
  public long unfinished() {
    return recovery.unfinished();
  }

  /** Messages whose due time is still to come, as far as the ledger knows. */
  public long deferred(long nowMs) {
    return recovery.held().stream().filter(m -> m.dueMs() > nowMs && !m.isDead()).count();
  }

  /** Dead letters. */
  public long deadCount() {
    return recovery.held().stream().filter(HeldMessage::isDead).count();
  }

  /** The oldest ordinal that is neither finished nor a dead letter, -1 when there is none. */
  public long oldestUnfinished() {
    if (unfinished() == deadCount()) {
      return -1;
    }
    long at = state().floor();
    while (dead(at) != null) {
      at = state().finished().nextAbsent(at + 1);
    }
    return at;
  }

  /** A dead letter with the reason and the time of its death; null for any other message. */
  public HeldMessage dead(long ordinal) {
    HeldMessage held = state().held(ordinal);
    return held != null && held.isDead() ? held : null;
  }

  /** Whether the channel was there when a message came; else it has nothing to do with it. */
  public boolean has(long ordinal) {
    return ordinal >= state().begin();
  }

  /** What has become of a message. */
  public State stateOf(MessageView message, boolean keptBack, long nowMs) {
    return stateOf(message.ordinal(), dueMs(message), keptBack, nowMs);
  }

  private State stateOf(long ordinal, long dueMs, boolean keptBack, long nowMs) {
    LedgerState state = state();
    if (state.isFinished(ordinal)) {
      return State.FINISHED;
    }
    if (keptBack) {
      return State.KEPT;
    }
    if (dead(ordinal) != null) {
      return State.DEAD;
    }
    if (dueMs > nowMs) {
      return State.DEFERRED;
    }
    return state.attempts(ordinal) > 0 ? State.UNFINISHED : State.READY;
  }

  /** When a message may be delivered, ms since 1970; 0 for at once, and for a dead letter. */
  public long dueMs(MessageView message) {
    HeldMessage held = state().held(message.ordinal());
    if (held != null) {
      return held.isDead() ? 0 : held.dueMs();
    }
    return message.deferMs() == 0 ? 0 : message.timestampNs() / 1_000_000 + message.deferMs();
  }

  /** Recorded deliveries of a message. */
  public int attempts(long ordinal) {
    return state().attempts(ordinal);
  }

  /** Bytes on the disk of the ledger. */
  public long diskBytes() throws IOException {
    return DataDirView.treeBytes(ledgerDir());
  }

  @Override
  public void close() {
    ledger.close();
  }
}
