package io.holdfast.storage.values;

/**
 * Where a record begins in a log, as one number: the file's number in the upper half, the offset in
 * the file in the lower. Stateless.
 */
public final class Position {
  private Position() {}

  /**
   * A place in a log.
   *
   * @param cycle number of the file
   * @param offset in the file, bytes
   */
  public static long of(int cycle, long offset) {
    return ((long) cycle << 32) | offset;
  }

  /** The number of the file. */
  public static int cycle(long position) {
    return (int) (position >>> 32);
  }

  /** The offset in the file, bytes. */
  public static int offset(long position) {
    return (int) position;
  }
}
