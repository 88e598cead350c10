package io.holdfast.broker.cluster.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.cluster.forward.FakeCluster.Entry;
import io.holdfast.broker.cluster.forward.FakeCluster.Node;
import io.holdfast.broker.queue.PublishListener;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Clients publish at three nodes, while leaders come and go, requests and answers are lost or late,
 * and nodes apply late, by a seed; a model of what they were told is held against the log. {@code
 * -Dholdfast.forward.seeds=n} for more.
 */
class PublishForwarderSimulationTest {
  private static final int SEEDS = Integer.getInteger("holdfast.forward.seeds", 150);
  private static final int STEPS = 3000;
  private static final int SOURCES = 6;
  private static final long LATEST_MS = 5_000 + PublishForwarder.TICK_MS;

  /** What became of a publish, as its client was told. */
  private enum Told {
    NOTHING,
    OK,
    REFUSED,
    UNKNOWN
  }

  private static final class Publish implements PublishListener {
    final int source;
    final int number;
    final int node;
    final long atNs;
    final FakeCluster cluster;
    Told told = Told.NOTHING;
    String text;
    long tookMs;
    boolean isToldTwice;
    boolean isAbandoned;

    Publish(int source, int number, int node, FakeCluster cluster) {
      this.source = source;
      this.number = number;
      this.node = node;
      this.cluster = cluster;
      atNs = cluster.nowNs;
    }

    private void told(Told what, String why) {
      isToldTwice |= told != Told.NOTHING;
      told = what;
      text = why;
      tookMs = TimeUnit.NANOSECONDS.toMillis(cluster.nowNs - atNs);
    }

    @Override
    public void onDurable() {
      told(Told.OK, "");
    }

    @Override
    public void onFailed(String error) {
      told(Told.REFUSED, error);
    }

    @Override
    public void onRefused(String error) {
      told(Told.REFUSED, error);
    }

    @Override
    public void onUnknown(String error) {
      told(Told.UNKNOWN, error);
    }

    String body() {
      return source + "/" + number;
    }
  }

  private final Map<Told, Integer> counts = new HashMap<>();

  @Test
  void shouldStoreEachOnceAndInOrderWhateverHappens() {
    for (long seed = 1; seed <= SEEDS; seed++) {
      try {
        new Run(seed).run();
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
      }
    }
    System.out.println("publishes: " + counts);
    assertTrue(counts.get(Told.OK) > 10 * counts.get(Told.UNKNOWN), () -> "told " + counts);
  }

  private final class Run {
    private final FakeCluster cluster;
    private final Random random;
    private final List<Publish> publishes = new ArrayList<>();
    private final int[] numbers = new int[SOURCES];

    Run(long seed) {
      cluster = new FakeCluster(seed);
      random = cluster.random;
    }

    void run() {
      boolean isRough = random.nextBoolean();
      for (int step = 0; step < STEPS; step++) {
        if (random.nextInt(400) == 0) {
          disturb();
        }
        if (isRough || random.nextInt(8) == 0) {
          step();
        } else if (random.nextInt(3) == 0) {
          publish();
        } else {
          cluster.settle();
        }
      }
      end();
    }

    private void disturb() {
      cluster.refusing = random.nextInt(3) == 0 ? 0.2 : 0;
      cluster.refusingLate = random.nextInt(3) == 0 ? 0.1 : 0;
    }

    private void step() {
      Node node = cluster.nodes.get(random.nextInt(3));
      int other = random.nextInt(3);
      switch (random.nextInt(40)) {
        case 0 -> cluster.elect(random.nextInt(8) - 4 < 0 ? random.nextInt(3) : other);
        case 1 -> {
          int what = random.nextInt(40);
          if (what < 10) {
            cluster.elect(-1);
          } else if (what == 10) {
            restart(node);
          }
        }
        case 2 -> node.install(random.nextInt(cluster.log.size() + 1));
        case 3 -> node.isHandingOver = node.leads > 0 && random.nextBoolean();
        case 4, 5 -> cluster.breakConnection(node.index, other, random.nextInt(3) == 0);
        case 6 -> cluster.tellRefusedLate();
        case 7 -> cluster.deliverLate();
        case 8, 9 -> cluster.tellLeader(node);
        case 10 -> cluster.pass(random.nextInt(random.nextInt(50) == 0 ? 3000 : 100));
        case 11, 12, 13, 14, 15, 16, 17 -> publish();
        case 18, 19, 20, 21, 22 -> cluster.commit(1 + random.nextInt(4));
        case 23, 24, 25, 26, 27, 28 -> node.apply();
        default -> cluster.deliver(random.nextInt(9));
      }
    }

    /** What it has not told its clients by then it never will. */
    private void restart(Node node) {
      cluster.restart(node);
      for (Publish publish : publishes) {
        publish.isAbandoned |= publish.node == node.index && publish.told == Told.NOTHING;
      }
    }

    private void publish() {
      int source = random.nextInt(SOURCES);
      Publish publish = new Publish(source, ++numbers[source], source % 3, cluster);
      publishes.add(publish);
      byte[] body = publish.body().getBytes(StandardCharsets.US_ASCII);
      ByteBuffer section = ByteBuffer.allocate(4 + body.length).putInt(body.length).put(body);
      String topic = "t" + source / 3;
      cluster.nodes.get(publish.node).forwarder.publish(topic, section.flip(), 1, 0, publish);
    }

    private void end() {
      cluster.heal();
      for (int i = 0; i < 300; i++) {
        cluster.settle();
      }
      int before = publishes.size();
      for (int i = 0; i < 20; i++) {
        publish();
      }
      for (int i = 0; i < 20; i++) {
        cluster.settle();
      }
      for (Publish publish : publishes.subList(before, publishes.size())) {
        assertEquals(Told.OK, publish.told, "when all is well: " + publish.text);
      }
      check();
      for (Node node : cluster.nodes) {
        assertEquals(0, node.forwarder.bytes(), "bytes under way");
      }
    }

    private void check() {
      Map<String, Integer> stored = new HashMap<>();
      int[] last = new int[SOURCES];
      for (Entry entry : cluster.log) {
        if (entry.isPublish()) {
          stored.merge(entry.body(), 1, Integer::sum);
          String[] parts = entry.body().split("/");
          int source = Integer.parseInt(parts[0]);
          int number = Integer.parseInt(parts[1]);
          assertTrue(
              number > last[source],
              () -> entry.body() + " behind " + last[source] + " in " + cluster.log);
          last[source] = number;
        }
      }
      for (Publish publish : publishes) {
        int times = stored.getOrDefault(publish.body(), 0);
        counts.merge(publish.told, 1, Integer::sum);
        assertFalse(publish.isToldTwice, "told twice");
        assertTrue(publish.tookMs <= LATEST_MS, () -> publish.told + ", ms: " + publish.tookMs);
        switch (publish.told) {
          case OK -> assertEquals(1, times, () -> "OK, stored: " + publish.body());
          case REFUSED ->
              assertEquals(0, times, () -> "refused, stored: " + publish.body() + publish.text);
          case UNKNOWN -> {
            assertTrue(times <= 1, () -> "unknown, stored: " + publish.body());
            assertTrue(publish.text.endsWith("lost, outcome unknown"), publish.text);
          }
          default -> {
            assertTrue(publish.isAbandoned, () -> "nobody told of " + publish.body());
            assertTrue(times <= 1, () -> "abandoned, stored: " + publish.body());
          }
        }
      }
    }
  }
}
