package io.holdfast.storage.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import org.junit.jupiter.api.Test;

class LedgerStateTest {
  private static HeldMessage held(long ordinal, int attempts, long dueMs) {
    return new HeldMessage(new MessageRef(ordinal, 0, 0, 1, attempts), dueMs);
  }

  @Test
  void shouldCountFirstDeliveryOfDeferredMessage() {
    LedgerState state = new LedgerState(0);
    state.hold(held(5, 0, 1000)); // published with a delay
    state.hold(held(6, 0, 1000));
    state.deliver(5, 6); // due, delivered; then the broker was killed
    assertEquals(1, state.attempts(5));
    assertEquals(1, state.held(5).ref().attempts());
    assertEquals(0, state.attempts(6));
  }

  @Test
  void shouldKnowLaterAttemptsFromTheLastHold() {
    LedgerState state = new LedgerState(0);
    state.deliver(5, 6);
    assertEquals(1, state.attempts(5));
    state.hold(held(5, 2, 0));
    assertEquals(2, state.attempts(5));
    state.finish(5, 6);
    state.hold(held(5, 3, 0)); // a record of a delivery that the finish overtook
    assertEquals(null, state.held(5));
  }

  @Test
  void shouldLeaveOutWhatThereIsNoMemoryFor() {
    LedgerState state = new LedgerState(0);
    state.hold(held(5, 3, 0));
    state.hold(held(6, 0, 1000));
    state.hold(held(7, 3, 0));
    state.hold(held(8, 0, 1000));
    state.hold(new HeldMessage(new MessageRef(9, 0, 0, 1, 2, true), 0)); // nowhere else
    LedgerState whole = state.copy();
    state.keepHeld(5);
    assertFalse(state.leftSomeOut());
    state.keepHeld(2);
    assertTrue(state.leftSomeOut());
    assertEquals(3, state.held().size());
    assertEquals(3, state.attempts(5));
    assertEquals(2, state.attempts(9));
    // As those that were never held.
    assertNull(state.held(7));
    assertEquals(1, state.attempts(7));
    assertEquals(0, state.attempts(8));
    assertFalse(state.isFinished(7));
    assertEquals(5, whole.held().size(), "the copy it was made of has all");
    assertFalse(whole.leftSomeOut());
  }

  @Test
  void shouldHoldNoMoreThanThereIsMemoryFor() {
    LedgerState state = new LedgerState(0, 2);
    state.hold(held(5, 3, 0));
    state.hold(held(6, 0, 1000));
    assertFalse(state.leftSomeOut());
    state.hold(held(7, 3, 0));
    state.hold(held(8, 0, 1000));
    state.hold(held(6, 4, 2000)); // known already
    state.hold(new HeldMessage(new MessageRef(1, 0, 0, 1, 2, true), 0)); // nowhere else
    assertTrue(state.leftSomeOut());
    assertEquals(3, state.held().size());
    assertEquals(4, state.attempts(6));
    assertEquals(2, state.attempts(1));
    // As those that were never held.
    assertNull(state.held(7));
    assertEquals(1, state.attempts(7));
    assertEquals(0, state.attempts(8));
    assertFalse(state.isFinished(7));
    state.finish(5, 7);
    state.hold(held(7, 5, 0));
    assertEquals(5, state.attempts(7));
  }

  @Test
  void shouldKeepWhatIsDeadOrWasWhetherThereIsMemoryOrNot() {
    LedgerState state = new LedgerState(0, 1);
    state.hold(held(5, 3, 0));
    assertFalse(state.isMarked());
    MessageRef dead = new MessageRef(6, 0, 0, 1, 2);
    state.hold(HeldMessage.dead(dead, 1000, HeldMessage.Mark.DEAD_ATTEMPTS));
    MessageRef redriven = new MessageRef(7, 0, 0, 1, 2);
    redriven.redrive();
    state.hold(new HeldMessage(redriven, 0));
    assertTrue(state.isMarked());
    assertFalse(state.leftSomeOut());
    assertTrue(state.held(6).isDead());
    assertEquals(1, state.held(7).ref().lives());
    state.deliver(6, 8);
    assertEquals(2, state.attempts(6));
    assertEquals(0, state.attempts(7));
    state.finish(6, 7);
    state.hold(HeldMessage.dead(dead, 1000, HeldMessage.Mark.DEAD_ATTEMPTS));
    assertNull(state.held(6));
  }

  @Test
  void shouldHaveRoomForWhatASummaryHoldsWhereItFinishesOthers() {
    LedgerState state = new LedgerState(0, 1);
    state.hold(held(5, 3, 0));
    LedgerState summary = new LedgerState(6, 1);
    summary.hold(held(7, 4, 1000));
    state.addAll(summary);
    assertFalse(state.leftSomeOut());
    assertEquals(4, state.attempts(7));
  }
}
