package io.holdfast.broker.limits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who gets room, in which order, and who gives way when there is none. */
class InputBudgetTest {
  private static final long PART_MS = 500;

  private final EmbeddedChannel loop = new EmbeddedChannel();
  private final AtomicLong clock = new AtomicLong();
  private final InputBudget budget = new InputBudget(1000, PART_MS, clock::get);
  private final List<String> closed = new ArrayList<>();
  private final List<String> granted = new ArrayList<>();

  @BeforeEach
  void freeze() {
    loop.freezeTime();
  }

  @AfterEach
  void stop() {
    loop.finishAndReleaseAll();
  }

  private final class Sender implements InputBudget.Holder {
    private final String name;
    private final InputBudget.Lease lease;
    private boolean innocent;

    Sender(String name, long bytes) {
      this.name = name;
      lease = budget.request(bytes, loop.eventLoop(), this);
    }

    @Override
    public void granted() {
      granted.add(name);
    }

    @Override
    public boolean expired() {
      if (!innocent) {
        closed.add(name);
        lease.release();
      }
      return !innocent;
    }
  }

  /** Time of the event loop alone: the process was away. */
  private void pass(long ms) {
    loop.advanceTimeBy(ms, TimeUnit.MILLISECONDS);
    loop.runScheduledPendingTasks();
    loop.runPendingTasks();
  }

  private void run(long ms) {
    clock.addAndGet(TimeUnit.MILLISECONDS.toNanos(ms));
    pass(ms);
  }

  @Test
  void shouldServeInOrderAndOnlyWhenThereIsRoomForTheFirst() {
    Sender first = new Sender("first", 600);
    Sender large = new Sender("large", 900);
    Sender small = new Sender("small", 10);
    assertTrue(first.lease.isGranted());
    assertFalse(large.lease.isGranted());
    // There would be room, but somebody came before.
    assertFalse(small.lease.isGranted());
    first.lease.release();
    loop.runPendingTasks();
    assertEquals(List.of("large", "small"), granted);
    large.lease.release();
    small.lease.release();
    assertEquals(0, budget.usedBytes());
    assertEquals(0, budget.waiting());
  }

  @Test
  void shouldLeaveEverybodyHisTimeWhileNobodyWaits() {
    new Sender("silent", 1000);
    run(100 * PART_MS);
    assertEquals(List.of(), closed);
  }

  @Test
  void shouldCloseAllOfWhomNothingComesAndNoneOfWhomSomethingDoes() {
    new Sender("silent", 300);
    new Sender("silent too", 300);
    Sender slow = new Sender("slow", 400);
    new Sender("next", 500);
    for (int part = 1; part <= 8; part++) {
      run(PART_MS * 9 / 10);
      // An eighth each time, of which all are needed.
      slow.lease.received(50L * part);
    }
    assertEquals(List.of("silent", "silent too"), closed.stream().sorted().toList());
    assertEquals(List.of("next"), granted);
    new Sender("last", 500);
    run(2 * PART_MS);
    assertTrue(closed.contains("slow"), "all came long ago, and it still holds its room");
  }

  @Test
  void shouldNotCountTimeInWhichTheBrokerWasAway() {
    new Sender("sending", 1000);
    new Sender("next", 500);
    pass(100 * PART_MS);
    assertEquals(List.of(), closed);
    run(PART_MS);
    run(PART_MS);
    assertEquals(List.of("sending"), closed);
  }

  @Test
  void shouldWaitForWhoIsNotReadFrom() {
    Sender held = new Sender("held", 1000);
    held.innocent = true;
    new Sender("next", 500);
    run(3 * PART_MS);
    held.innocent = false;
    run(PART_MS / 2);
    assertEquals(List.of(), closed);
    run(PART_MS);
    assertEquals(List.of("held"), closed);
  }

  @Test
  void shouldGrowOnlyWhereThereIsRoomThatNobodyWaitsFor() {
    Sender growing = new Sender("growing", 400);
    assertTrue(budget.tryGrow(growing.lease, 600));
    assertEquals(600, budget.usedBytes());
    Sender other = new Sender("other", 1);
    assertFalse(budget.tryGrow(growing.lease, 1000));
    other.lease.release();
    Sender waiting = new Sender("waiting", 500);
    assertFalse(budget.tryGrow(growing.lease, 601));
    waiting.lease.release();
    assertTrue(budget.tryGrow(growing.lease, 1000));
    growing.lease.release();
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void shouldTakeMoreThanAllForAll() {
    Sender large = new Sender("large", 2000);
    assertTrue(large.lease.isGranted());
    large.lease.release();
    Sender growing = new Sender("growing", 400);
    assertTrue(budget.tryGrow(growing.lease, 2000));
    assertEquals(1000, budget.usedBytes());
    growing.lease.release();
    assertEquals(0, budget.usedBytes());
  }
}
