package io.holdfast.broker.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.policy.ChannelPolicy.Backoff;
import io.holdfast.broker.policy.ChannelPolicy.Expired;
import java.math.BigInteger;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

/** What each policy decides, for any values. */
class PolicyDecisionsPropertyTest {
  private static final long MAX_MS = 3_600_000;

  private static ChannelPolicy rules(int maxAttempts, long ttlMs) {
    return new ChannelPolicy(
        maxAttempts, ChannelPolicy.KEEP, 1, ttlMs, Expired.DROP, false, 0, 0, Backoff.NONE);
  }

  @Property
  void shouldDoubleTheDelayUpToTheLongest(
      @ForAll @LongRange(min = 1, max = MAX_MS) long minMs,
      @ForAll @LongRange(min = 0, max = MAX_MS) long more,
      @ForAll @IntRange(min = 1, max = 100_000) int attempts) {
    long maxMs = minMs + more;
    long delayMs = new Backoff(minMs, maxMs).delayMs(attempts);
    BigInteger exact = BigInteger.valueOf(minMs).shiftLeft(attempts - 1);
    assertEquals(exact.min(BigInteger.valueOf(maxMs)).longValueExact(), delayMs);
  }

  @Property
  void shouldEndAtTheLimitOfAttempts(
      @ForAll @IntRange(min = 0, max = 65535) int max,
      @ForAll @IntRange(min = 0, max = 1_000_000) int attempts) {
    assertEquals(max > 0 && attempts >= max, AttemptsLimit.isReached(rules(max, 0), attempts));
  }

  @Property
  void shouldCountAgeFromWhenAMessageWasDue(
      @ForAll @LongRange(min = 1, max = MAX_MS) long ttlMs,
      @ForAll @LongRange(min = 0, max = MAX_MS) long deferMs,
      @ForAll @LongRange(min = -MAX_MS, max = 3 * MAX_MS) long ageMs) {
    long bornMs = 1_700_000_000_000L;
    long nowMs = bornMs + ageMs;
    ChannelPolicy rules = rules(0, ttlMs);
    long bornNs = bornMs * 1_000_000;
    assertEquals(ageMs - deferMs > ttlMs, TimeToLive.isOver(rules, bornNs, deferMs, 0, nowMs));
    assertFalse(TimeToLive.isOver(rules, bornNs, deferMs, 1, nowMs), "redriven");
    assertFalse(TimeToLive.isOver(rules(0, 0), bornNs, deferMs, 0, nowMs), "for ever");
    assertTrue(TimeToLive.isOver(rules, bornNs, deferMs, 0, bornMs + deferMs + ttlMs + 1));
  }
}
