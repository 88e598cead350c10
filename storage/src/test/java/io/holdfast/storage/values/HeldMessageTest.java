package io.holdfast.storage.values;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Deferrals that were recorded by one clock and are read by another. */
class HeldMessageTest {
  private static final MessageRef REF = new MessageRef(0, 4, 8, 1, 0);
  private static final long NOW_MS = 1_700_000_000_000L;
  private static final long HOUR_MS = 3_600_000;

  @Test
  void shouldWaitNoLongerThanWasAskedForWhateverTheClockSays() {
    HeldMessage held = HeldMessage.after(REF, 5000, NOW_MS);
    assertEquals(5000, held.remainingMs(NOW_MS));
    assertEquals(2000, held.remainingMs(NOW_MS + 3000));
    assertEquals(5000, held.remainingMs(NOW_MS - HOUR_MS));
    assertEquals(5000, held.remainingMs(NOW_MS - 17_520 * HOUR_MS));
    assertEquals(5000 - HOUR_MS, held.remainingMs(NOW_MS + HOUR_MS));
  }

  @Test
  void shouldKnowNoDelayOfOldRecordsAndOfVeryLongOnes() {
    assertEquals(5000 + HOUR_MS, new HeldMessage(REF, NOW_MS + 5000).remainingMs(NOW_MS - HOUR_MS));
    long yearMs = 8760 * HOUR_MS;
    assertEquals(yearMs, HeldMessage.after(REF, yearMs, NOW_MS).remainingMs(NOW_MS));
    HeldMessage ready = HeldMessage.after(REF, 0, NOW_MS);
    assertEquals(new HeldMessage(REF, 0), ready);
  }

  @Test
  void shouldNeverBeDueWhenDead() {
    HeldMessage dead = HeldMessage.dead(REF, NOW_MS, HeldMessage.Mark.OUT_EXPIRED);
    assertEquals(Long.MAX_VALUE, dead.remainingMs(NOW_MS + HOUR_MS));
    assertTrue(dead.isDead() && dead.mark().isOut() && dead.mark().isExpired());
  }

  @Test
  void shouldCountAttemptsAnewWhenRedriven() {
    MessageRef ref = new MessageRef(0, 4, 8, 1, 0);
    assertEquals(1, ref.nextAttempt());
    assertEquals(1, ref.packedAttempts());
    int before = ref.packedAttempts();
    ref.redrive();
    assertEquals(0, ref.attempts());
    assertEquals(1, ref.lives());
    assertTrue(ref.packedAttempts() > before);
    assertEquals(1, ref.nextAttempt());
    assertEquals(1, ref.lives());
    MessageRef often = new MessageRef(0, 4, 8, 1, MessageRef.MAX_ATTEMPTS);
    assertEquals(MessageRef.MAX_ATTEMPTS, often.nextAttempt());
    assertEquals(0, often.lives());
  }
}
