package io.holdfast.storage.values;

/**
 * A message that a channel holds outside the backend, as the ledger remembers it.
 *
 * @param ref the message, with its attempts so far
 * @param dueMs when it may be delivered, wall clock ms since 1970; 0 for now
 * @param delayMs how long that was to last when it was recorded, whatever the clock said: no clock
 *     makes it longer; {@link #DELAY_UNKNOWN} where that was not recorded
 */
public record HeldMessage(MessageRef ref, long dueMs, int delayMs) {
  /** Of records of version 1.0, and of delays beyond 24 days. */
  public static final int DELAY_UNKNOWN = Integer.MAX_VALUE;

  /** As records of version 1.0 have it. */
  public HeldMessage(MessageRef ref, long dueMs) {
    this(ref, dueMs, dueMs == 0 ? 0 : DELAY_UNKNOWN);
  }

  /**
   * A message that waits from now on.
   *
   * @param delayMs 0 for a message that is ready
   * @param nowMs wall clock, ms since 1970
   */
  public static HeldMessage after(MessageRef ref, long delayMs, long nowMs) {
    return new HeldMessage(
        ref, delayMs == 0 ? 0 : nowMs + delayMs, (int) Math.min(delayMs, DELAY_UNKNOWN));
  }

  /**
   * How long it is still to wait: never longer than was asked for, so that a clock that is wrong
   * now or was so then delivers early rather than late.
   *
   * @param nowMs wall clock, ms since 1970
   * @return 0 or less for not at all
   */
  public long remainingMs(long nowMs) {
    long remainingMs = dueMs - nowMs;
    return delayMs == DELAY_UNKNOWN ? remainingMs : Math.min(remainingMs, delayMs);
  }
}
