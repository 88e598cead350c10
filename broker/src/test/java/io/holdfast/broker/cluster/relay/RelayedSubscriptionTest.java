package io.holdfast.broker.cluster.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A client without a leader. */
class RelayedSubscriptionTest {
  private final SimulatedRelays world = new SimulatedRelays(1);

  private void pass(long ms) {
    for (long i = 0; i < ms; i += 50) {
      world.pass(TimeUnit.MILLISECONDS.toNanos(50));
      world.settle();
    }
  }

  private static String failure(SimulatedSubscriber client) {
    return assertThrows(CompletionException.class, () -> client.source.joined().join())
        .getCause()
        .getMessage();
  }

  @Test
  void waitsFiveSecondsForALeader() {
    SimulatedSubscriber client = new SimulatedSubscriber(world, "a");
    pass(4500);
    assertFalse(client.source.joined().isDone());
    pass(1500);
    assertEquals("no leader for topic t", failure(client));
  }

  @Test
  void isRefusedAtOnceByWhoIsNoMember() {
    world.standing = "this node is not a member of the cluster";
    SimulatedSubscriber client = new SimulatedSubscriber(world, "a");
    assertEquals(world.standing, failure(client));
  }

  @Test
  void endsAfterTenSecondsWithoutOne() {
    world.elect();
    SimulatedSubscriber client = new SimulatedSubscriber(world, "a");
    pass(1000);
    assertTrue(client.source.joined().isDone());
    world.nodes.get("a").relays.leaderIs(0, null, 1);
    pass(9000);
    assertFalse(client.closed);
    pass(2000);
    assertTrue(client.closed);
  }

  @Test
  void staysWhenOneIsBackInTime() {
    world.elect();
    SimulatedSubscriber client = new SimulatedSubscriber(world, "a");
    pass(1000);
    world.nodes.get("a").relays.leaderIs(0, null, 1);
    pass(9000);
    world.nodes.get("a").relays.leaderIs(0, world.leader, 1);
    pass(20_000);
    assertFalse(client.closed);
    assertTrue(client.source.joined().isDone());
  }
}
