package io.holdfast.broker.cluster.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Leaders that are there and do not stay are waited for longer, those that died are not. */
class ElectionPaceTest {
  private static final int FIRST_MS = 1000;

  private final ElectionPace pace = new ElectionPace(FIRST_MS);
  private long term = 1;
  private long nowMs;

  private int look(boolean isThere) {
    return pace.timeoutMs(term, isThere, TimeUnit.MILLISECONDS.toNanos(nowMs));
  }

  /** Terms of this length; how long it waits for a leader then. */
  private int terms(int count, int lengthMs, boolean isThere) {
    int timeoutMs = look(isThere);
    for (int i = 0; i < count; i++) {
      nowMs += lengthMs;
      term++;
      timeoutMs = look(isThere);
    }
    return timeoutMs;
  }

  @Test
  void shouldWaitLongerWhereNobodyStays() {
    assertEquals(FIRST_MS, terms(3, 5000, true));
    assertEquals(2 * FIRST_MS, terms(1, 5000, true));
    assertEquals(4 * FIRST_MS, terms(4, 12_000, true));
    assertEquals(8 * FIRST_MS, terms(4, 12_000, true));
    assertEquals(8 * FIRST_MS, terms(40, 12_000, true));
    // And again as at first when somebody does.
    for (int expected : new int[] {4, 2, 1, 1}) {
      nowMs += 30_000;
      look(true);
      nowMs += 31_000;
      assertEquals(expected * FIRST_MS, look(true));
    }
  }

  @Test
  void shouldNotWaitLongerForLeadersThatDie() {
    assertEquals(FIRST_MS, terms(40, 3000, false));
  }

  @Test
  void shouldNotMindATermNowAndThen() {
    assertEquals(FIRST_MS, terms(40, 11_000, true));
  }
}
