package io.holdfast.broker.cluster.lead;

import static io.holdfast.broker.queue.QueueFixture.consumer;
import static io.holdfast.broker.queue.QueueFixture.finish;
import static io.holdfast.broker.queue.QueueFixture.pollOne;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.cluster.state.ReplicatedTopic;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.FakeConsumer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How much a leader has carried forward at once, on a log that the test drives. */
class CarryForwardTest {
  private static final int FILE_BYTES = 4 << 20;
  private static final String BODY = "x".repeat(60_000);
  private static final int OLD = 60;

  @TempDir Path dir;

  private final ManualGroup group = new ManualGroup();
  private LeadNode node;

  @BeforeEach
  void start() throws Exception {
    node = LeadNode.driven(dir, group, FILE_BYTES);
    group.lead();
    node.awaitServing();
    CompletableFuture<Void> made =
        CompletableFuture.runAsync(
            () -> {
              try {
                node.leader.create("t").channel("a");
                node.leader.create("u").channel("a");
              } catch (Exception e) {
                throw new CompletionException(e);
              }
            });
    group.commitUntil(made);
  }

  @AfterEach
  void stop() throws Exception {
    group.lose();
    node.close();
  }

  /** The first ones are deferred, the others finished. */
  private void publish(int old, int others) throws Exception {
    publish("t", BODY, old, others);
  }

  private void publish(String topic, String body, int old, int others) throws Exception {
    Channel channel = node.channel(topic, "a");
    FakeConsumer client = consumer(channel);
    for (int i = 0; i < old + others; i++) {
      LeadNode.publish(node.topic(topic), 0, body);
      group.commit();
      long id = pollOne(channel, client).id();
      if (i < old) {
        channel.requeueMessage(client, id, 3_000_000);
      } else {
        finish(channel, client, id);
      }
    }
    group.commitUntil(node.leader.flush());
  }

  private long turn() throws Exception {
    node.leader.housekeep();
    long proposed = group.count(ManualGroup.CARRY);
    group.commit();
    return proposed;
  }

  private int carried() {
    return carried("t");
  }

  private int carried(String name) {
    ReplicatedTopic topic = node.state.topic(name);
    int count = 0;
    synchronized (topic.lock()) {
      for (long ordinal = 0; ordinal < topic.journal().nextOrdinal(); ordinal++) {
        count += topic.carried(ordinal) == null ? 0 : 1;
      }
    }
    return count;
  }

  @Test
  void shouldCarryAFileInSteps() throws Exception {
    publish(OLD, 200);
    node.leader.housekeep();
    assertEquals(CarryForward.MAX_ENTRIES, group.count(ManualGroup.CARRY));
    // Nothing more before that is known.
    node.leader.housekeep();
    assertEquals(CarryForward.MAX_ENTRIES, group.count(ManualGroup.CARRY));
    group.commit();
    for (ManualGroup.Logged logged : group.log) {
      int bytes = logged.entry().remaining();
      assertTrue(bytes < CarryForward.ENTRY_BYTES + 100, () -> bytes + " bytes");
    }
    int first = carried();
    assertEquals(CarryForward.ENTRY_BYTES / 60_000 * CarryForward.MAX_ENTRIES, first);
    assertEquals(CarryForward.MAX_ENTRIES, turn());
    assertEquals(OLD, carried());
    assertEquals(0, turn());
    node.leader.housekeep();
    group.commit();
    assertEquals(OLD + 200, node.state.topic("t").neededFrom());
  }

  @Test
  void shouldCarryNothingWhileMoreIsUnfinishedThanFinished() throws Exception {
    publish(OLD, 100);
    assertEquals(0, turn());
    publish(0, 100);
    node.context.advance(1);
    assertEquals(CarryForward.MAX_ENTRIES, turn());
  }

  @Test
  void shouldTryAgainLaterWhatWasRefused() throws Exception {
    publish(1, 200);
    node.leader.housekeep();
    group.refuse("too much under way");
    node.context.advance(30_000);
    assertEquals(0, turn());
    assertNull(carriedFirst());
    node.context.advance(31_000);
    assertEquals(1, turn());
    assertNotNull(carriedFirst());
  }

  @Test
  void shouldCarryNoMoreBytesAtOnceOfLargeMessages() throws Exception {
    publish("t", "x".repeat(700_000), 4, 16);
    node.leader.housekeep();
    assertEquals(2, group.count(ManualGroup.CARRY));
    group.commit();
    assertEquals(2, carried());
    assertEquals(2, turn());
    assertEquals(4, carried());
  }

  /** Retention goes on with each turn, as it does where much is published. */
  @Test
  void shouldCarryWhereFinishedMessagesStayForATime() throws Exception {
    node.context.retentionMs = 1000;
    publish(1, 0);
    long carries = 0;
    long retained = -1;
    for (int i = 0; i < 6 && carries == 0; i++) {
      node.context.advance(20_000);
      publish(0, 80);
      carries = turn();
      long from = node.state.topic("t").retainFrom();
      assertTrue(from > retained, "each turn says something new");
      retained = from;
    }
    assertEquals(1, carries);
  }

  @Test
  void shouldTakeTopicsInTurn() throws Exception {
    publish(OLD, 200);
    publish("u", BODY, OLD, 200);
    assertEquals(CarryForward.MAX_ENTRIES, turn());
    assertEquals(0, carried("u"));
    assertEquals(CarryForward.MAX_ENTRIES, turn());
    assertTrue(carried("u") > 0);
    assertTrue(carried() < OLD);
    turn();
    assertEquals(OLD, carried());
  }

  /** A few bytes of each of many topics need no more turns than many bytes of one. */
  @Test
  void shouldTakeSeveralTopicsInATurn() throws Exception {
    publish(1, 200);
    publish("u", BODY, 1, 200);
    node.leader.housekeep();
    assertEquals(2, group.count(ManualGroup.CARRY));
    group.commit();
    assertEquals(1, carried());
    assertEquals(1, carried("u"));
  }

  @Test
  void shouldCareForOtherTopicsWhenOneCannotBeRead() throws Exception {
    publish(1, 200);
    publish("u", BODY, 1, 200);
    ReplicatedTopic broken = node.state.topic("t");
    Files.delete(broken.journal().file(broken.journal().fileNumbers().get(0)));
    assertThrows(IOException.class, node.leader::housekeep);
    assertEquals(1, group.count(ManualGroup.CARRY));
    assertEquals(1, group.count(ManualGroup.SETTLE));
    group.commit();
    assertEquals(1, carried("u"));
  }

  /** Its unfinished messages are much larger than the others: that is known when they are read. */
  @Test
  void shouldNotReadAFileAgainAndAgain() throws Exception {
    publish("t", BODY, 50, 0);
    publish("t", "small", 0, 3000);
    publish(0, 60);
    assertEquals(0, turn());
    publish(0, 150);
    node.context.advance(11_000);
    assertEquals(0, turn());
    node.context.advance(50_000);
    assertEquals(CarryForward.MAX_ENTRIES, turn());
  }

  private Object carriedFirst() {
    ReplicatedTopic topic = node.state.topic("t");
    synchronized (topic.lock()) {
      return topic.carried(0);
    }
  }
}
