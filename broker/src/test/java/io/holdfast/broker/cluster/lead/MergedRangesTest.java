package io.holdfast.broker.cluster.lead;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.storage.values.OrdinalRanges;
import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Ranges in order, against a set of bits. */
class MergedRangesTest {
  private static final int RUNS = 2000;
  private static final int BITS = 60;

  private static OrdinalRanges draw(Random random, BitSet same) {
    OrdinalRanges ranges = new OrdinalRanges();
    for (int i = random.nextInt(8); i > 0; i--) {
      int from = random.nextInt(BITS);
      int to = from + 1 + random.nextInt(6);
      ranges.add(from, to);
      same.set(from, to);
    }
    return ranges;
  }

  private static BitSet bits(OrdinalRanges ranges) {
    BitSet bits = new BitSet();
    for (int i = 0; i < ranges.count(); i++) {
      bits.set((int) ranges.from(i), (int) ranges.to(i));
    }
    return bits;
  }

  @Test
  void shouldBeSetsOfOrdinals() {
    Random random = new Random(1);
    for (int run = 0; run < RUNS; run++) {
      BitSet oneBits = new BitSet();
      BitSet otherBits = new BitSet();
      MergedRanges one = new MergedRanges(draw(random, oneBits));
      MergedRanges other = new MergedRanges(draw(random, otherBits));
      assertEquals(oneBits, bits(one.part(0, Integer.MAX_VALUE / 2)));
      for (int i = 0; i < BITS + 10; i++) {
        assertEquals(oneBits.get(i), one.contains(i));
      }
      OrdinalRanges left = one.minus(other);
      BitSet expected = (BitSet) oneBits.clone();
      expected.andNot(otherBits);
      assertEquals(expected, bits(left));
      for (int i = 1; i < left.count(); i++) {
        assertEquals(true, left.to(i - 1) < left.from(i));
      }
    }
  }
}
