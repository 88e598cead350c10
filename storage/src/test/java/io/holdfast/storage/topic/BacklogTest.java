package io.holdfast.storage.topic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.ledger.FinishedSet;
import io.holdfast.storage.values.OrdinalRanges;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Ordinals 10 to 19, of which 10, 13 and 14 are to be skipped; 12 was delivered once before. */
class BacklogTest {
  private final Backlog backlog = new Backlog(10, 20, set(10, 11, 13, 15), set(12, 13));

  private static FinishedSet set(long... bounds) {
    FinishedSet set = new FinishedSet(-1);
    for (int i = 0; i < bounds.length; i += 2) {
      set.add(bounds[i], bounds[i + 1]);
    }
    return set;
  }

  private static Backlog caughtUp() {
    return new Backlog(20, 20, set(), set());
  }

  private static List<Long> waiting(Backlog of) {
    List<Long> ordinals = new ArrayList<>();
    of.visit(100, (ordinal, attempts) -> ordinals.add(ordinal));
    return ordinals;
  }

  @Test
  void shouldCountWhatIsNotToBeSkipped() {
    assertEquals(7, backlog.depth());
    assertEquals(List.of(11L, 12L, 15L, 16L, 17L, 18L, 19L), waiting(backlog));
    assertFalse(backlog.isCaughtUp());
  }

  @Test
  void shouldShowNoMoreThanAskedForAndChangeNothing() {
    List<String> shown = new ArrayList<>();
    backlog.visit(2, (ordinal, attempts) -> shown.add(ordinal + "x" + attempts));
    assertEquals(List.of("11x0", "12x1"), shown);
    assertEquals(10, backlog.cursor());
    assertEquals(7, backlog.depth());
  }

  @Test
  void shouldPassWhatIsToBeSkippedWithoutReadingIt() {
    backlog.passSkipped();
    assertEquals(11, backlog.cursor());
    assertEquals(7, backlog.depth());
  }

  @Test
  void shouldNotDeliverWhatIsToBeSkipped() {
    assertFalse(backlog.take(10));
    assertTrue(backlog.take(11));
    assertTrue(backlog.take(12));
    assertFalse(backlog.take(13));
    assertFalse(backlog.take(14));
    assertEquals(5, backlog.depth());
  }

  @Test
  void shouldHaveAgainWhatWasPutBack() {
    backlog.take(10);
    backlog.take(11);
    backlog.putBack(11);
    assertEquals(11, backlog.cursor());
    assertEquals(7, backlog.depth());
  }

  @Test
  void shouldKnowTheDeliveryBeforeTheRestart() {
    assertEquals(0, backlog.attempts(11));
    assertEquals(1, backlog.attempts(12));
    assertEquals(0, backlog.attempts(15));
    assertEquals(null, backlog.delivered());
  }

  @Test
  void shouldBeCaughtUpWhenOnlySkippedOnesAreLeft() {
    Backlog held = new Backlog(10, 12, set(10, 12), set());
    assertTrue(held.isCaughtUp());
    assertEquals(12, held.cursor());
    assertEquals(0, held.depth());
  }

  @Test
  void shouldNotCountWhatMemoryTookOfABatch() {
    Backlog empty = caughtUp();
    assertTrue(empty.add(20, 25, 3));
    assertEquals(23, empty.cursor());
    assertEquals(2, empty.depth());
  }

  @Test
  void shouldTakeAWholeBatchBehindOthers() {
    assertFalse(backlog.add(20, 25, 0));
    assertEquals(12, backlog.depth());
    assertEquals(10, backlog.cursor());
  }

  @Test
  void shouldNotDeliverABatchThatIsHeldElsewhere() {
    backlog.addSkipped(20, 25);
    assertEquals(7, backlog.depth());
    assertEquals(25, backlog.end());
    Backlog empty = caughtUp();
    empty.addSkipped(20, 25);
    assertTrue(empty.isCaughtUp());
    assertEquals(25, empty.cursor());
  }

  @Test
  void shouldNotCountAGapBeforeABatch() {
    backlog.add(30, 31, 0);
    assertEquals(8, backlog.depth());
    assertEquals(30L, waiting(backlog).get(7));
    Backlog empty = caughtUp();
    empty.passGap(30);
    assertTrue(empty.isCaughtUp());
    assertEquals(30, empty.cursor());
    empty.passGap(25);
    assertEquals(30, empty.end());
  }

  @Test
  void shouldTellWhatItPassed() {
    OrdinalRanges passed = new OrdinalRanges();
    assertEquals(4, backlog.passTo(17, passed));
    assertEquals(17, backlog.cursor());
    assertEquals(3, backlog.depth());
    List<Long> bounds = new ArrayList<>();
    for (int i = 0; i < passed.count(); i++) {
      bounds.add(passed.from(i));
      bounds.add(passed.to(i));
    }
    assertEquals(List.of(11L, 13L, 15L, 17L), bounds);
  }

  @Test
  void shouldHaveNothingAfterClear() {
    backlog.clear();
    assertEquals(0, backlog.depth());
    assertEquals(20, backlog.cursor());
    assertEquals(null, backlog.delivered());
  }

  @Test
  void shouldFindWhatWaitsAheadAndTakeItOut() {
    assertEquals(11, backlog.nextWaiting(0));
    assertEquals(15, backlog.nextWaiting(13));
    assertEquals(1, backlog.attemptsAhead(12));
    assertEquals(0, backlog.attemptsAhead(16));
    backlog.takeOut(16);
    assertEquals(17, backlog.nextWaiting(16));
    assertEquals(6, backlog.depth());
    assertEquals(11, backlog.nextWaiting(0));
  }
}
