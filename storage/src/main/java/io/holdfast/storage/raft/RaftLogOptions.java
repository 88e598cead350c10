package io.holdfast.storage.raft;

/**
 * How a group's log is kept.
 *
 * @param maxBytesPerFile a file larger than that is left
 * @param maxEntryBytes the largest entry: {@code max_body_size} and what goes with it
 */
public record RaftLogOptions(long maxBytesPerFile, int maxEntryBytes) {
  private static final long MIN_BLOCK_BYTES = 1 << 20;

  /** Chronicle takes no excerpt larger than a quarter of what is mapped. */
  private static final int BLOCK_EXCERPTS = 4;

  /** Bytes to map at once: a whole file. */
  long blockBytes() {
    long excerptBytes = maxEntryBytes + 64L * 1024;
    long largest = Math.max(maxBytesPerFile + excerptBytes, BLOCK_EXCERPTS * excerptBytes);
    return Math.max(MIN_BLOCK_BYTES, largest);
  }
}
