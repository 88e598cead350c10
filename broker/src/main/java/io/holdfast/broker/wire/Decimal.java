package io.holdfast.broker.wire;

/** nsqd's decimal parameters (contract §1.1): digits only, empty is 0, wrapping at 2^64. */
final class Decimal {
  private static final long NS_PER_MS = 1_000_000;

  private Decimal() {}

  static boolean isValid(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) < '0' || text.charAt(i) > '9') {
        return false;
      }
    }
    return true;
  }

  /** The value modulo 2^64, as a signed long; 0 for what is not valid. */
  static long parse(String text) {
    if (!isValid(text)) {
      return 0;
    }
    long value = 0;
    for (int i = 0; i < text.length(); i++) {
      value = 10 * value + (text.charAt(i) - '0');
    }
    return value;
  }

  /** As nsqd clamps a REQ delay: an overflow of ms times 10^6 that goes negative counts as 0. */
  static long clampedMs(String text, long maxMs) {
    long ns = parse(text) * NS_PER_MS;
    return Math.min(Math.max(0, ns) / NS_PER_MS, maxMs);
  }

  /** The ms of a DPUB; -1 when nsqd's nanoseconds overflow below 0. */
  static long ms(String text) {
    long ns = parse(text) * NS_PER_MS;
    return ns < 0 ? -1 : ns / NS_PER_MS;
  }
}
