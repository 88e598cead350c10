package io.holdfast.broker.queue;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Who of the waiting consumers is next. */
class WaitingClientsTest {
  private final FakeConsumer a = new FakeConsumer();
  private final FakeConsumer b = new FakeConsumer();
  private final FakeConsumer c = new FakeConsumer();
  private WaitingClients waiting = new WaitingClients(new Topology("", "", false));

  @Test
  void shouldTakeWhoeverHasWaitedLongest() {
    waiting.add(a);
    waiting.add(b);
    waiting.add(a);
    assertTrue(a.isWaiting());
    assertSame(a, waiting.poll());
    assertFalse(a.isWaiting());
    waiting.add(a);
    assertSame(b, waiting.poll());
    assertSame(a, waiting.poll());
    assertNull(waiting.poll());
  }

  @Test
  void shouldForgetWhoLeaves() {
    waiting.add(a);
    waiting.add(b);
    waiting.remove(a);
    waiting.remove(c);
    assertFalse(a.isWaiting());
    assertSame(b, waiting.poll());
    assertNull(waiting.poll());
  }

  @Test
  void shouldTellTheOnlyOne() {
    assertNull(waiting.only());
    waiting.add(a);
    assertSame(a, waiting.only());
    assertTrue(a.isWaiting(), "it stays");
    waiting.add(b);
    assertNull(waiting.only());
  }

  @Test
  void shouldPreferTheNearest() {
    waiting = new WaitingClients(new Topology("zone", "region", true));
    b.region = "region";
    c.region = "region";
    c.zone = "zone";
    waiting.add(a);
    waiting.add(b);
    waiting.add(c);
    assertSame(c, waiting.poll());
    assertSame(b, waiting.poll());
    assertSame(a, waiting.poll());
  }

  @Test
  void shouldNotMindDistanceUnlessAsked() {
    waiting = new WaitingClients(new Topology("zone", "region", false));
    b.zone = "zone";
    waiting.add(a);
    waiting.add(b);
    assertSame(a, waiting.poll());
  }
}
