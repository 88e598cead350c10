package io.holdfast.storage.topic;

import io.holdfast.storage.journal.JournalContents;
import io.holdfast.storage.ledger.FinishedSet;
import io.holdfast.storage.ledger.HeldMessages;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.ledger.RelocatedMessages;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.util.List;
import java.util.TreeMap;

/**
 * What a channel's ledger means beside its topic's journal when they are opened: what is finished,
 * held, and left to be read in order. The one place that decides it, for the broker and for those
 * who only look. Changes no file.
 */
public final class ChannelRecovery {
  /** The skip set is a set only; its floor must never rise. */
  private static final long NO_FLOOR = -1;

  private final JournalContents journal;
  private final LedgerState state;
  private final boolean isNew;
  private final RelocatedMessages relocated;
  private final FinishedSet skip = new FinishedSet(NO_FLOOR);
  private final long end;
  private final long cursor;

  /**
   * Recovers a channel, and raises the journal's next ordinal above all that the ledger mentions.
   *
   * @param said by the ledger's records, null when it has none; changed by this
   * @param incomplete whether there was damage: the ledger may have forgotten messages
   * @param hasFiles whether there is any file of the ledger
   * @param known whether the channel is known to have been there: without its ledger it then has
   *     all of the journal, relocated messages included
   * @param first where a new channel begins
   * @param keptFrom what the topic itself holds back begins here; negative for nothing
   */
  public ChannelRecovery(
      LedgerState said,
      boolean incomplete,
      boolean hasFiles,
      JournalContents journal,
      boolean known,
      long first,
      long keptFrom)
      throws IOException {
    this(
        said != null ? said : unsaid(hasFiles || known, journal, first),
        said == null,
        incomplete,
        journal,
        keptFrom);
  }

  /**
   * Files without a record are a creation cut short, or damage: rather too much than too little.
   */
  private static LedgerState unsaid(boolean everything, JournalContents journal, long first)
      throws IOException {
    return everything ? everything(journal) : new LedgerState(first);
  }

  /**
   * Of a channel whose state is known.
   *
   * @param state changed by this
   * @param isNew whether the ledger is to begin with it
   * @param keptFrom the channel has all below it; negative for everything in the journal
   */
  ChannelRecovery(
      LedgerState state, boolean isNew, boolean incomplete, JournalContents journal, long keptFrom)
      throws IOException {
    this.journal = journal;
    this.isNew = isNew;
    this.state = state;
    if (isNew) {
      state.begin(state.floor());
    } else if (incomplete) {
      finishRemoved();
    }
    journal.raiseNextOrdinal(state.endOrdinal());
    end = end(keptFrom);
    OrdinalRanges skipped = journal.skipped();
    for (int i = 0; i < skipped.count() && skipped.from(i) < end; i++) {
      // Whatever the ledger came to know of it: no message has them.
      state.finish(skipped.from(i), Math.min(end, skipped.to(i)));
    }
    relocated = state.relocated();
    state.finished().segments().forEach((key, bits) -> skip.segments().put(key, bits.clone()));
    boolean missesSome =
        state.unfinishedInPlace(state.floor(), Math.min(end, journal.firstOrdinal())) > 0;
    if (incomplete || missesSome) {
      findRelocated();
    }
    state.held().removeOrdinals(ordinal -> ordinal < state.floor() || ordinal >= end);
    for (HeldMessage message : state.held()) {
      long ordinal = message.ref().ordinal();
      skip.add(ordinal, ordinal + 1);
    }
    // The files of what was relocated may be gone: they are not looked for in order.
    cursor = Math.min(end, skip.nextAbsent(state.floor()));
  }

  private long end(long keptFrom) {
    // The ledger can know of more than a held-back mark that a crash kept from being rewritten.
    long to = keptFrom >= 0 ? keptFrom : journal.nextOrdinal();
    OrdinalRanges skipped = journal.skipped();
    int last = skipped.count() - 1;
    if (last >= 0 && to == skipped.to(last)) {
      // Passed, and recorded, with the first batch behind it: an idle channel's files stay closed.
      to = skipped.from(last);
    }
    return Math.max(to, state.endOrdinal());
  }

  /**
   * The state of a channel that has everything from an ordinal on, as if nothing of it was ever
   * delivered, and of what is older some messages only.
   *
   * @param end below which it has everything
   * @param held what it holds: what is older, and what has no record of its own any more
   */
  static LedgerState from(long first, long end, JournalContents journal, Iterable<HeldMessage> held)
      throws IOException {
    long inPlaceFrom = Math.max(first, Math.min(end, journal.firstOrdinal()));
    TreeMap<Long, HeldMessage> inOrder = new TreeMap<>();
    held.forEach(message -> inOrder.put(message.ref().ordinal(), message));
    long at = inOrder.isEmpty() ? inPlaceFrom : Math.min(inPlaceFrom, inOrder.firstKey());
    LedgerState state = new LedgerState(at);
    for (HeldMessage message : inOrder.values()) {
      long ordinal = message.ref().ordinal();
      state.finish(at, Math.min(ordinal, inPlaceFrom));
      state.hold(message);
      at = Math.max(at, ordinal + 1);
    }
    state.finish(at, inPlaceFrom);
    return state;
  }

  /** As {@link #from}, of everything in the journal. */
  private static LedgerState everything(JournalContents journal) throws IOException {
    long inPlaceFrom = journal.firstOrdinal();
    List<HeldMessage> relocations =
        journal.relocations().stream()
            .filter(relocation -> relocation.ordinal() < inPlaceFrom)
            .map(relocation -> new HeldMessage(relocation, 0))
            .toList();
    return from(0, Long.MAX_VALUE, journal, relocations);
  }

  /**
   * A damaged ledger may have lost its floor: what is in no file any more was finished by everyone.
   */
  private void finishRemoved() throws IOException {
    long first = journal.firstOrdinal();
    long at = state.floor();
    if (at < first) {
      for (MessageRef relocation : journal.relocations()) {
        if (relocation.ordinal() >= at && relocation.ordinal() < first) {
          state.finish(at, relocation.ordinal());
          at = relocation.ordinal() + 1;
        }
      }
      state.finish(at, first);
    }
  }

  /**
   * A damaged ledger may have forgotten messages that were relocated: whatever relocation could be
   * such a message is held from now on, at worst it is delivered once more.
   */
  private void findRelocated() throws IOException {
    long inPlaceFrom = journal.firstOrdinal();
    for (MessageRef relocation : journal.relocations()) {
      if (relocation.ordinal() < inPlaceFrom && !state.isFinished(relocation.ordinal())) {
        HeldMessage known = state.held(relocation.ordinal());
        MessageRef ref =
            new MessageRef(
                relocation.ordinal(),
                relocation.batchPosition(),
                relocation.bodyOffset(),
                relocation.bodyLength(),
                state.packedAttempts(relocation.ordinal()),
                true);
        state.holdAt(known == null ? new HeldMessage(ref, 0) : known.at(ref));
        relocated.put(ref);
      }
    }
  }

  /** Whether the channel has all messages that there were, from the first on. */
  boolean hasAll() {
    return state.floor() == 0 && state.finished().segments().isEmpty();
  }

  /** Whether there was no record: the ledger is to begin with what was decided here. */
  boolean isNew() {
    return isNew;
  }

  /** What is finished and held. */
  public LedgerState state() {
    return state;
  }

  /** What can be delivered without its own journal record. */
  public RelocatedMessages relocated() {
    return relocated;
  }

  /** What the channel holds with attempts, due times or relocated, by ordinal. */
  public HeldMessages held() {
    return state.held();
  }

  /** What is not to be read in order: finished, or held. Its floor never rises. */
  public FinishedSet skip() {
    return skip;
  }

  /** The first ordinal to be read in order. */
  public long cursor() {
    return cursor;
  }

  /** One above the last ordinal that the channel has. */
  public long end() {
    return end;
  }

  /** Messages that it has and has not finished, those that cannot be read included. */
  public long unfinished() {
    return held().size() + end - cursor - skip.countFrom(cursor);
  }
}
