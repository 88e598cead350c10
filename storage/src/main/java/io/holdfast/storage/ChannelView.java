package io.holdfast.storage;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A channel on disk for those who only look: what its ledger says of each message. Not thread-safe.
 */
public final class ChannelView implements Closeable {
  /** What has become of a message, as far as the disk tells. */
  public enum State {
    /** Not finished, and no delivery recorded. It may be in flight: that is not written down. */
    READY,
    /** Delivered before and not finished: requeued or timed out; it may be in flight again. */
    UNFINISHED,
    /** Not to be delivered before a time. */
    DEFERRED,
    /** Done with (or from before the channel was made, or dropped by an empty). */
    FINISHED,
    /** Kept back by the topic, which is paused. */
    KEPT
  }

  private final String name;
  private final Path dir;
  private final boolean paused;
  private final long first;
  private final LedgerScan ledger;
  private long end;

  ChannelView(String name, Path dir, boolean paused, long first) throws IOException {
    this.name = name;
    this.dir = dir;
    this.paused = paused;
    this.first = first;
    ledger = new LedgerScan(dir, RecordScan.Mode.BROKER, Defect.Listener.NONE);
    refresh();
  }

  /** Reads what was written to the ledger since. */
  public void refresh() throws IOException {
    while (ledger.next()) {
      // The ledger adds it up.
    }
  }

  void end(long endOrdinal) {
    end = endOrdinal;
  }

  /** As clients know it. */
  public String name() {
    return name;
  }

  /** Whether it delivers nothing. */
  public boolean paused() {
    return paused;
  }

  /** What the ledger says. */
  public LedgerState state() {
    LedgerState state = ledger.state();
    return state == null ? new LedgerState(first) : state;
  }

  /** A new scan of the ledger's records. */
  public LedgerScan scan(Defect.Listener listener) {
    return new LedgerScan(dir, RecordScan.Mode.BROKER, listener);
  }

  /**
   * What {@code /stats} would give as depth after a start of the broker.
   *
   * @param nowMs wall clock, ms since 1970
   */
  public long depth(long nowMs) {
    return unfinished() - deferred(nowMs);
  }

  /** Messages the channel has and has not finished. */
  public long unfinished() {
    return state().unfinished(0, end);
  }

  /** Messages whose due time is still to come, as far as the ledger knows. */
  public long deferred(long nowMs) {
    LedgerState state = state();
    return state.held().stream()
        .filter(m -> m.dueMs() > nowMs && m.ref().ordinal() < end)
        .filter(m -> m.ref().ordinal() >= state.floor())
        .count();
  }

  /** The oldest unfinished ordinal, -1 when there is none. */
  public long oldestUnfinished() {
    return unfinished() == 0 ? -1 : state().floor();
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
    if (dueMs > nowMs) {
      return State.DEFERRED;
    }
    return state.attempts(ordinal) > 0 ? State.UNFINISHED : State.READY;
  }

  /** When a message may be delivered, ms since 1970; 0 for at once. */
  public long dueMs(MessageView message) {
    HeldMessage held = state().held(message.ordinal());
    if (held != null) {
      return held.dueMs();
    }
    return message.deferMs() == 0 ? 0 : message.timestampNs() / 1_000_000 + message.deferMs();
  }

  /** Recorded deliveries of a message. */
  public int attempts(long ordinal) {
    return state().attempts(ordinal);
  }

  /** Bytes on the disk of the ledger. */
  public long diskBytes() throws IOException {
    return DataDirView.treeBytes(dir);
  }

  @Override
  public void close() throws IOException {
    ledger.close();
  }
}
