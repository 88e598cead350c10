package io.holdfast.broker.cluster.lead;

import static io.holdfast.broker.queue.QueueFixture.consumer;
import static io.holdfast.broker.queue.QueueFixture.finish;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.FakeConsumer;
import io.holdfast.broker.queue.Outcome;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A leader's topic with publishes, deliveries and answers in a drawn order, while leadership is
 * lost and regained, the node killed, and proposals are refused or never told of.
 */
class LeadershipSimulationTest {
  private static final int STEPS = 120;
  private static final long HOUR_MS = 3_600_000;
  private static final long LONG_S = 60;

  @TempDir Path dir;

  private final ManualGroup group = new ManualGroup();

  /** What publishers were told, by body. */
  private final Map<String, CompletableFuture<String>> published = new HashMap<>();

  /** Answered with FIN, and whether that is in the log. */
  private final Map<String, Boolean> finished = new HashMap<>();

  /** Answered with FIN at any time. */
  private final Set<String> everFinished = new HashSet<>();

  private final List<FakeConsumer.Delivery> inFlight = new ArrayList<>();
  private LeadNode node;
  private FakeConsumer client;
  private Random random;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void shouldLoseNothingAndRepeatNothingThatIsInTheLog(long seed) throws Exception {
    random = new Random(seed);
    node = LeadNode.driven(dir, group);
    try {
      lead();
      CompletableFuture<Void> made =
          CompletableFuture.runAsync(
              () -> {
                try {
                  node.leader.create("t").channel("a");
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              });
      group.commitUntil(made);
      made.join();
      client = consumer(channel());
      for (int i = 0; i < STEPS; i++) {
        step(i);
      }
      end();
    } finally {
      group.lose();
      node.close();
    }
  }

  private Channel channel() {
    return node.channel("t", "a");
  }

  private void lead() {
    group.lead();
    Awaitility.await().atMost(Duration.ofSeconds(LONG_S)).until(node.leader::isServing);
  }

  private void step(int i) throws Exception {
    switch (random.nextInt(12)) {
      case 0, 1, 2 -> publish(i);
      case 3, 4 -> group.commit();
      case 5, 6 -> deliver();
      case 7, 8 -> answer();
      case 9 -> flush();
      case 10 -> node.context.advance(random.nextInt(2000));
      default -> {
        if (random.nextInt(3) == 0) {
          loseAndRegain();
        }
      }
    }
  }

  private void publish(int i) throws Exception {
    String[] bodies = new String[1 + random.nextInt(3)];
    for (int k = 0; k < bodies.length; k++) {
      bodies[k] = i + "." + k;
    }
    long deferMs = random.nextInt(3) == 0 ? 1 + random.nextInt(3000) : 0;
    CompletableFuture<String> told = LeadNode.publish(node.topic("t"), deferMs, bodies);
    for (String body : bodies) {
      published.put(body, told);
    }
  }

  private void deliver() throws Exception {
    channel().poll(client, 1 + random.nextInt(4), client, 1 << 16);
    for (FakeConsumer.Delivery delivery : List.copyOf(client.sent)) {
      String told = published.get(delivery.body()).getNow("nothing");
      assertTrue(told.equals("OK") || told.startsWith("unknown"), delivery + ": " + told);
      assertTrue(finished.get(delivery.body()) == null, delivery + " again");
      inFlight.add(delivery);
    }
    client.sent.clear();
  }

  private void answer() {
    if (inFlight.isEmpty()) {
      return;
    }
    FakeConsumer.Delivery delivery = inFlight.remove(random.nextInt(inFlight.size()));
    if (random.nextInt(3) == 0) {
      channel()
          .requeueMessage(
              client, delivery.id(), random.nextBoolean() ? 0 : 1 + random.nextInt(3000));
    } else if (finish(channel(), client, delivery.id()) == Outcome.OK) {
      finished.put(delivery.body(), false);
      everFinished.add(delivery.body());
    }
  }

  private void flush() throws Exception {
    group.commitUntil(node.leader.flush());
    finished.replaceAll((body, isLogged) -> true);
  }

  /** With what was under way refused, or nobody knows and it comes after all, or never does. */
  private void loseAndRegain() throws Exception {
    if (random.nextInt(4) == 0) {
      group.refuse("not now");
    }
    group.lose();
    if (random.nextBoolean()) {
      group.refuse("not the leader");
    } else {
      for (ManualGroup.Logged late : group.forget("nobody knows")) {
        if (random.nextBoolean()) {
          group.append(late);
        }
      }
    }
    if (random.nextBoolean()) {
      node.restart();
    }
    lead();
    inFlight.clear();
    // What is not in the log may come again, and whether it is there nobody knows.
    finished.values().removeIf(isLogged -> !isLogged);
    client = consumer(channel());
  }

  /** All that is left is delivered, to the last. */
  private void end() throws Exception {
    group.commit();
    loseAndRegain();
    Set<String> left = new HashSet<>();
    for (int i = 0; i < 4; i++) {
      node.context.advance(HOUR_MS);
      int count = 1;
      while (count > 0) {
        deliver();
        count = inFlight.size();
        for (FakeConsumer.Delivery delivery : inFlight) {
          left.add(delivery.body());
          assertEquals(Outcome.OK, finish(channel(), client, delivery.id()));
        }
        inFlight.clear();
      }
    }
    published.forEach(
        (body, told) -> {
          boolean isThere = left.contains(body) || everFinished.contains(body);
          if (told.getNow("nothing").equals("OK")) {
            assertTrue(isThere, body + " is lost");
          }
        });
  }
}
