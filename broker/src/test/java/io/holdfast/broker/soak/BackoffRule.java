package io.holdfast.broker.soak;

/** {@code requeue_backoff}: after a REQ 0 a message is held back, twice as long each time. */
final class BackoffRule implements SoakRule {
  private final int minMs;
  private final int maxMs;

  BackoffRule(int minMs, int maxMs) {
    this.minMs = minMs;
    this.maxMs = maxMs;
  }

  /** As the policy writes it. */
  String text() {
    return minMs + "ms.." + maxMs + "ms";
  }

  @Override
  public int requeueDelayMs(int attempts, int askedMs) {
    return askedMs == 0
        ? (int) Math.min(maxMs, (long) minMs << Math.min(30, attempts - 1))
        : askedMs;
  }
}
