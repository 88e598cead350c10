package io.holdfast.storage.journal;

import io.holdfast.storage.files.NoSpaceException;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import java.io.Closeable;
import java.io.IOException;
import java.util.Collection;
import java.util.List;

/**
 * A topic's write-ahead log: every message once, whatever the number of channels. Append returns
 * when the message is in the log; {@link #whenDurable} tells when the configured promise holds, and
 * only then may a publisher be answered {@code OK}. A replicated journal can take the place of
 * {@link ChronicleJournal}: readers see only what is promised.
 *
 * <p>Threads: the topic's lock guards everything but {@link #nextOrdinal()}, {@link #diskBytes()}
 * and the cursors, which belong to their channel's lock.
 */
public interface Journal extends JournalContents, Closeable {
  /** Told once whether the messages appended before {@link #whenDurable} hold. */
  interface DurabilityListener {
    /** They do. Called from the sync thread; must not block. */
    void onDurable();

    /** The disk refused; the publishers must not be answered OK. */
    void onFailed(IOException e);
  }

  /**
   * Appends a publish command as one record (all of it or, after a crash in between, nothing) and
   * fills in the batch's ordinals and position.
   *
   * @throws IOException when the disk refuses; nothing has been appended then
   */
  void append(Batch batch) throws IOException;

  /**
   * Whether everything appended so far is as durable as configured.
   *
   * @return true when it is now and the listener will not be called
   */
  boolean whenDurable(DurabilityListener listener);

  /**
   * Goes on in a new file, so that the one written until now can be removed when everything in it
   * is finished: for a disk that is full. The count of messages is kept in the new one.
   *
   * @return false when the file is too small for that to pay
   * @throws IOException when the disk has no room for a new file; {@link NoSpaceException}
   */
  boolean leaveFile() throws IOException;

  /**
   * Relocates an older message: appends a copy, which keeps ordinal, time and deferral. No cursor
   * meets it: it is read by reference only, by channels that have recorded the new place.
   *
   * @return where the copy stands
   * @throws IOException when the disk refuses; nothing has been appended then
   */
  MessageRef relocate(MessageView message) throws IOException;

  /** Waits until everything appended so far is on the disk. Without the topic's lock. */
  void force() throws IOException;

  /**
   * The ordinal of the first message published at a time or later; {@link #nextOrdinal} when there
   * is none. Reads files: not under a lock that publishes need.
   *
   * @param timeNs since 1970
   */
  long ordinalAt(long timeNs) throws IOException;

  /**
   * The newest places of relocated messages from an ordinal on whose own record is gone, by
   * ordinal. Reads files, all of them when it is asked for the first time and the ordinal is older
   * than all that stands in its own record: not under a lock that publishes need, but while no file
   * is removed and nothing is relocated.
   */
  default Collection<MessageRef> relocationsFrom(long ordinal) throws IOException {
    long inPlaceFrom = firstOrdinal();
    if (ordinal >= inPlaceFrom) {
      return List.of();
    }
    List<MessageRef> found =
        relocations().stream()
            .filter(
                relocation -> relocation.ordinal() >= ordinal && relocation.ordinal() < inPlaceFrom)
            .toList();
    if (!found.isEmpty()) {
      // The newest may be of an attempt that failed before it was forced.
      force();
    }
    return found;
  }

  /**
   * The ordinal of the oldest message there is, relocated ones included; {@link #nextOrdinal} when
   * there is none. As {@link #relocationsFrom}.
   */
  default long oldestOrdinal() throws IOException {
    long oldest = firstOrdinal();
    for (MessageRef relocation : relocations()) {
      oldest = Math.min(oldest, relocation.ordinal());
    }
    return oldest;
  }

  /** A new view for one channel. */
  JournalCursor cursor();

  /**
   * Whether the newest file has nothing but relocated messages, see {@link #relocate}: what is
   * older cannot go then, as the newest one with messages keeps the count. Housekeeping thread.
   */
  boolean endsInRelocations() throws IOException;

  /** Keeps the count in a new file, so that all older ones can go. Topic's lock. */
  void leaveRelocations() throws IOException;

  /** The number of the oldest file, -1 when there is none. Numbers rise by age. Any thread. */
  int oldestFile();

  /** The number of the file that has or would have a message; -1 without files. Any thread. */
  int fileOf(long ordinal) throws IOException;

  /**
   * Whether a file with finished messages only may go. Any thread.
   *
   * @param ordinal as for {@link #removeBelow}
   * @param pinned as for {@link #removeBelow}
   */
  boolean mayGo(int file, long ordinal, int pinned, Retention retention) throws IOException;

  /**
   * Whether {@link #removeBelow} would find something, but for the retention. Housekeeping thread.
   */
  boolean hasFilesBelow(long ordinal, int file) throws IOException;

  /**
   * Removes the oldest files, as long as all their messages are below an ordinal; the newest one
   * with messages always stays, it keeps the count. Housekeeping thread, without the topic's lock.
   *
   * @param file stays, and what is newer: relocated messages are in it
   * @param retention which files stay, too
   * @return the number of files removed
   */
  int removeBelow(long ordinal, int file, Retention retention) throws IOException;

  /** Bytes that all files take on the disk. Any thread. */
  long diskBytes();

  /** Number of files. Any thread. */
  int diskFiles();

  /** Bytes that the files newer than this one take. Any thread. */
  long diskBytesAfter(int file);

  /** Gives the disk back what a copy without holes has filled with zeros. Any thread; slow. */
  void giveBackHoles() throws IOException;

  /** Closes the files until the next use, when no cursor has them open. */
  void closeIdle();

  @Override
  void close() throws IOException;
}
