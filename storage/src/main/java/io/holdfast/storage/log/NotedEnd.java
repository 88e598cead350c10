package io.holdfast.storage.log;

import java.io.IOException;

/**
 * How far a file goes as Chronicle noted it. In a file that is used again, what stands behind may
 * be of an earlier life, also a header before it, and what a power cut left of the pages before may
 * be, too. Not thread-safe (its reader's thread).
 */
final class NotedEnd {
  private static final int LENGTH_MASK = 0x3fff_ffff;
  private static final int META_DATA = 0x4000_0000;
  private static final int ARRAY_BYTES = Long.BYTES * SizeRollCycle.INDEX_COUNT;

  /** An array's name and lengths, and what fills up. */
  private static final int ARRAY_HEAD_BYTES = 64;

  private long noted;

  /** Another file comes, or its begin. */
  void forget() {
    noted = CycleFileHeader.NOWHERE;
  }

  /** Whether a header at a place can be of an earlier life of the file. */
  static boolean mayBeOld(ReadFile file, long at) throws IOException {
    // What is before was cleared, and that forced, before the file was used again.
    return at >= FileSalt.HEAD_BYTES && file.salt() != FileSalt.NONE;
  }

  /** Whether a header is behind the one that Chronicle noted last. */
  boolean isBehind(ReadFile file, long at) throws IOException {
    if (at > noted) {
      // It may be written just now.
      noted = CycleFileHeader.read(file).lastExcerpt();
    }
    return at > noted;
  }

  /** Whether a header can be one: Chronicle's own in the middle of a file are its index arrays. */
  static boolean isPlausible(int header) {
    int bytes = header & LENGTH_MASK;
    return (header & META_DATA) == 0
        || (bytes >= ARRAY_BYTES && bytes <= ARRAY_BYTES + ARRAY_HEAD_BYTES);
  }
}
