package io.holdfast.storage.journal;

import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.util.Collection;

/**
 * What a recovery asks of a topic's journal and settles in it: the broker's {@link Journal}, or one
 * that is only looked at. Nothing of this changes a file.
 */
public interface JournalContents {
  /** The ordinal of the next message. Any thread. */
  long nextOrdinal();

  /** The oldest ordinal that can still be read; {@link #nextOrdinal()} when there is none. */
  long firstOrdinal() throws IOException;

  /**
   * Never to use an ordinal below this one, which some ledger has mentioned: after a power cut a
   * ledger can be ahead of the journal, and its finishes must not hit other messages.
   */
  void raiseNextOrdinal(long ordinal);

  /**
   * Skips ordinals that messages lost with power may have had: they may have been delivered, and
   * nobody is to see another message under the same id. They are no messages: nothing counts them.
   * Once, before anything is appended, which goes on above all of them.
   *
   * @param ranges ascending; kept
   */
  void skip(OrdinalRanges ranges);

  /** What {@link #skip} skipped; not to be changed. */
  OrdinalRanges skipped();

  /**
   * One above the last message below an ordinal.
   *
   * @return the ordinal itself when that cannot be known: nothing lies between
   */
  default long endBelow(long ordinal) throws IOException {
    return ordinal;
  }

  /**
   * Finds what {@link Journal#relocate} appended; a later one of a message counts. Reads each file
   * of which it is not known whether it has any, once.
   */
  Collection<MessageRef> relocations() throws IOException;
}
