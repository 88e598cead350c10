package io.holdfast.storage.journal;

import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.Closeable;
import java.io.IOException;
import java.util.function.Consumer;

/**
 * One channel's view of its topic's journal: in order from an ordinal on, and single messages by
 * reference. What cannot be read is reported with file and offset and skipped: it becomes a gap in
 * the ordinals. Not thread-safe (the channel's lock).
 */
public interface JournalCursor extends Closeable {
  /** From now on a listener hears of what cannot be read, one line each; the log does not. */
  void onUnreadable(Consumer<String> listener);

  /** The ordinal that {@link #next} will return, if it can be read. */
  long nextOrdinal();

  /** Ordinals that no message has, see {@link Journal#skipped}. */
  OrdinalRanges skipped();

  /** Continues at an ordinal, to be looked for in the files. */
  void moveTo(long ordinal);

  /** Continues at an ordinal of a batch that was just appended. */
  void moveTo(Batch batch, long ordinal);

  /**
   * Goes to the next message below a bound.
   *
   * <p>{@link #nextOrdinal} may jump over ordinals that cannot be read; the caller compares it
   * before and after.
   *
   * @return false when there is none; {@link #nextOrdinal} is then the bound
   */
  boolean next(MessageView to, long end) throws IOException;

  /**
   * Reads one message again.
   *
   * @return false when it is damaged; it has been reported
   */
  boolean read(MessageRef ref, MessageView to) throws IOException;

  /** Messages that could not be read since this cursor was made. */
  long unreadable();

  /** Closes the files; the next use opens them again where it left off. */
  void release();

  /** Lets go of files that were removed; the disk gets their blocks back only then. */
  void filesRemoved();

  @Override
  void close();
}
