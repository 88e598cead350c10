package io.holdfast.broker.queue;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.topic.BackendQueue;
import io.holdfast.storage.values.CarriedMessage;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What housekeeping does and asks of a channel, so that disk, files and memory are given back.
 * Takes the channel's lock itself, and none while it waits for the disk. Housekeeping thread.
 */
final class ChannelUpkeep {
  private final Object lock;
  private final BackendQueue backend;

  @GuardedBy("lock")
  private final ReadyMessages ready;

  @GuardedBy("lock")
  private final ChannelMessages messages;

  private final ChannelLedger ledger;
  private final ChannelScan timing;
  private final ChannelSettings.Clock clock;
  private final DeferredInBacklog deferred;

  /** How often there was more to do when {@link #changes} was asked. */
  @GuardedBy("lock")
  private long unfinished;

  /**
   * @param lock the channel's
   */
  ChannelUpkeep(
      Object lock,
      BackendQueue backend,
      ReadyMessages ready,
      ChannelMessages messages,
      ChannelLedger ledger,
      ChannelScan timing,
      ChannelSettings settings) {
    this.lock = lock;
    this.backend = backend;
    this.ready = ready;
    this.messages = messages;
    this.ledger = ledger;
    this.timing = timing;
    clock = settings.clock();
    deferred = new DeferredInBacklog(lock, settings, backend, ready, ledger, timing);
  }

  /** What is looked for in a backlog that the channel is given. Workers, too. */
  DeferredInBacklog deferredInBacklog() {
    return deferred;
  }

  /** Another number than before when anything has become of messages, or is left to do. */
  long changes() {
    synchronized (lock) {
      boolean isUnfinished =
          !ledger.isClosed()
              && (deferred.isSearching() || backend.isBehind() || backend.hasUnforcedRelocations());
      if (isUnfinished) {
        unfinished++;
      }
      return ledger.writes() + unfinished;
    }
  }

  /**
   * Brings the ledger to a new file when that pays, closes idle files.
   *
   * @return whether the ledger was summed up
   */
  boolean housekeep(boolean idle) throws IOException {
    deferred.findNext();
    boolean checkpoint;
    synchronized (lock) {
      if (ledger.isClosed()) {
        return false;
      }
      messages.trim();
      checkpoint = backend.wantsCheckpoint();
      if (checkpoint) {
        ledger.checkpoint(messages.iterator());
      }
      if (idle) {
        closeFiles();
      }
    }
    if (checkpoint) {
      ledger.record(backend::removeOldFiles);
    }
    forceRelocations();
    return checkpoint;
  }

  /** Whether the disk has not taken all that became of the messages. Any thread. */
  boolean isBehind() {
    synchronized (lock) {
      return !ledger.isClosed() && backend.isBehind();
    }
  }

  // ---------------------------------------------------------------- files

  /** See {@link BackendQueue#giveBackHoles}. Any thread. */
  void giveBackHoles() throws IOException {
    backend.giveBackHoles();
  }

  /** Closes the files until they are needed again. */
  void closeCold() {
    synchronized (lock) {
      if (!ledger.isClosed()) {
        closeFiles();
      }
    }
  }

  @GuardedBy("lock")
  private void closeFiles() {
    if (!messages.areInUse()) {
      backend.closeIdle();
    }
  }

  /** Files of the topic's journal were removed: lets go of them. */
  void journalFilesRemoved() {
    synchronized (lock) {
      if (!ledger.isClosed()) {
        backend.journalFilesRemoved();
      }
    }
  }

  /**
   * Waits until the account of what is finished is on disk.
   *
   * @throws IOException when the disk refuses
   */
  void force() throws IOException {
    backend.force();
  }

  // ---------------------------------------------------------------- what the channel needs

  /** The lowest ordinal whose own journal record may still be needed here. */
  long neededFrom() {
    synchronized (lock) {
      return backend.neededFrom();
    }
  }

  /**
   * The oldest journal file with a relocated message that is needed here; Integer.MAX_VALUE for
   * none.
   */
  int pinnedFile() {
    synchronized (lock) {
      return backend.pinnedFile();
    }
  }

  /** The ordinal from which on everything here is in the journal only. */
  long backlogFrom() {
    synchronized (lock) {
      return backend.backlogFrom();
    }
  }

  /**
   * An ephemeral channel's part in giving back disk: it keeps no more than its memory queue may
   * have, and keeps that in memory and by reference.
   *
   * @param belowOrdinal up to which nobody else needs the journal
   * @param shortOfSpace whether only what consumers wait for, or have had, is to stay
   */
  void letGo(long belowOrdinal, boolean shortOfSpace) throws IOException {
    synchronized (lock) {
      if (!ledger.isClosed()) {
        ready.letGo(belowOrdinal);
        if (shortOfSpace) {
          ready.dropWaiting();
        }
        timing.watchDeferred();
      }
    }
  }

  // ---------------------------------------------------------------- relocation

  /**
   * Shows the unfinished messages that are not only in the backend and keep old journal files from
   * going.
   *
   * @param belowFile only those in older journal files
   */
  void outsideBacklog(int belowFile, java.util.function.Consumer<MessageRef> to) {
    synchronized (lock) {
      messages.visit(
          (message, delayMs) -> {
            if (message.file() < belowFile) {
              to.accept(message);
            }
          });
      messages.visitDead(
          (message, diedMs, mark) -> {
            if (message.file() < belowFile) {
              to.accept(message);
            }
          });
    }
  }

  /**
   * These messages have been relocated: from now on they stand in their new places.
   *
   * @param file the journal file that they were in
   * @param places the new ones, by ordinal
   */
  void relocate(int file, Map<Long, MessageRef> places) throws IOException {
    synchronized (lock) {
      List<HeldMessage> held = new ArrayList<>();
      messages.visit(
          (message, delayMs) -> {
            if (hasMoved(message, file, places)) {
              held.add(HeldMessage.after(message, delayMs, clock.wallMs()));
            }
          });
      messages.visitDead(
          (message, diedMs, mark) -> {
            if (hasMoved(message, file, places)) {
              held.add(HeldMessage.dead(message, diedMs, mark));
            }
          });
      if (!ledger.isClosed() && !held.isEmpty()) {
        ledger.record(() -> backend.relocate(held));
      }
    }
    forceRelocations();
  }

  /**
   * These messages have copies, which are in the journal: from now on they stand there, and what
   * the backend had of them is held.
   *
   * @param copies of messages that the channel may or may not have, by ordinal
   */
  void carried(Map<Long, CarriedMessage> copies) {
    synchronized (lock) {
      if (ledger.isClosed()) {
        return;
      }
      messages.visit((message, delayMs) -> move(message, copies));
      messages.visitDead((message, diedMs, mark) -> move(message, copies));
      List<HeldMessage> taken = backend.takeCarried(copies.values());
      if (!taken.isEmpty()) {
        ready.restore(taken, message -> false);
        timing.watchDeferred();
      }
    }
  }

  private static void move(Message message, Map<Long, CarriedMessage> copies) {
    CarriedMessage copy = copies.get(message.ordinal());
    if (copy != null) {
      message.relocateTo(copy.place());
    }
  }

  private static boolean hasMoved(Message message, int file, Map<Long, MessageRef> places) {
    MessageRef place = message.file() == file ? places.get(message.ordinal()) : null;
    if (place != null) {
      message.relocateTo(place);
    }
    return place != null;
  }

  /** Only when the ledger's word is on the disk may the originals go. */
  private void forceRelocations() throws IOException {
    synchronized (lock) {
      if (ledger.isClosed() || !backend.hasUnforcedRelocations()) {
        return;
      }
    }
    backend.force();
    synchronized (lock) {
      backend.relocationsForced();
    }
  }
}
