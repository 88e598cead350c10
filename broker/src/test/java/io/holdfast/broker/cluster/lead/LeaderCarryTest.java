package io.holdfast.broker.cluster.lead;

import static io.holdfast.broker.queue.QueueFixture.consumer;
import static io.holdfast.broker.queue.QueueFixture.finish;
import static io.holdfast.broker.queue.QueueFixture.poll;
import static io.holdfast.broker.queue.QueueFixture.pollOne;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.cluster.state.ReplicatedTopic;
import io.holdfast.broker.policy.ChannelPolicy;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.FakeConsumer;
import io.holdfast.broker.queue.FixedPolicies;
import io.holdfast.broker.queue.Outcome;
import io.holdfast.broker.queue.PeekedMessage;
import io.holdfast.broker.queue.Position;
import io.holdfast.broker.queue.Waiting;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A leader's old messages that somebody still has: a dead letter, a deferred one, one in flight.
 * Their journal files go, and they are delivered all the same, with what is known of them.
 */
class LeaderCarryTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final int DELAY_MS = 60_000;
  private static final int MANY = 40;

  /** Of the three old ones and what came behind them. */
  private static final int ALL = 3 + MANY;

  @TempDir Path dir;

  private LeadNode node;
  private FakeConsumer holder;
  private FakeConsumer.Delivery held;

  @BeforeEach
  void start() throws Exception {
    node = LeadNode.onDisk(dir);
    FixedPolicies policies = new FixedPolicies();
    policies.channel = FixedPolicies.attempts(3, ChannelPolicy.KEEP, 100);
    node.policies = policies;
    node.context.policies = policies;
    node.leader.create("t");
    Channel channel = node.topic("t").channel("a");
    for (String body : List.of("dead", "deferred", "requeued")) {
      node.publish("t", body);
    }
    FakeConsumer client = consumer(channel);
    for (int i = 0; i < 3; i++) {
      FakeConsumer.Delivery dying = pollOne(channel, client);
      assertEquals("dead", dying.body());
      assertEquals(Outcome.OK, channel.requeueMessage(client, dying.id(), i < 2 ? 1 : 0));
      if (i < 2) {
        // Not before the others are gone, or they take turns.
        takeOthersOnce(channel, client);
        node.context.advance(2);
      }
    }
    assertEquals(1, channel.figures().deadCount());
    passFiles();
  }

  /** The second message is deferred from its first delivery on, the third is in flight. */
  private void takeOthersOnce(Channel channel, FakeConsumer client) throws Exception {
    if (held == null) {
      FakeConsumer.Delivery deferred = pollOne(channel, client);
      assertEquals("deferred", deferred.body());
      assertEquals(Outcome.OK, channel.requeueMessage(client, deferred.id(), DELAY_MS));
      held = pollOne(channel, client);
      assertEquals("requeued", held.body());
      holder = client;
    }
  }

  /** Publishes so much that several files are full, and has all of it finished. */
  private void passFiles() throws Exception {
    String body = "x".repeat(10_000);
    Channel channel = node.channel("t", "a");
    for (int i = 0; i < MANY; i++) {
      node.publish("t", body);
      FakeConsumer client = consumer(channel);
      assertEquals(Outcome.OK, finish(channel, client, pollOne(channel, client).id()));
      channel.removeClient(client);
    }
    node.flush();
    assertTrue(agreed().journal().diskFiles() > 4);
  }

  @AfterEach
  void stop() throws Exception {
    node.close();
  }

  private ReplicatedTopic agreed() {
    return node.state.topic("t");
  }

  private static void await(Callable<Boolean> condition) {
    Awaitility.await().atMost(LONG).until(condition);
  }

  /** What a turn of housekeeping proposes is applied when this returns. */
  private void carryForward() throws Exception {
    node.leader.housekeep();
    await(() -> agreed().neededFrom() == ALL);
    synchronized (agreed().lock()) {
      for (long ordinal = 0; ordinal < 3; ordinal++) {
        assertNotNull(agreed().carried(ordinal));
      }
    }
  }

  private void filesGo() throws Exception {
    assertNotNull(agreed().journal().find(0), "until a snapshot is finished");
    node.state.snapshotFinished(node.snapshot());
    assertNull(agreed().journal().find(0));
    assertTrue(agreed().journal().firstOrdinal() > 3);
  }

  private void leadNext() {
    node.leader.stopsLeading(Long.MAX_VALUE);
    node.leader.startsLeading(1_000_000);
    await(node.leader::isServing);
  }

  private String take(Channel channel, FakeConsumer client) throws Exception {
    FakeConsumer.Delivery delivery = pollOne(channel, client);
    assertEquals(Outcome.OK, finish(channel, client, delivery.id()));
    return delivery.body() + " " + delivery.attempts();
  }

  /** All three come, when they are to. */
  private void checkDelivered() throws Exception {
    checkDeliveredBut();
    Channel channel = node.channel("t", "a");
    FakeConsumer client = consumer(channel);
    assertEquals(1, channel.redrive(null, 10));
    assertEquals("dead 1", take(channel, client));
    assertEquals(List.of(), poll(channel, client));
    channel.removeClient(client);
  }

  /** The same, but for the dead letter, which is looked at: no log takes that it lives again. */
  private void checkDeliveredBut() throws Exception {
    Channel channel = node.channel("t", "a");
    FakeConsumer client = consumer(channel);
    assertEquals("requeued 2", take(channel, client));
    assertEquals(List.of(), poll(channel, client));
    node.context.advance(DELAY_MS - 10_000);
    assertEquals(List.of(), poll(channel, client));
    node.context.advance(10_000);
    assertEquals("deferred 2", take(channel, client));
    assertEquals(List.of(), poll(channel, client));
    List<PeekedMessage> dead =
        node.topic("t").peek().first(channel, Waiting.State.DEAD, 10, 10, 100);
    assertEquals(1, dead.size());
    assertEquals("dead", new String(dead.get(0).body(), StandardCharsets.US_ASCII));
    assertEquals(3, dead.get(0).attempts());
    assertEquals(0, channel.figures().unreadableCount());
    channel.removeClient(client);
  }

  @Test
  void shouldDeliverWhatItHeldWhileFilesWent() throws Exception {
    carryForward();
    filesGo();
    Channel channel = node.channel("t", "a");
    assertEquals(Outcome.OK, channel.requeueMessage(holder, held.id(), 0));
    checkDelivered();
    node.flush();
    // Nobody wants them any more, and their copies keep no file.
    node.leader.housekeep();
    await(
        () -> {
          synchronized (agreed().lock()) {
            return agreed().carried(0) == null && agreed().carried(2) == null;
          }
        });
  }

  @Test
  void shouldDeliverAfterAStart() throws Exception {
    carryForward();
    filesGo();
    node.restart();
    assertNull(agreed().journal().find(0));
    checkDelivered();
  }

  @Test
  void shouldDeliverAfterAStartThatAppliesItAgain() throws Exception {
    node.snapshot();
    carryForward();
    node.restart();
    assertNotNull(agreed().journal().find(0));
    filesGo();
    checkDelivered();
  }

  /** Of these references nothing but the ordinal is known. */
  @Test
  void shouldFindPlacesOfWhatAStartHasOnlyTheNumbersOf() throws Exception {
    node.restart();
    carryForward();
    filesGo();
    checkDelivered();
  }

  @Test
  void shouldHaveTheNextLeaderDeliverWhenFilesAreGone() throws Exception {
    carryForward();
    filesGo();
    leadNext();
    checkDeliveredBut();
  }

  @Test
  void shouldHaveTheNextLeaderDeliverWhenFilesGoLater() throws Exception {
    carryForward();
    leadNext();
    filesGo();
    checkDeliveredBut();
  }

  @Test
  void shouldTakeThemAlongWhenAChannelIsPutBack() throws Exception {
    Channel other = node.topic("t").channel("b", Position.START);
    FakeConsumer client = consumer(other);
    List<String> first = new ArrayList<>();
    for (int i = 0; i < ALL; i++) {
      first.add(take(other, client));
    }
    assertEquals(List.of("dead 1", "deferred 1", "requeued 1"), first.subList(0, 3));
    node.flush();
    carryForward();
    filesGo();
    assertEquals(3, node.topic("t").rewind("b", Position.START).ready());
    List<String> again = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      again.add(take(other, client));
    }
    again.sort(null);
    assertEquals(List.of("dead 1", "deferred 1", "requeued 1"), again);
    assertEquals(List.of(), poll(other, client));
    Channel third = node.topic("t").channel("c", Position.START);
    assertEquals(3, third.figures().depth());
    node.flush();
    node.restart();
    List<String> bodies = new ArrayList<>(node.drain("t", "c"));
    bodies.sort(null);
    assertEquals(List.of("dead", "deferred", "requeued"), bodies);
    checkDelivered();
  }

  @Test
  void shouldCarryNoneOfAFileOfWhichItCannotReadAll() throws Exception {
    node.restart();
    node.damage("requeued");
    node.leader.housekeep();
    node.publish("t", "later");
    node.leader.housekeep();
    node.publish("t", "later");
    assertEquals(0, agreed().neededFrom());
    synchronized (agreed().lock()) {
      assertNull(agreed().carried(0));
    }
  }

  /** Nobody is to deliver a dead letter, so nobody else finds out that it is lost here. */
  @Test
  void shouldCarryWhatThisDiskHasLostWithTheBodiesOfOthers() throws Exception {
    List<Long> asked = new CopyOnWriteArrayList<>();
    List<CompletableFuture<Void>> answers = new CopyOnWriteArrayList<>();
    Map<Long, String> bodies = Map.of(0L, "dead", 2L, "requeued");
    node.others =
        (topic, ordinal, max, told) -> {
          asked.add(ordinal);
          byte[] body = bodies.get(ordinal).getBytes(StandardCharsets.US_ASCII);
          Copies copies = new Copies(List.of(new Copies.Copy(7, 0, body)), false);
          answers.add(CompletableFuture.runAsync(() -> told.accept(copies)));
          return true;
        };
    node.restart();
    node.damage("dead");
    node.damage("requeued");
    for (int turns = 0; turns < 20 && agreed().neededFrom() < ALL; turns++) {
      node.leader.housekeep();
      node.publish("t", "later");
      node.context.advance(11_000);
      answers.forEach(CompletableFuture::join);
    }
    assertEquals(List.of(0L, 2L), asked);
    assertTrue(agreed().neededFrom() >= ALL);
    assertEquals(0, agreed().journal().firstOrdinal(), "until a snapshot is finished");
    node.state.snapshotFinished(node.snapshot());
    assertTrue(agreed().journal().firstOrdinal() > 3);
    List<PeekedMessage> dead =
        node.topic("t").peek().first(node.channel("t", "a"), Waiting.State.DEAD, 10, 10, 100);
    assertEquals("dead", new String(dead.get(0).body(), StandardCharsets.US_ASCII));
    assertEquals(List.of(), node.unreadable);
  }

  @Test
  void shouldCarryNothingWhereFinishedMessagesStay() throws Exception {
    node.context.retentionMs = 3_600_000;
    node.leader.housekeep();
    await(() -> agreed().retainFrom() == 0);
    node.leader.housekeep();
    node.publish("t", "later");
    synchronized (agreed().lock()) {
      assertNull(agreed().carried(0));
    }
  }

  @Test
  void shouldCarryNothingOnADiskWithoutRoom() throws Exception {
    node.context.hasRoom = false;
    node.leader.housekeep();
    node.publish("t", "later");
    synchronized (agreed().lock()) {
      assertNull(agreed().carried(0));
    }
  }
}
