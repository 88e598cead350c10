package io.holdfast.broker.cluster.lead;

import static io.holdfast.broker.queue.QueueFixture.consumer;
import static io.holdfast.broker.queue.QueueFixture.finish;
import static io.holdfast.broker.queue.QueueFixture.poll;
import static io.holdfast.broker.queue.QueueFixture.pollOne;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.cluster.state.ReplicatedTopic;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.FakeConsumer;
import io.holdfast.broker.queue.Outcome;
import io.holdfast.broker.queue.Position;
import io.holdfast.broker.queue.Topic;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A leader's topics on a log that is on the disk: what is there after a kill. */
class LeaderTopicsTest {
  private static final long LONG_S = 60;
  private static final Duration LONG = Duration.ofSeconds(LONG_S);
  private static final long HOUR_MS = 3_600_000;

  @TempDir Path dir;

  private LeadNode node;

  @BeforeEach
  void start() throws Exception {
    node = LeadNode.onDisk(dir);
    node.leader.create("t");
  }

  @AfterEach
  void stop() throws Exception {
    node.close();
  }

  private Channel channel(String name) throws Exception {
    return node.topic("t").channel(name);
  }

  @Test
  void shouldDeliverNothingMoreBeforeAHandoverAndWaitForAnswers() throws Exception {
    Channel channel = channel("a");
    node.publish("t", "1", "2", "3");
    FakeConsumer client = consumer(channel);
    final FakeConsumer.Delivery first = pollOne(channel, client);
    CompletableFuture<Void> quiet = node.leader.quiesce(TimeUnit.SECONDS.toMillis(LONG_S));
    assertEquals(List.of(), poll(channel, client));
    assertFalse(quiet.isDone(), "the client has not answered");
    node.publish("t", "4");
    assertEquals(Outcome.OK, finish(channel, client, first.id()));
    quiet.get(LONG_S, TimeUnit.SECONDS);
    assertEquals(List.of(), poll(channel, client));
    // Somebody else leads: the answer counts.
    node.restart();
    channel = channel("a");
    client = consumer(channel);
    FakeConsumer.Delivery second = pollOne(channel, client);
    assertEquals("2", second.body());

    // Who does not answer is not waited for for ever, and a handover that fails changes nothing.
    node.leader.quiesce(1).get(LONG_S, TimeUnit.SECONDS);
    assertEquals(List.of(), poll(channel, client));
    node.leader.resume();
    assertEquals(List.of("3", "4"), poll(channel, client));
    assertEquals(Outcome.OK, finish(channel, client, second.id()));
  }

  @Test
  void shouldHaveWhatWasAnsweredOkAfterKill() throws Exception {
    channel("a");
    node.publish("t", "1", "2");
    node.publish("t", "3");
    FakeConsumer.Delivery before = pollOne(channel("a"), consumer(channel("a")));
    node.restart();
    Topic topic = node.topic("t");
    assertNotNull(topic);
    Channel channel = topic.existingChannel("a");
    assertEquals(3, channel.figures().depth());
    FakeConsumer client = consumer(channel);
    FakeConsumer.Delivery after = pollOne(channel, client);
    assertEquals(before.id(), after.id());
    assertEquals(before.timestampNs(), after.timestampNs());
    assertEquals(List.of("2", "3"), poll(channel, client));
  }

  @Test
  void shouldNotDeliverAgainWhatWasFinished() throws Exception {
    Channel channel = channel("a");
    node.publish("t", "1", "2", "3", "4");
    FakeConsumer client = consumer(channel);
    finish(channel, client, pollOne(channel, client).id());
    pollOne(channel, client);
    finish(channel, client, pollOne(channel, client).id());
    node.flush();
    node.restart();
    Channel again = node.channel("t", "a");
    FakeConsumer other = consumer(again);
    FakeConsumer.Delivery second = pollOne(again, other);
    FakeConsumer.Delivery fourth = pollOne(again, other);
    // What came back goes first, or in turn with what never went out.
    Map<String, Integer> attempts =
        Map.of(second.body(), second.attempts(), fourth.body(), fourth.attempts());
    assertEquals(Map.of("2", 2, "4", 1), attempts);
    assertEquals(List.of(), poll(again, other));
  }

  @Test
  void shouldKeepAttemptsAndDueTimes() throws Exception {
    Channel channel = channel("a");
    node.publish("t", "requeued", "deferred", "late");
    FakeConsumer client = consumer(channel);
    client.msgTimeoutNs = TimeUnit.SECONDS.toNanos(1);
    final FakeConsumer.Delivery requeued = pollOne(channel, client);
    final FakeConsumer.Delivery deferred = pollOne(channel, client);
    final FakeConsumer.Delivery late = pollOne(channel, client);
    assertEquals(Outcome.OK, channel.requeueMessage(client, requeued.id(), 0));
    assertEquals(2, pollOne(channel, client).attempts());
    assertEquals(Outcome.OK, channel.requeueMessage(client, deferred.id(), 10_000));
    assertEquals(Outcome.OK, channel.touchMessage(client, late.id()));
    node.context.advance(2000);
    assertEquals(2, channel.figures().timeoutCount());
    node.flush();
    node.restart();

    Channel again = node.channel("t", "a");
    assertEquals(1, again.figures().deferredCount());
    FakeConsumer other = consumer(again);
    List<String> now = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      FakeConsumer.Delivery delivery = pollOne(again, other);
      now.add(delivery.body() + " " + delivery.attempts());
    }
    now.sort(null);
    assertEquals(List.of("late 2", "requeued 3"), now);
    node.context.advance(7900);
    assertEquals(List.of(), poll(again, other));
    node.context.advance(200);
    FakeConsumer.Delivery due = pollOne(again, other);
    assertEquals("deferred 2", due.body() + " " + due.attempts());
  }

  @Test
  void shouldKeepDeferralOfPublish() throws Exception {
    channel("a");
    assertEquals(
        "OK", LeadNode.publish(node.topic("t"), 10_000, "later").get(LONG_S, TimeUnit.SECONDS));
    node.restart();
    Channel channel = node.channel("t", "a");
    FakeConsumer client = consumer(channel);
    assertEquals(List.of(), poll(channel, client));
    assertEquals(1, channel.figures().deferredCount());
    node.context.advance(10_001);
    assertEquals(List.of("later"), poll(channel, client));
  }

  @Test
  void shouldDeferNoLongerThanWasAskedForWhateverTheClock() throws Exception {
    Channel channel = channel("a");
    node.publish("t", "requeued");
    FakeConsumer client = consumer(channel);
    channel.requeueMessage(client, pollOne(channel, client).id(), 5000);
    LeadNode.publish(node.topic("t"), 5000, "later").get(LONG_S, TimeUnit.SECONDS);
    node.flush();
    node.kill();
    // The next leader's clock is an hour behind.
    node.clock.step(-HOUR_MS);
    node.start();
    Channel again = node.channel("t", "a");
    FakeConsumer other = consumer(again);
    assertEquals(List.of(), poll(again, other));
    node.context.advance(5001);
    List<String> bodies = new ArrayList<>(poll(again, other));
    bodies.sort(null);
    assertEquals(List.of("later", "requeued"), bodies);
  }

  @Test
  void shouldGiveIdsThatGoOn() throws Exception {
    channel("a");
    node.publish("t", "1");
    FakeConsumer.Delivery first = pollOne(channel("a"), consumer(channel("a")));
    node.restart();
    node.publish("t", "2");
    List<Long> ids = new ArrayList<>();
    Channel channel = node.channel("t", "a");
    FakeConsumer client = consumer(channel);
    ids.add(pollOne(channel, client).id());
    ids.add(pollOne(channel, client).id());
    ids.sort(null);
    assertEquals(List.of(first.id(), first.id() + 1024), ids);
    assertEquals(LeadNode.CLUSTER_ID, first.id() % 1024);
  }

  // ---------------------------------------------------------------- administration

  @Test
  void shouldStayPaused() throws Exception {
    channel("a");
    node.publish("t", "1");
    node.topic("t").pause();
    node.publish("t", "2");
    node.channel("t", "a").pause();
    node.restart();
    Topic topic = node.topic("t");
    assertTrue(topic.isPaused());
    assertTrue(topic.existingChannel("a").isPaused());
    assertEquals(1, topic.depth());
    assertEquals(1, topic.existingChannel("a").figures().depth());
    topic.unpause();
    topic.existingChannel("a").unpause();
    assertEquals(List.of("1", "2"), node.drain("t", "a"));
    node.restart();
    assertFalse(node.topic("t").isPaused());
    assertFalse(node.channel("t", "a").isPaused());
  }

  @Test
  void shouldKeepForFirstChannelOverKill() throws Exception {
    node.publish("t", "1");
    node.topic("t").channel("x#ephemeral");
    node.publish("t", "2");
    node.restart();
    assertNull(node.channel("t", "x#ephemeral"));
    assertEquals(2, node.topic("t").depth());
    channel("a");
    node.restart();
    assertEquals(0, node.topic("t").depth());
    assertEquals(List.of("1", "2"), node.drain("t", "a"));
  }

  @Test
  void shouldStayEmptied() throws Exception {
    channel("a");
    node.publish("t", "1", "2");
    Channel channel = node.channel("t", "a");
    FakeConsumer client = consumer(channel);
    final long id = pollOne(channel, client).id();
    channel.empty();
    assertNotEquals(Outcome.OK, finish(channel, client, id));
    node.publish("t", "3");
    node.topic("t").pause();
    node.publish("t", "4");
    node.topic("t").empty();
    node.publish("t", "5");
    synchronized (node.state.topic("t").lock()) {
      // By the entry itself, whether the leader had time to record anything or not.
      assertTrue(node.state.topic("t").channel("a").state().isFinished(3));
    }
    node.restart();
    node.topic("t").unpause();
    assertEquals(List.of("3", "5"), node.drain("t", "a"));
  }

  @Test
  void shouldStayWhereItWasPut() throws Exception {
    channel("a");
    node.publish("t", "1", "2", "3");
    Channel channel = node.channel("t", "a");
    FakeConsumer client = consumer(channel);
    long second = 0;
    for (int i = 0; i < 3; i++) {
      FakeConsumer.Delivery delivery = pollOne(channel, client);
      second = delivery.body().equals("2") ? delivery.id() : second;
      finish(channel, client, delivery.id());
    }
    assertEquals(2, node.topic("t").rewind("a", Position.id(second)).ready());
    node.topic("t").channel("b", Position.id(second));
    node.flush();
    node.restart();
    assertEquals(List.of("2", "3"), node.drain("t", "a"));
    assertEquals(List.of("2", "3"), node.drain("t", "b"));
  }

  @Test
  void shouldKeepChannelsMadeAndDeleted() throws Exception {
    channel("a");
    channel("b");
    node.publish("t", "1");
    node.topic("t").deleteChannel("a");
    channel("c");
    node.restart();
    assertEquals(
        List.of("b", "c"), node.topic("t").channels().stream().map(Channel::name).toList());
    assertEquals(List.of("1"), node.drain("t", "b"));
    assertEquals(List.of(), node.drain("t", "c"));
  }

  @Test
  void shouldHaveOtherMessagesAndIdsAfterTopicIsMadeAgain() throws Exception {
    channel("a");
    node.publish("t", "1");
    long id = pollOne(channel("a"), consumer(channel("a"))).id();
    Topic before = node.topic("t");
    before.exit(true);
    assertNull(node.topic("t"));
    assertTrue(before.isExiting());
    node.leader.create("t");
    channel("a");
    node.publish("t", "2");
    node.restart();
    FakeConsumer.Delivery delivery = pollOne(channel("a"), consumer(channel("a")));
    assertEquals("2", delivery.body());
    assertTrue(delivery.id() > id);
    assertEquals(1, node.leader.topics().size());
  }

  @Test
  void shouldKeepPoliciesSetByHand() throws Exception {
    channel("a");
    node.topic("t").setHandPolicy(Map.of("max_depth", "9"));
    node.channel("t", "a").setHandPolicy(Map.of("max_attempts", "3"));
    node.restart();
    assertEquals(Map.of("max_depth", "9"), node.topic("t").handPolicy());
    assertEquals(Map.of("max_attempts", "3"), node.channel("t", "a").handPolicy());
  }

  @Test
  void shouldHaveAllOfSnapshotAndOfLogBehindIt() throws Exception {
    Channel channel = channel("a");
    node.publish("t", "1", "2", "3");
    FakeConsumer client = consumer(channel);
    finish(channel, client, pollOne(channel, client).id());
    channel.requeueMessage(client, pollOne(channel, client).id(), 0);
    node.flush();
    node.snapshot();
    node.publish("t", "4");
    node.restart();
    List<String> bodies = new ArrayList<>(node.drain("t", "a"));
    bodies.sort(null);
    assertEquals(List.of("2", "3", "4"), bodies);
  }

  // ---------------------------------------------------------------- files

  /** Publishes so much that several files are full, and has all of it finished. */
  private void passFiles() throws Exception {
    String body = "x".repeat(10_000);
    for (int i = 0; i < 30; i++) {
      node.publish("t", body);
      Channel channel = channel("a");
      FakeConsumer client = consumer(channel);
      finish(channel, client, pollOne(channel, client).id());
      channel.removeClient(client);
    }
    node.flush();
  }

  @Test
  void shouldHaveFoundOutWhatNobodyNeeds() throws Exception {
    channel("a");
    passFiles();
    ReplicatedTopic topic = node.state.topic("t");
    assertEquals(0, topic.neededFrom());
    node.leader.housekeep();
    await(() -> topic.neededFrom() == 30);
  }

  @Test
  void shouldSayWhichFinishedMessagesStay() throws Exception {
    node.context.retentionMs = HOUR_MS;
    channel("a");
    node.leader.housekeep();
    ReplicatedTopic topic = node.state.topic("t");
    await(() -> topic.retainFrom() == 0);
    passFiles();
    node.leader.housekeep();
    node.publish("t", "settled");
    assertEquals(0, topic.neededFrom());
    node.context.advance(HOUR_MS + 1);
    node.leader.housekeep();
    await(() -> topic.retainFrom() == 31);
    node.leader.housekeep();
    await(() -> topic.neededFrom() == 30);
  }

  private static void await(Callable<Boolean> condition) {
    Awaitility.await().atMost(LONG).until(condition);
  }

  // ---------------------------------------------------------------- damage

  @Test
  void shouldNotFinishForAllWhatOneDiskLost() throws Exception {
    channel("a");
    node.publish("t", "whole-1");
    node.publish("t", "damaged-2");
    node.publish("t", "whole-3");
    // Nothing of it is in memory, and no file is open.
    node.restart();
    node.damage("damaged-2");
    Channel channel = node.channel("t", "a");
    FakeConsumer client = consumer(channel);
    assertEquals(List.of("whole-1", "whole-3"), poll(channel, client));
    Awaitility.await("it is looked for no more")
        .atMost(LONG)
        .until(
            () -> {
              node.context.advance(100);
              assertEquals(List.of(), poll(channel, client));
              return !node.unreadable.isEmpty();
            });
    assertEquals(List.of("t:1 lost"), node.unreadable);
    assertEquals(1, channel.figures().unreadableCount());
    node.flush();
    synchronized (node.state.topic("t").lock()) {
      assertFalse(node.state.topic("t").channel("a").state().isFinished(1));
    }
    // The log has it, as another node's disk would.
    node.restart();
    List<String> bodies = new ArrayList<>(node.drain("t", "a"));
    bodies.sort(null);
    assertEquals(List.of("damaged-2", "whole-1", "whole-3"), bodies);
  }

  @Test
  void shouldAskOthersForWhatOneDiskLost() throws Exception {
    channel("a");
    node.publish("t", "whole-0");
    node.publish("t", "damaged-1", "damaged-2", "damaged-3");
    LeadNode.publish(node.topic("t"), 60_000, "damaged-4").get(LONG_S, TimeUnit.SECONDS);
    node.publish("t", "whole-5");
    final long publishedNs = node.clock.wallNs();
    node.others = (topic, ordinal, max, told) -> give(publishedNs, ordinal, max, told);
    node.restart();
    node.damage("damaged-2");
    node.damage("damaged-4");
    Channel channel = node.channel("t", "a");
    FakeConsumer client = consumer(channel);
    List<String> got = new ArrayList<>();
    takeUntil(channel, client, got, 5);
    got.sort(null);
    assertEquals(
        List.of("damaged-1 x1", "damaged-2 x1", "damaged-3 x1", "whole-0 x1", "whole-5 x1"), got);
    assertEquals(0, channel.figures().inFlightCount() + channel.figures().depth());
    // It came only now, and is not due yet.
    assertEquals(1, channel.figures().deferredCount());
    node.context.advance(60_000);
    got.clear();
    takeUntil(channel, client, got, 1);
    assertEquals(List.of("damaged-4 x1"), got);
    assertEquals(List.of(), node.unreadable);
    // The command of three. The deferred one counts if its copy was not there before its turn, and
    // what has to be read once more counts once more.
    assertTrue(channel.figures().unreadableCount() >= 3);
    node.flush();
    synchronized (node.state.topic("t").lock()) {
      assertEquals(6, node.state.topic("t").channel("a").state().floor());
    }
  }

  /** Gives two at a time, in another thread. */
  private static boolean give(long publishedNs, long ordinal, int max, Consumer<Copies> told) {
    List<Copies.Copy> copies = new ArrayList<>();
    for (long i = ordinal; i < ordinal + Math.min(2, max); i++) {
      long deferMs = i == 4 ? 60_000 : 0;
      byte[] body = ("damaged-" + i).getBytes(StandardCharsets.US_ASCII);
      copies.add(new Copies.Copy(publishedNs, deferMs, body));
    }
    CompletableFuture.runAsync(() -> told.accept(new Copies(copies, false)));
    return true;
  }

  /** Takes so many. */
  private void takeUntil(Channel channel, FakeConsumer client, List<String> got, int count) {
    Awaitility.await(count + " messages")
        .atMost(LONG)
        .until(
            () -> {
              node.context.advance(20);
              while (channel.poll(client, 1, client, 1 << 16) > 0) {
                FakeConsumer.Delivery one = client.sent.remove(0);
                got.add(one.body() + " x" + one.attempts());
                assertEquals(Outcome.OK, finish(channel, client, one.id()));
              }
              return got.size() >= count;
            });
  }

  @Test
  void shouldLeadManyTopics() throws Exception {
    for (int i = 0; i < 30; i++) {
      node.leader.create("many" + i).channel("a");
      node.publish("many" + i, "m" + i);
    }
    node.restart();
    assertTrue(node.leader.isServing());
    assertEquals(31, node.leader.topics().size());
    for (int i = 0; i < 30; i++) {
      assertEquals(List.of("m" + i), node.drain("many" + i, "a"));
    }
  }
}
