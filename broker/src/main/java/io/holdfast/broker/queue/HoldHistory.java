package io.holdfast.broker.queue;

/**
 * Whether holding a channel's messages has paid: whether others came meanwhile. Where publishers
 * wait for their consumers none does, and a hold only costs time; so after each hold in vain twice
 * as many messages go without one. The channel's lock guards it.
 */
final class HoldHistory {
  private static final int MAX_SKIPPED = 64;

  private int skip;
  private int nextSkip = 1;

  /** Asked for each message that could begin a hold. */
  boolean mayBegin() {
    if (skip > 0) {
      skip--;
      return false;
    }
    return true;
  }

  /** A hold is over, and so many messages are ready. */
  void ended(long messages) {
    if (messages > 1) {
      nextSkip = 1;
    } else {
      skip = nextSkip;
      nextSkip = Math.min(MAX_SKIPPED, 2 * nextSkip);
    }
  }
}
