package io.holdfast.storage.topic;

import io.holdfast.storage.ledger.FinishedSet;
import io.holdfast.storage.ledger.RelocatedMessages;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.OrdinalRanges;
import java.util.ArrayList;
import java.util.List;

/**
 * Which journal records a channel may still need: those of unfinished messages that were not
 * relocated. Since a finish could not be recorded, as the ledger has it: until a checkpoint
 * succeeds these files stay, so that a crash delivers again what the ledger does not know to be
 * finished. The channel's lock guards it.
 */
final class NeededRecords {
  private static final long NOTHING = -1;

  /** What can be delivered without its own journal record. */
  private final RelocatedMessages relocated;

  /** Relocated, but the ledger's record of it may not be on the disk. */
  private final List<MessageRef> unforced = new ArrayList<>();

  private long unrecordedFrom = NOTHING;
  private int unrecordedFile = RelocatedMessages.NO_FILE;

  /**
   * @param relocated kept
   */
  NeededRecords(RelocatedMessages relocated) {
    this.relocated = relocated;
  }

  /** These messages need no place. */
  void finish(OrdinalRanges ranges) {
    relocated.finish(ranges);
  }

  /** Messages have new places, which count when the ledger's record of it is {@link #forced}. */
  void relocated(List<HeldMessage> messages) {
    messages.forEach(message -> unforced.add(message.ref()));
  }

  /** Whether there are such messages. */
  boolean hasUnforced() {
    return !unforced.isEmpty();
  }

  /** The ledger's records of new places are on the disk. */
  void forced(FinishedSet finished) {
    for (MessageRef ref : unforced) {
      if (!finished.contains(ref.ordinal())) {
        relocated.put(ref);
      }
    }
    unforced.clear();
  }

  /** Messages were dropped. */
  void emptied(FinishedSet finished) {
    unforced.removeIf(ref -> finished.contains(ref.ordinal()));
  }

  /** Before memory knows what the ledger could not take. */
  void noteUnrecorded(FinishedSet finished) {
    if (unrecordedFrom == NOTHING) {
      unrecordedFrom = relocated.neededFrom(finished);
      unrecordedFile = relocated.pinnedFile();
    }
  }

  /** The ledger knows all that memory does. */
  void recorded() {
    unrecordedFrom = NOTHING;
    unrecordedFile = RelocatedMessages.NO_FILE;
  }

  /** See {@link BackendQueue#neededFrom}. */
  long from(FinishedSet finished) {
    long from = relocated.neededFrom(finished);
    return unrecordedFrom == NOTHING ? from : Math.min(from, unrecordedFrom);
  }

  /** See {@link BackendQueue#pinnedFile}. */
  int file() {
    return Math.min(relocated.pinnedFile(), unrecordedFile);
  }
}
