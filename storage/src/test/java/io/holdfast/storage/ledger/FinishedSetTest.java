package io.holdfast.storage.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class FinishedSetTest {
  private static final int SEGMENT = 1 << FinishedSet.SEGMENT_BITS;
  private static final int WINDOW = 40;
  private static final int END = 3 * SEGMENT;

  /** A range, or with {@code floor} a raising of the floor to {@code from}. */
  record Step(boolean floor, int from, int to) {}

  /** Ordinals close to the borders of the first segments, where off-by-ones live. */
  @Provide
  Arbitrary<Integer> ordinals() {
    Arbitrary<Integer> border = Arbitraries.of(WINDOW, SEGMENT, 2 * SEGMENT);
    Arbitrary<Integer> distance = Arbitraries.integers().between(-WINDOW, WINDOW);
    return Combinators.combine(border, distance).as(Integer::sum);
  }

  @Provide
  Arbitrary<List<Step>> steps() {
    Arbitrary<Integer> shortRange = Arbitraries.integers().between(1, 5);
    Arbitrary<Step> some =
        Combinators.combine(ordinals(), shortRange)
            .as((from, length) -> new Step(false, from, from + length));
    Arbitrary<Step> anyRange =
        Combinators.combine(ordinals(), ordinals())
            .as((a, b) -> new Step(false, Math.min(a, b), Math.max(a, b)));
    Arbitrary<Step> floor = ordinals().map(to -> new Step(true, to, to));
    return Arbitraries.frequencyOf(
            net.jqwik.api.Tuple.of(8, some),
            net.jqwik.api.Tuple.of(2, anyRange),
            net.jqwik.api.Tuple.of(1, floor))
        .list()
        .ofMinSize(1)
        .ofMaxSize(60);
  }

  @Property(tries = 300)
  void shouldAgreeWithAPlainBitSet(
      @ForAll("ordinals") int initialFloor, @ForAll("steps") List<Step> steps) {
    FinishedSet set = new FinishedSet(initialFloor);
    BitSet model = new BitSet(END);
    model.set(0, initialFloor);
    for (Step step : steps) {
      if (step.floor) {
        set.raiseFloor(step.from);
        model.set(0, step.from);
      } else {
        set.add(step.from, step.to);
        model.set(step.from, step.to);
      }
      long floor = set.floor();
      assertTrue(floor <= model.nextClearBit(0), "the floor is not above an unfinished ordinal");
      assertEquals(Math.max(floor, model.length()), set.end());
      for (int border = SEGMENT; border <= 2 * SEGMENT; border += SEGMENT) {
        for (int at = border - WINDOW; at <= border + WINDOW; at += 7) {
          assertEquals(model.get(at), set.contains(at));
          if (at >= floor) {
            assertEquals(model.nextClearBit(at), set.nextAbsent(at));
            int present = model.nextSetBit(at);
            assertEquals(present < 0 ? Long.MAX_VALUE : present, set.nextPresent(at));
            assertEquals(model.get(at, END).cardinality(), set.countFrom(at));
          }
        }
      }
    }
    // The floor moves when something touches it, and then over all that is finished.
    model.set((int) set.floor());
    set.add(set.floor(), set.floor() + 1);
    assertEquals(model.nextClearBit(0), set.floor());
  }

  @Test
  void shouldForgetSegmentsBelowTheFloor() {
    FinishedSet set = new FinishedSet(0);
    set.add(1, 5L * SEGMENT);
    assertEquals(0, set.floor());
    assertEquals(5, set.segments().size());
    assertEquals(5L * SEGMENT - 1, set.countFrom(0));
    set.add(0, 1);
    assertEquals(5L * SEGMENT, set.floor());
    assertTrue(set.segments().isEmpty());
    assertEquals(0, set.countFrom(5L * SEGMENT));
  }

  @Test
  void shouldTakeOrdinalsFarApartAndEmptyRanges() {
    FinishedSet set = new FinishedSet(10);
    long far = 1L << 50;
    set.add(far, far + 1);
    set.add(20, 20);
    set.raiseFloor(3);
    assertEquals(10, set.floor());
    assertTrue(set.contains(far));
    assertFalse(set.contains(20));
    assertEquals(far + 1, set.end());
    assertEquals(1, set.countFrom(10));
  }
}
