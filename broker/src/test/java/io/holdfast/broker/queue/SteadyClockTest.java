package io.holdfast.broker.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** How ages follow a wall clock that is set. */
class SteadyClockTest {
  private static final long START_MS = 1_700_000_000_000L;

  private long passedMs;
  private long stepMs;

  private final SteadyClock clock =
      new SteadyClock(
          () -> TimeUnit.MILLISECONDS.toNanos(passedMs), () -> START_MS + passedMs + stepMs);

  private long after(long ms) {
    for (long i = 0; i < ms; i += 100) {
      passedMs += 100;
      clock.steadyMs();
    }
    return clock.steadyMs() - START_MS - passedMs;
  }

  @Test
  void shouldGoWithTheWallClock() {
    assertEquals(0, after(600_000));
  }

  @Test
  void shouldFollowAStepForwardSlowly() {
    after(5000);
    stepMs = 3_600_000;
    assertEquals(0, clock.steadyMs() - START_MS - passedMs);
    long drawnMs = after(600_000);
    assertTrue(drawnMs > 9000 && drawnMs <= 10_000, "in ten minutes: " + drawnMs);
    // Also when nobody asked for a long time.
    passedMs += 600_000;
    drawnMs = clock.steadyMs() - START_MS - passedMs;
    assertTrue(drawnMs > 18_000 && drawnMs <= 20_000, "in twenty minutes: " + drawnMs);
  }

  @Test
  void shouldNotShowMoreThanAWallClockThatWasSetBack() {
    after(5000);
    stepMs = -3_600_000;
    assertEquals(-3_600_000, after(1000));
    stepMs = 0;
    assertTrue(after(1000) >= -100);
  }
}
