package io.holdfast.broker.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A group comes back soon after what stopped it, and does not burn a disk that stays broken. */
class GroupRestartsTest {
  private static final int MEGABYTE = 1 << 20;

  private long free = 100 * MEGABYTE;
  private int nowS;
  private final GroupRestarts restarts = new GroupRestarts(() -> free);

  private long nowNs() {
    return TimeUnit.SECONDS.toNanos(nowS);
  }

  /** Asks each second for so long; when it is to be tried. */
  private List<Integer> failFor(int seconds) {
    List<Integer> tries = new ArrayList<>();
    for (int i = 0; i < seconds; i++) {
      if (restarts.isDue(nowNs())) {
        tries.add(i);
      }
      nowS++;
    }
    return tries;
  }

  private void wellFor(int seconds) {
    for (int i = 0; i < seconds; i++) {
      restarts.isWell(nowNs());
      nowS++;
    }
  }

  @Test
  void shouldTryEverLater() {
    assertEquals(List.of(2, 6, 14, 30, 62, 122, 182), failFor(200));
  }

  @Test
  void shouldTryAtOnceWhenThereIsRoom() {
    free = 0;
    failFor(70);
    free = 7 * MEGABYTE;
    assertFalse(restarts.isDue(nowNs()));
    free = 8 * MEGABYTE;
    assertTrue(restarts.isDue(nowNs()));
    nowS++;
    assertEquals(List.of(1, 5), failFor(8), "in vain: soon again");
  }

  @Test
  void shouldTakeAnErrorLongAfterForANewOne() {
    failFor(200);
    wellFor(30);
    assertEquals(List.of(), failFor(40), "the same again");
    wellFor(90);
    assertEquals(List.of(2), failFor(4));
  }

  @Test
  void shouldNotWaitLongerWhileItIsWell() {
    wellFor(1000);
    assertEquals(List.of(2), failFor(4));
  }
}
