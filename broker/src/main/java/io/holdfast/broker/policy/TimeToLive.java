package io.holdfast.broker.policy;

import java.util.concurrent.TimeUnit;

/** Decides by {@code message_ttl} whether a message is too old to be delivered. Stateless. */
public final class TimeToLive {
  private TimeToLive() {}

  /**
   * Whether a message has expired; asked when its delivery would begin.
   *
   * @param timestampNs publish time, ns since 1970
   * @param deferMs the delay it was published with: it lives from when it was due
   * @param lives how often it was redriven: then it never expires, or redriving would be in vain
   * @param nowMs ms since 1970, of a clock that does not jump forward
   */
  public static boolean isOver(
      ChannelPolicy rules, long timestampNs, long deferMs, int lives, long nowMs) {
    if (rules.messageTtlMs() == 0 || lives > 0) {
      return false;
    }
    long fromMs = TimeUnit.NANOSECONDS.toMillis(timestampNs) + deferMs;
    return nowMs - fromMs > rules.messageTtlMs();
  }
}
