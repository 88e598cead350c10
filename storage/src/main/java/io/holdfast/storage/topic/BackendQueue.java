package io.holdfast.storage.topic;

import io.holdfast.storage.files.SyncFailedException;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.Journal;
import io.holdfast.storage.ledger.ChannelAccount;
import io.holdfast.storage.ledger.HeldMessages;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.values.CarriedMessage;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.Closeable;
import java.io.IOException;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.function.Predicate;

/**
 * The half of a channel behind its memory queue, nsqd's {@code BackendQueue}: it takes what memory
 * has no room for, keeps account of what is finished, and has everything again after a restart. An
 * {@code #ephemeral} channel's reads the journal, too, but its account is forgotten with the
 * process.
 *
 * <p>The channel's lock guards everything.
 */
public interface BackendQueue extends Closeable {
  /**
   * Whether this backend has nothing to deliver that the memory queue must not overtake; only then
   * may new messages go to memory.
   */
  boolean isCaughtUp();

  /**
   * Takes a batch of which the first {@code inMemory} messages went to the memory queue (0 unless
   * {@link #isCaughtUp}).
   */
  void put(Batch batch, int inMemory) throws IOException;

  /** Takes everything in the journal below an ordinal that it has not been given yet. */
  void extend(long newEnd) throws IOException;

  /** Will never be given what lies below an ordinal and has not been given yet. */
  void skipTo(long ordinal) throws IOException;

  /** Takes a batch all of whose messages the channel holds as deferred, due at this time. */
  void putHeld(Batch batch, List<HeldMessage> messages) throws IOException;

  /** Messages that {@link #poll} has yet to return. */
  long depth();

  /** Those of them that are below an ordinal. */
  long depthBelow(long ordinal);

  /** Told of a message that waits. */
  interface Visitor {
    /**
     * @param attempts deliveries so far
     */
    void visit(long ordinal, int attempts);
  }

  /**
   * Shows the first messages that {@link #poll} has yet to return; reads nothing and changes
   * nothing.
   */
  void visitWaiting(int max, Visitor visitor);

  /**
   * The next message in order that is neither finished nor held elsewhere; one that cannot be read
   * here ({@link MessageView#isLost}) only where others may have it.
   *
   * @return false when there is none
   */
  boolean poll(MessageView to) throws IOException;

  /**
   * Takes back what {@link #poll} gave last: it is the next again.
   *
   * @param polled as it was given
   */
  void putBack(MessageView polled);

  /**
   * The body of a message held by reference.
   *
   * @return false when it cannot be read any more
   */
  boolean read(MessageRef ref, MessageView to) throws IOException;

  /** These messages are finished for this channel. */
  void finish(OrdinalRanges ranges) throws IOException;

  /** What becomes of a message that cannot be read here: see {@link ChannelAccount#lost}. */
  long lost(long ordinal);

  /** These messages go out for the first time. */
  void deliver(OrdinalRanges ranges) throws IOException;

  /** These messages wait in the channel with their attempts and due times. */
  void hold(List<HeldMessage> messages) throws IOException;

  /**
   * Drops what {@link #poll} has yet to return below an ordinal.
   *
   * @return how many messages that were
   */
  long dropBelow(long ordinal) throws IOException;

  /** Drops everything, also what the channel holds. */
  default void empty() throws IOException {
    empty(List.of());
  }

  /**
   * Drops everything, also what the channel holds.
   *
   * @param staying but for these, which the channel holds: dead letters
   */
  void empty(Collection<HeldMessage> staying) throws IOException;

  /**
   * The channel is put to another position: it has exactly what the journal has from an ordinal on,
   * as if nothing of it was ever delivered, and the rest is finished. What the channel held itself
   * is void. When this fails nothing has changed; otherwise {@link #force} and {@link
   * #removeOldFiles} are to follow. While no journal file is removed and nothing is relocated
   * forward.
   *
   * @param first from this ordinal on; it can be older than the channel
   * @param relocations {@link Journal#relocationsFrom} of that
   * @param held older messages that the channel holds all the same: dead letters; and not older
   *     ones that are not due yet since they were published
   * @return what the channel holds from now on, by ordinal: these, and relocated messages
   */
  HeldMessages rewind(long first, Collection<MessageRef> relocations, Iterable<HeldMessage> held)
      throws IOException;

  /**
   * What the channel has, and what it held itself, is void: it begins anew with what is agreed on
   * by those who share the topic.
   *
   * @param state what is finished and held; changed by this
   * @param epoch of what is written down from now on
   * @param keptFrom what the topic itself holds back begins here; negative for nothing
   * @return what the channel holds from now on, by ordinal
   */
  HeldMessages restart(LedgerState state, long epoch, long keptFrom) throws IOException;

  /**
   * Takes out messages that {@link #poll} has yet to return and that were delivered once before the
   * process started: the channel holds them from now on.
   *
   * @param max how many at most
   * @return in order; none when there are no more
   */
  List<MessageRef> takeDelivered(int max) throws IOException;

  /**
   * Shows messages that {@link #poll} has yet to return and that were published with a delay. What
   * the taker takes {@link #poll} will not return: the channel holds it from then on.
   *
   * @param from ordinal to begin at
   * @param to ordinal to end before
   * @param max messages to look at; fewer where they are large
   * @param taker told of each, due or not; returns whether it takes it
   * @return the ordinal to look on from; {@code to} when all was looked at, but for what cannot be
   *     read
   */
  long takeDeferred(long from, long to, int max, Predicate<MessageView> taker) throws IOException;

  /** Messages lost to damage in the journal since the start of the process; finished since. */
  long unreadable();

  /**
   * The lowest ordinal whose own journal record this channel may still need; Long.MAX_VALUE for
   * none.
   */
  long neededFrom();

  /**
   * The oldest journal file with a relocated message that this channel needs; Integer.MAX_VALUE for
   * none.
   */
  int pinnedFile();

  /**
   * The ordinal from which on the channel has everything in the journal only; Long.MAX_VALUE when
   * it reads none.
   */
  long backlogFrom();

  /**
   * Takes out messages that {@link #poll} has yet to return, as their own records may go: the
   * channel holds them from now on.
   *
   * @param copies of messages that it may or may not have
   * @return those that it had, in their order
   */
  List<HeldMessage> takeCarried(Iterable<CarriedMessage> copies);

  /**
   * Records the new places of messages that were relocated ({@link Journal#relocate}). Their own
   * records stay needed until {@link #force} and then {@link #relocationsForced} have returned.
   */
  void relocate(List<HeldMessage> messages) throws IOException;

  /** Whether messages were relocated whose new places may not be on the disk yet. */
  boolean hasUnforcedRelocations();

  /** After {@link #force}, under the channel's lock and by the same thread as {@link #relocate}. */
  void relocationsForced();

  /** Whether so much waits to be written down that nothing is to be delivered now. */
  boolean isCongested();

  /** Whether the disk has not taken all that is known, until a {@link #checkpoint} succeeds. */
  boolean isBehind();

  /** Whether {@link #checkpoint} is due. */
  boolean wantsCheckpoint();

  /**
   * Sums up the account; the iterator gives every held message with attempts or a due time. What it
   * makes superfluous is to be removed by {@link #removeOldFiles}.
   */
  void checkpoint(Iterator<HeldMessage> held) throws IOException;

  /**
   * Waits until the account is on disk: to be called without the channel's lock.
   *
   * @throws SyncFailedException when the disk refuses
   */
  void force() throws IOException;

  /** Waits for the disk: to be called without the channel's lock. */
  void removeOldFiles() throws IOException;

  /** Files of the topic's journal were removed: lets go of them. */
  void journalFilesRemoved();

  /** Bytes on disk that belong to this channel alone. */
  long diskBytes();

  /** Files on disk that belong to this channel alone. */
  int diskFiles();

  /** See {@link Journal#giveBackHoles}. */
  void giveBackHoles() throws IOException;

  /** Closes files until the next use. */
  void closeIdle();

  @Override
  void close();
}
