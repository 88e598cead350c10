package io.holdfast.storage.journal;

/**
 * Where a journal ended at some moment, so that it can be put back to it.
 *
 * @param file number of the newest file; negative when there was none
 * @param offset behind its last record, bytes; 0 without a file
 */
public record JournalEnd(int file, long offset) {
  /** Of a journal without files. */
  public static final JournalEnd EMPTY = new JournalEnd(-1, 0);

  /** Whether there was nothing. */
  public boolean isEmpty() {
    return file < 0;
  }
}
