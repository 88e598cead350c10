package io.holdfast.broker.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** When a leader hands over whose disk has lost messages that another node may have. */
final class DamagedLeaderTest {
  private static final long MINUTE_NS = TimeUnit.MINUTES.toNanos(1);

  // Clocks may begin anywhere.
  private final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 1);
  private final DamagedLeader damaged = new DamagedLeader(clock::get);
  private final HandedGroup group = new HandedGroup();
  private String successor = "b";

  /** The message is spoken of again and again; how many handovers there were. */
  private int visits(long forNs) {
    for (long ns = 0; ns < forNs; ns += MINUTE_NS / 4) {
      damaged.unreadable();
      damaged.visit(group, any -> successor);
      clock.addAndGet(MINUTE_NS / 4);
    }
    return group.handedTo.size();
  }

  @Test
  void nothingIsDoneForNothing() {
    for (int i = 0; i < 10; i++) {
      damaged.visit(group, any -> successor);
      clock.addAndGet(MINUTE_NS);
    }
    assertEquals(List.of(), group.handedTo);
  }

  @Test
  void atOnceAndThenLaterAndLater() {
    damaged.unreadable();
    damaged.visit(group, any -> successor);
    assertEquals(List.of("b"), group.handedTo);
    // It is said once: no handover for what is not said again.
    clock.addAndGet(10 * MINUTE_NS);
    damaged.visit(group, any -> successor);
    assertEquals(1, group.handedTo.size());
    successor = "c";
    assertEquals(2, visits(MINUTE_NS));
    assertEquals("c", group.handedTo.get(1));
    assertEquals(2, visits(MINUTE_NS), "two minutes after the second one");
    assertEquals(3, visits(MINUTE_NS));
    // 4, 8, 16, 32 and 60 minutes, at most once an hour from then on.
    assertEquals(7, visits(4 * MINUTE_NS + 8 * MINUTE_NS + 16 * MINUTE_NS + 32 * MINUTE_NS));
    assertEquals(8, visits(60 * MINUTE_NS));
    assertEquals(10, visits(120 * MINUTE_NS));
  }

  @Test
  void whoLeadsNothingOrHasNobodyHandsNothingOver() {
    group.serves = false;
    assertEquals(0, visits(5 * MINUTE_NS));
    group.serves = true;
    successor = null;
    assertEquals(0, visits(5 * MINUTE_NS));
    successor = "b";
    assertEquals(1, visits(MINUTE_NS / 4), "what did not happen costs no time");
  }
}
