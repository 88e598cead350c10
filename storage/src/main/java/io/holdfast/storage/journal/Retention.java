package io.holdfast.storage.journal;

/**
 * How long the files of finished messages stay.
 *
 * @param writtenBeforeMs those that were written later are young enough to stay; ms since 1970
 * @param bytes as many bytes of them may stay, to within one file; the oldest go first
 */
public record Retention(long writtenBeforeMs, long bytes) {
  /** They go as soon as all in them is finished. */
  public static final Retention NONE = new Retention(Long.MAX_VALUE, Long.MAX_VALUE);

  /**
   * From now on. With both bounds a file goes for either; with one the other does not matter.
   *
   * @param forMs they stay at least so long; 0 for no bound
   * @param bytes at most so much of them stays; 0 for no bound
   * @param nowMs ms since 1970
   */
  public static Retention of(long forMs, long bytes, long nowMs) {
    if (forMs == 0 && bytes == 0) {
      // No file is too young then, not even one that was left in this very turn.
      return NONE;
    }
    return new Retention(
        forMs == 0 ? Long.MIN_VALUE : nowMs - forMs, bytes == 0 ? Long.MAX_VALUE : bytes);
  }
}
