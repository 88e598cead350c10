package io.holdfast.broker.cluster.lead;

import static io.holdfast.broker.queue.QueueFixture.consumer;
import static io.holdfast.broker.queue.QueueFixture.finish;
import static io.holdfast.broker.queue.QueueFixture.poll;
import static io.holdfast.broker.queue.QueueFixture.pollOne;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.cluster.engine.ClusterGroup;
import io.holdfast.broker.cluster.state.Entries;
import io.holdfast.broker.cluster.state.LedgerEntry;
import io.holdfast.broker.cluster.state.ReplicatedTopic;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.FakeConsumer;
import io.holdfast.broker.queue.Outcome;
import io.holdfast.broker.queue.Position;
import io.holdfast.broker.queue.SharedLogException;
import io.holdfast.broker.queue.Topic;
import io.holdfast.storage.values.OrdinalRanges;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A leader's topics while leadership comes and goes, on a log that the test drives. */
class LeadershipTest {
  private static final long LONG_S = 60;

  /** The entry's code. */
  private static final int CREATE_TOPIC = 3;

  @TempDir Path dir;

  private final ManualGroup group = new ManualGroup();
  private final ExecutorService admin = Executors.newSingleThreadExecutor();
  private LeadNode node;

  @BeforeEach
  void start() throws Exception {
    node = LeadNode.driven(dir, group);
    group.lead();
    node.awaitServing();
    committed(() -> node.leader.create("t").channel("a"));
  }

  @AfterEach
  void stop() throws Exception {
    group.lose();
    node.close();
    admin.shutdownNow();
  }

  /** Does on another thread what waits for the log, and commits what comes until it is done. */
  private <T> T committed(Callable<T> work) throws Exception {
    CompletableFuture<T> done = begin(work);
    group.commitUntil(done);
    return done.get(LONG_S, TimeUnit.SECONDS);
  }

  private <T> CompletableFuture<T> begin(Callable<T> work) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return work.call();
          } catch (Exception e) {
            throw new CompletionException(e);
          }
        },
        admin);
  }

  private Topic topic() {
    return node.topic("t");
  }

  private Channel channel() {
    return node.channel("t", "a");
  }

  private CompletableFuture<String> publish(String... bodies) throws BrokerException {
    return LeadNode.publish(topic(), 0, bodies);
  }

  /** Regains the leadership, in the next term. */
  private void leadAgain() {
    group.lead();
    Awaitility.await().atMost(Duration.ofSeconds(LONG_S)).until(node.leader::isServing);
  }

  @Test
  void shouldInsistOnWhatATermBeginsWith() throws Exception {
    publish("before");
    group.commit();
    group.lose();
    AtomicInteger jumps = new AtomicInteger();
    node.leader.jumpFirst(jumps::incrementAndGet);
    group.lead();
    for (int i = 0; i < 3; i++) {
      // Whoever waits for an older term has to learn that it is over, and nobody may publish yet.
      group.await(ManualGroup.TERM);
      group.await(ManualGroup.SKIP);
      assertFalse(node.leader.isServing());
      group.refuse(i == 0 ? ClusterGroup.HANDING_OVER : ClusterGroup.BUSY);
    }
    group.await(ManualGroup.TERM);
    group.await(ManualGroup.SKIP);
    assertEquals(0, jumps.get());
    assertFalse(node.leader.isServing());
    group.commit();
    Awaitility.await().atMost(Duration.ofSeconds(LONG_S)).until(node.leader::isServing);
    assertEquals(1, jumps.get());
    publish("after");
    group.commit();
    synchronized (node.state.topic("t").lock()) {
      assertEquals((1L << 25) + 2, node.state.topic("t").journal().nextOrdinal());
    }
  }

  @Test
  void shouldAnswerAndDeliverOnlyWhatIsCommitted() throws Exception {
    CompletableFuture<String> first = publish("1");
    FakeConsumer client = consumer(channel());
    assertEquals(List.of(), poll(channel(), client));
    assertFalse(first.isDone());
    group.commit();
    assertEquals("OK", first.getNow("nothing"));
    assertEquals(List.of("1"), poll(channel(), client));
  }

  @Test
  void shouldWaitWithAChangeWhileTooMuchIsUnderWay() throws Exception {
    CompletableFuture<Topic> made = begin(() -> node.leader.create("u"));
    for (int i = 0; i < 3; i++) {
      group.await(CREATE_TOPIC);
      assertFalse(made.isDone());
      group.refuse("too much is under way");
    }
    group.commitUntil(made);
    assertEquals("u", made.get(LONG_S, TimeUnit.SECONDS).name());
  }

  @Test
  void shouldTellWhatIsKnownOfPublishesWhenLeadershipIsLost() throws Exception {
    CompletableFuture<String> refused = publish("refused");
    group.refuse("too much is under way");
    assertEquals("refused: topic t: too much is under way", refused.getNow(""));
    final CompletableFuture<String> never = publish("never");
    final Topic before = topic();
    group.lose();
    group.refuse("this node does not lead");
    assertEquals("refused: no leader for topic t", never.getNow(""));
    assertNull(topic());
    assertThrows(BrokerException.class, () -> LeadNode.publish(before, 0, "x"));
    assertThrows(BrokerException.class, () -> node.leader.create("u"));
    leadAgain();
    assertEquals(List.of(), node.drain("t", "a"));
  }

  @Test
  void shouldDeliverWhatWasUnknownWhenItCameAfterAll() throws Exception {
    CompletableFuture<String> unknown = publish("1");
    group.lose();
    List<ManualGroup.Logged> late = group.forget("nobody knows");
    assertEquals("unknown: leader of topic t lost, outcome unknown", unknown.getNow(""));
    // Whoever led in between had it.
    for (ManualGroup.Logged entry : late) {
      group.append(entry);
    }
    leadAgain();
    assertEquals(List.of("1"), node.drain("t", "a"));
  }

  @Test
  void shouldDropTopicsWithLeadershipAndMakeThemAnew() throws Exception {
    publish("1", "2", "3");
    group.commit();
    final Topic before = topic();
    final Channel beforeChannel = channel();
    FakeConsumer client = consumer(beforeChannel);
    final long finished = pollOne(beforeChannel, client).id();
    final long inFlight = pollOne(beforeChannel, client).id();
    finish(beforeChannel, client, finished);
    group.commitUntil(node.leader.flush());
    group.lose();
    assertTrue(client.closed);
    assertTrue(before.isExiting());
    assertEquals(Outcome.EXITING, finish(beforeChannel, client, inFlight));
    assertFalse(node.leader.isServing());
    leadAgain();
    assertNotSame(before, topic());
    FakeConsumer other = consumer(channel());
    FakeConsumer.Delivery first = pollOne(channel(), other);
    FakeConsumer.Delivery second = pollOne(channel(), other);
    List<String> came =
        new ArrayList<>(
            List.of(
                first.body() + " " + first.attempts(), second.body() + " " + second.attempts()));
    came.sort(null);
    assertEquals(List.of("2 2", "3 1"), came);
    assertEquals(List.of(), poll(channel(), other));
  }

  @Test
  void shouldForgetWithTheTermWhatWasNotCommitted() throws Exception {
    publish("1");
    group.commit();
    FakeConsumer client = consumer(channel());
    finish(channel(), client, pollOne(channel(), client).id());
    group.await(ManualGroup.LEDGER);
    group.lose();
    group.refuse("this node does not lead");
    leadAgain();
    group.commit();
    // It was finished, but nobody else knew.
    assertEquals(List.of("1"), node.drain("t", "a"));
  }

  @Test
  void shouldGoOnAfterHandoverThatFailed() throws Exception {
    final Topic before = topic();
    group.leadAgain();
    assertSame(before, topic());
    CompletableFuture<String> answer = publish("1");
    group.commit();
    assertEquals("OK", answer.getNow(""));
  }

  @Test
  void shouldProposeRecordsAgainUntilCommitted() throws Exception {
    publish("1");
    group.commit();
    FakeConsumer client = consumer(channel());
    finish(channel(), client, pollOne(channel(), client).id());
    group.await(ManualGroup.LEDGER);
    assertEquals(1, group.count(ManualGroup.LEDGER));
    group.refuse("handing over");
    group.await(ManualGroup.LEDGER);
    group.forget("busy");
    group.await(ManualGroup.LEDGER);
    group.commitUntil(node.leader.flush());
    synchronized (node.state.topic("t").lock()) {
      assertTrue(node.state.topic("t").channel("a").state().isFinished(0));
    }
  }

  @Test
  void shouldTellAdministratorsWhatIsKnown() throws Exception {
    CompletableFuture<Void> refused = begin(() -> pauseTopic());
    group.await(ManualGroup.PAUSE);
    group.refuse("no room");
    assertEquals("topic t: no room", failureOf(refused).getMessage());
    assertFalse(((SharedLogException) failureOf(refused)).isUnknown());
    final Topic before = topic();
    CompletableFuture<Void> lost = begin(() -> pause(before));
    group.await(ManualGroup.PAUSE);
    group.lose();
    group.forget("nobody knows");
    assertEquals("leader of topic t lost, outcome unknown", failureOf(lost).getMessage());
    assertTrue(((SharedLogException) failureOf(lost)).isUnknown());
    leadAgain();
    assertFalse(topic().isPaused());
  }

  private Void pauseTopic() throws Exception {
    return pause(topic());
  }

  private static Void pause(Topic topic) throws Exception {
    topic.pause();
    return null;
  }

  private static Throwable failureOf(CompletableFuture<?> done) throws Exception {
    try {
      done.get(LONG_S, TimeUnit.SECONDS);
      throw new AssertionError("it was done");
    } catch (ExecutionException e) {
      return e.getCause();
    }
  }

  @Test
  void shouldTellPublisherWhoseTopicIsDeleted() throws Exception {
    CompletableFuture<Void> deleted =
        begin(
            () -> {
              topic().exit(true);
              return null;
            });
    group.await(ManualGroup.DELETE_TOPIC);
    CompletableFuture<String> late = publish("late");
    group.commitUntil(deleted);
    assertEquals("failed: exiting", late.getNow(""));
    assertNull(topic());
  }

  @Test
  void shouldFindOutWhatNobodyNeedsWhenSomethingIsNew() throws Exception {
    publish("1");
    group.commit();
    node.leader.housekeep();
    assertEquals(1, group.count(ManualGroup.SETTLE));
    group.commit();
    node.leader.housekeep();
    assertEquals(0, group.count(ManualGroup.SETTLE));
    publish("2");
    group.commit();
    node.leader.housekeep();
    assertEquals(1, group.count(ManualGroup.SETTLE));
  }

  // ---------------------------------------------------------------- what must not overtake

  @Test
  void shouldEmptyChannelInTheOrderOfTheLog() throws Exception {
    publish("before");
    group.commit();
    CompletableFuture<Void> emptied =
        begin(
            () -> {
              channel().empty();
              return null;
            });
    group.await(ManualGroup.EMPTY);
    CompletableFuture<String> after = publish("after");
    // All in one go: what is behind it in the log stays.
    group.commitUntil(emptied);
    assertEquals("OK", after.getNow(""));
    assertEquals(1, channel().figures().depth());
    assertEquals(List.of("after"), node.drain("t", "a"));
    node.leader.stopsLeading(Long.MAX_VALUE);
    leadAgain();
    assertEquals(List.of("after"), node.drain("t", "a"));
  }

  @Test
  void shouldNotFinishByOldRecordsWhatWasRewound() throws Exception {
    publish("1", "2");
    group.commit();
    FakeConsumer client = consumer(channel());
    finish(channel(), client, pollOne(channel(), client).id());
    group.await(ManualGroup.LEDGER);
    CompletableFuture<?> rewound = begin(() -> topic().rewind("a", Position.START));
    group.await(ManualGroup.REWIND);
    // The records were made before, and come behind it in the log.
    group.commitAllBut(ManualGroup.LEDGER);
    rewound.get(LONG_S, TimeUnit.SECONDS);
    group.commitUntil(node.leader.flush());
    synchronized (node.state.topic("t").lock()) {
      assertFalse(node.state.topic("t").channel("a").state().isFinished(0));
    }
    assertEquals(List.of("1", "2"), poll(channel(), client));
    group.lose();
    leadAgain();
    assertEquals(List.of("1", "2"), node.drain("t", "a"));
  }

  @Test
  void shouldReadTheCopyOfWhatAChannelWasPutBackToMeanwhile() throws Exception {
    Channel other = committed(() -> topic().channel("b"));
    publish("old");
    group.commit();
    final FakeConsumer client = consumer(channel());
    FakeConsumer keeper = consumer(other);
    finish(channel(), client, pollOne(channel(), client).id());
    other.requeueMessage(keeper, pollOne(other, keeper).id(), 60_000);
    String body = "x".repeat(10_000);
    for (int i = 0; i < 40; i++) {
      publish(body);
      group.commit();
      finish(channel(), client, pollOne(channel(), client).id());
      finish(other, keeper, pollOne(other, keeper).id());
    }
    group.commitUntil(node.leader.flush());
    node.leader.housekeep();
    group.await(ManualGroup.CARRY);
    CompletableFuture<?> rewound = begin(() -> topic().rewind("a", Position.START));
    group.await(ManualGroup.REWIND);
    group.commitAllBut(ManualGroup.CARRY);
    rewound.get(LONG_S, TimeUnit.SECONDS);
    group.commit();

    // All others are finished, as far as the log says, and their files go.
    ReplicatedTopic agreed = node.state.topic("t");
    OrdinalRanges ranges = new OrdinalRanges();
    ranges.add(1, 41);
    LedgerEntry finished = new LedgerEntry();
    finished.finish(agreed.number(), agreed.channel("a").number(), 1, ranges);
    group.append(new ManualGroup.Logged(1, finished.toEntry(1)));
    group.append(new ManualGroup.Logged(1, Entries.settle(1)));
    assertEquals(41, agreed.neededFrom());
    long index = node.state.appliedIndex();
    node.state.snapshot(index, 1).writeTo(Files.createDirectory(dir.resolve("snapshot")));
    node.state.snapshotFinished(index);
    assertNull(agreed.journal().find(0));
    assertEquals("old", pollOne(channel(), client).body());
    assertEquals(0, channel().figures().unreadableCount());
  }
}
