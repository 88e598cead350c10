package io.holdfast.storage.values;

/**
 * A message that a channel holds outside the backend, as the ledger remembers it. A dead letter is
 * one that never comes due.
 *
 * @param ref the message, with its attempts so far
 * @param dueMs when it may be delivered, wall clock ms since 1970; 0 for now. Of a dead letter:
 *     when it died
 * @param delayMs how long that was to last when it was recorded, whatever the clock said: no clock
 *     makes it longer; {@link #DELAY_UNKNOWN} where that was not recorded
 * @param mark whether it is dead, and why
 */
public record HeldMessage(MessageRef ref, long dueMs, int delayMs, Mark mark) {
  /** Of records of version 1.0, and of delays beyond 24 days. */
  public static final int DELAY_UNKNOWN = Integer.MAX_VALUE;

  /** Whether a message is dead. The order is that of the numbers in the ledger's records. */
  public enum Mark {
    /** It lives. */
    NONE(0),
    /** Dead, by too many attempts. */
    DEAD_ATTEMPTS(1),
    /** Dead, being too old. */
    DEAD_EXPIRED(2),
    /** Dead, by too many attempts, and still to be published to the dead letters' topic. */
    OUT_ATTEMPTS(3),
    /** Dead, being too old, and still to be published to the dead letters' topic. */
    OUT_EXPIRED(4);

    private static final Mark[] BY_CODE = {
      NONE, DEAD_ATTEMPTS, DEAD_EXPIRED, OUT_ATTEMPTS, OUT_EXPIRED
    };

    private final int code;

    Mark(int code) {
      this.code = code;
    }

    /** As ledgers have it, 0 to 4. */
    public int code() {
      return code;
    }

    /** The mark of a code; of one that is not known the last, a dead one. */
    public static Mark of(int code) {
      return BY_CODE[Math.min(code, BY_CODE.length - 1)];
    }

    /** Whether the message is not to be delivered. */
    public boolean isDead() {
      return this != NONE;
    }

    /** Whether it is still to be published to the dead letters' topic. */
    public boolean isOut() {
      return this == OUT_ATTEMPTS || this == OUT_EXPIRED;
    }

    /** Whether it was too old, else it had too many attempts. */
    public boolean isExpired() {
      return this == DEAD_EXPIRED || this == OUT_EXPIRED;
    }
  }

  /** Of a message that lives. */
  public HeldMessage(MessageRef ref, long dueMs, int delayMs) {
    this(ref, dueMs, delayMs, Mark.NONE);
  }

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
   * A dead letter.
   *
   * @param diedMs when it died, wall clock ms since 1970
   * @param mark not {@link Mark#NONE}
   */
  public static HeldMessage dead(MessageRef ref, long diedMs, Mark mark) {
    return new HeldMessage(ref, diedMs, 0, mark);
  }

  /** The same of a message that stands elsewhere. */
  public HeldMessage at(MessageRef place) {
    return new HeldMessage(place, dueMs, delayMs, mark);
  }

  /** Whether it is not to be delivered until somebody redrives it. */
  public boolean isDead() {
    return mark.isDead();
  }

  /** Whether records of version 1.0 cannot say this: it is dead, or was. */
  public boolean isMarked() {
    return isDead() || ref.lives() > 0;
  }

  /**
   * How long it is still to wait: never longer than was asked for, so that a clock that is wrong
   * now or was so then delivers early rather than late.
   *
   * @param nowMs wall clock, ms since 1970
   * @return 0 or less for not at all; Long.MAX_VALUE for a dead letter
   */
  public long remainingMs(long nowMs) {
    if (isDead()) {
      return Long.MAX_VALUE;
    }
    long remainingMs = dueMs - nowMs;
    return delayMs == DELAY_UNKNOWN ? remainingMs : Math.min(remainingMs, delayMs);
  }
}
