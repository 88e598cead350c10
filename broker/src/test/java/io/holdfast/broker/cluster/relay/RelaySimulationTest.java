package io.holdfast.broker.cluster.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.queue.Outcome;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Consumers at three nodes while leaders come and go, connections are lost, and clients answer, do
 * not read, or die, in a drawn order: nobody has more than it asked for, nothing is lost, and in
 * the end nothing is left. More with {@code -Dholdfast.relay.seeds=n}.
 */
class RelaySimulationTest {
  private static final int STEPS = 1500;
  private static final long MS = 1_000_000;

  /** What an answer comes to that is late, or for a former leader. */
  private static final Set<Outcome> LATE = Set.of(Outcome.NOT_IN_FLIGHT, Outcome.NOT_OWNER);

  static LongStream seeds() {
    return LongStream.rangeClosed(1, Long.getLong("holdfast.relay.seeds", 60));
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void neverMoreThanAskedForAndNothingLost(long seed) {
    SimulatedRelays world = new SimulatedRelays(seed);
    Random random = world.random;
    world.elect();
    for (int i = 0; i < 6; i++) {
      join(world);
    }
    for (int i = 0; i < STEPS; i++) {
      step(world, random.nextInt(100));
    }
    heal(world);
    // All that was published is finished, by whoever is there.
    for (int round = 0; !world.unfinished.isEmpty(); round++) {
      assertFalse(round > 500, () -> "left: " + world.unfinished);
      world.clients.forEach(SimulatedSubscriber::finish);
      turn(world, 20);
    }
    finishRest(world);
    SimulatedChannel channel = world.channel();
    assertEquals(List.of(), List.copyOf(channel.ready));
    assertEquals(0, channel.inFlight.size());
    assertEquals(world.clients.size(), channel.consumers.size());
    world.nodes.values().forEach(node -> node.relays.drain());
    for (int i = 0; i < 100; i++) {
      turn(world, 50);
    }
    for (SimulatedRelays.Node node : world.nodes.values()) {
      assertEquals(0, node.relays.inFlight());
    }
    for (SimulatedSubscriber client : world.clients) {
      assertFalse(client.closed, "closed although there is a leader");
      assertTrue(LATE.containsAll(client.failures), () -> "" + client.failures);
      client.leave();
    }
    turn(world, 100);
    assertEquals(0, channel.consumers.size());
  }

  private static void join(SimulatedRelays world) {
    String node = SimulatedRelays.NAMES.get(world.random.nextInt(3));
    SimulatedSubscriber client = new SimulatedSubscriber(world, node);
    client.ready(1 + world.random.nextInt(3));
    world.clients.add(client);
  }

  private static void step(SimulatedRelays world, int what) {
    Random random = world.random;
    if (what < 60) {
      world.step();
    } else if (what < 70) {
      world.pass(random.nextInt(50) * MS);
    } else if (what < 75) {
      world.publish();
    } else if (what < 97) {
      SimulatedSubscriber client = world.clients.get(random.nextInt(world.clients.size()));
      act(world, client, random.nextInt(20));
    } else if (what < 98) {
      world.elect();
    } else if (what < 99) {
      world.lose();
    } else {
      world.heal();
    }
  }

  private static void act(SimulatedRelays world, SimulatedSubscriber client, int what) {
    if (what < 12) {
      client.finish();
    } else if (what < 14) {
      client.requeue();
    } else if (what < 16) {
      client.touch();
    } else if (what < 18) {
      client.stalled = !client.stalled;
      client.wake();
    } else if (what == 18) {
      client.leave();
      world.clients.remove(client);
      join(world);
    } else {
      client.stop();
      turn(world, 5);
      client.leave();
      world.clients.remove(client);
      join(world);
    }
  }

  private static void turn(SimulatedRelays world, int ms) {
    world.settle();
    world.pass(ms * MS);
    world.settle();
  }

  /** The last leader stays, and everybody reads. */
  private static void heal(SimulatedRelays world) {
    world.heal();
    world.elect();
    for (int i = 0; i < 200; i++) {
      turn(world, 50);
    }
    world.clients.forEach(
        client -> {
          client.stalled = false;
          client.wake();
        });
    turn(world, 50);
    assertNotNull(world.channel());
  }

  /** What was finished for a former leader may be with a client again. */
  private static void finishRest(SimulatedRelays world) {
    for (int i = 0; i < 50; i++) {
      world.clients.forEach(SimulatedSubscriber::finish);
      turn(world, 100);
    }
  }
}
