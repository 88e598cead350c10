package io.holdfast.broker.queue;

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

import io.holdfast.broker.limits.MemoryPart;
import io.holdfast.broker.policy.TopicPolicy.WhenFull;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a topic does whose changes go through a log that other brokers share. */
class SharedTopicTest {
  @TempDir Path dir;

  private QueueFixture queue;
  private FakeTopicLog log;
  private Topic topic;

  /** What publishers were told, in order. */
  private final List<String> told = new ArrayList<>();

  @BeforeEach
  void start() throws Exception {
    queue = QueueFixture.create(dir.resolve("data"), 100);
    log = new FakeTopicLog(queue.broker, dir.resolve("journal"));
    topic = log.topic();
  }

  @AfterEach
  void stop() throws Exception {
    log.close();
    queue.close();
  }

  private void publish(String... bodies) throws BrokerException {
    ByteBuffer section = ByteBuffer.allocate(1 << 12);
    for (String body : bodies) {
      section.putInt(body.length()).put(body.getBytes(StandardCharsets.US_ASCII));
    }
    PublishListener listener =
        new PublishListener() {
          @Override
          public void onDurable() {
            told.add("OK");
          }

          @Override
          public void onFailed(String error) {
            told.add(error);
          }

          @Override
          public void onUnknown(String error) {
            told.add("unknown: " + error);
          }
        };
    assertFalse(topic.putMessages(section.flip(), bodies.length, 0, 0, listener));
  }

  private FakeTopicLog.Account account(String channel) {
    return log.accounts.get(channel);
  }

  // ---------------------------------------------------------------- publishing

  @Test
  void shouldAnswerAndDeliverWhatWasAgreedOn() throws Exception {
    final Channel channel = topic.channel("a");
    log.holds = true;
    publish("1", "2");
    publish("3");
    assertEquals(List.of(), told);
    assertEquals(0, topic.messageCount());
    FakeConsumer client = consumer(channel);
    assertEquals(List.of(), poll(channel, client));
    log.agree();
    assertEquals(List.of("OK", "OK"), told);
    assertEquals(3, topic.messageCount());
    assertEquals(List.of("1", "2", "3"), poll(channel, client));
  }

  /** What all have agreed on was bounded by the memory of another leader, or of another time. */
  @Test
  void shouldHoldNoMoreThanThereIsMemoryForWhenItBeginsToLead() throws Exception {
    final int messages = 4000;
    final int room = 500;
    String[] bodies = new String[100];
    Arrays.fill(bodies, "x");
    topic.channel("a");
    for (int i = 0; i < messages; i += bodies.length) {
      publish(bodies);
    }
    LedgerState state = new LedgerState(0);
    long dueMs = System.currentTimeMillis() + 3_600_000;
    for (int i = 0; i < messages; i++) {
      state.hold(new HeldMessage(new MessageRef(i, MessageRef.NOWHERE, 0, 0, 2), dueMs, 3_600_000));
    }
    MemoryPart references = queue.broker.channelSettings().memory().deferred();
    long roomBytes = room * (long) References.REFERENCE_BYTES;
    references.reserve(references.limitBytes() - references.usedBytes() - roomBytes);
    log.adopt("b", state);
    ChannelFigures figures = topic.existingChannel("b").figures();
    assertEquals(messages, figures.depth() + figures.deferredCount());
    long deferred = figures.deferredCount();
    assertTrue(deferred >= room && deferred < messages / 2, deferred + " restored");
  }

  @Test
  void shouldTellPublisherOfRefusal() throws Exception {
    Channel channel = topic.channel("a");
    log.refusal = "no leader for topic shared";
    publish("1");
    assertEquals(List.of("no leader for topic shared"), told);
    assertEquals(List.of(), poll(channel, consumer(channel)));
  }

  @Test
  void shouldCountWhatIsUnderWayAgainstBounds() throws Exception {
    queue.broker.policies.topic = FixedPolicies.bounds(2, 0, WhenFull.REJECT);
    topic.refreshPolicies();
    topic.channel("a");
    log.holds = true;
    publish("1");
    publish("2");
    assertThrows(TopicFullException.class, () -> publish("3"));
    log.agree();
    assertThrows(TopicFullException.class, () -> publish("3"));
    assertEquals(2, topic.rejectedCount());
    assertEquals(List.of("OK", "OK"), told);
  }

  @Test
  void shouldHaveOldestOfWhatIsKeptDroppedByLog() throws Exception {
    queue.broker.policies.topic = FixedPolicies.bounds(2, 0, WhenFull.DROP_OLDEST);
    topic.refreshPolicies();
    publish("1", "2");
    publish("3");
    assertEquals(List.of("drop kept to 1"), log.asked);
    log.agree();
    assertEquals(2, topic.depth());
    assertEquals(1, topic.droppedCount());
    Channel channel = topic.channel("a");
    assertEquals(List.of("2", "3"), poll(channel, consumer(channel)));
  }

  // ---------------------------------------------------------------- channels

  @Test
  void shouldHaveLastingChannelsMadeAndDeletedByLog() throws Exception {
    publish("1");
    Channel channel = topic.channel("a");
    assertSame(channel, topic.channel("a"));
    assertEquals(List.of("create a at -1"), log.asked);
    assertEquals(0, topic.depth());
    assertEquals(1, channel.figures().depth());
    assertTrue(topic.deleteChannel("a"));
    assertFalse(topic.deleteChannel("a"));
    assertEquals(List.of("create a at -1", "delete a"), log.asked);
    assertNull(topic.existingChannel("a"));
    assertTrue(channel.isExiting());
    publish("2");
    assertEquals(1, topic.depth());
  }

  @Test
  void shouldNotMakeChannelThatWasRefused() {
    log.refusal = "no leader for topic shared";
    BrokerException refused = assertThrows(BrokerException.class, () -> topic.channel("a"));
    assertEquals("no leader for topic shared", refused.getMessage());
    assertNull(topic.existingChannel("a"));
  }

  @Test
  void shouldKeepEphemeralChannelsToItself() throws Exception {
    publish("1");
    Channel ephemeral = topic.channel("x#ephemeral");
    publish("2");
    assertEquals(List.of("1", "2"), poll(ephemeral, consumer(ephemeral)));
    assertEquals(2, topic.depth());
    assertEquals(List.of(), log.asked);
    Channel lasting = topic.channel("a");
    assertEquals(List.of("1", "2"), poll(lasting, consumer(lasting)));
    assertTrue(topic.deleteChannel("x#ephemeral"));
    publish("3");
    assertEquals(0, topic.depth());
  }

  @Test
  void shouldNotKeepForEphemeralChannelThatCameFirst() throws Exception {
    topic.channel("x#ephemeral");
    publish("1");
    // One that does not last takes nothing over.
    assertEquals(1, topic.depth());
  }

  @Test
  void shouldMakeChannelThatBeginsAtPosition() throws Exception {
    topic.channel("a");
    publish("1", "2");
    Channel replay = topic.channel("b", Position.START);
    assertEquals(List.of("1", "2"), poll(replay, consumer(replay)));
    assertEquals("create b at 0", log.asked.get(1));
  }

  @Test
  void shouldWriteDownWhatBecomesOfMessages() throws Exception {
    Channel channel = topic.channel("a");
    publish("1", "2");
    FakeConsumer client = consumer(channel);
    FakeConsumer.Delivery first = pollOne(channel, client);
    final FakeConsumer.Delivery second = pollOne(channel, client);
    finish(channel, client, first.id());
    channel.requeueMessage(client, second.id(), 0);
    assertEquals(
        List.of("DELIVER 0-1", "DELIVER 1-2", "FINISH 0-1", "HOLD 1 x1"), account("a").records);
  }

  @Test
  void shouldDeliverNothingWhileRecordsPileUp() throws Exception {
    Channel channel = topic.channel("a");
    publish("1");
    FakeConsumer client = consumer(channel);
    account("a").congested = true;
    assertEquals(0, channel.poll(client, 1, client, 1 << 16));
    account("a").congested = false;
    // Woken by the scan, as nobody else would.
    int wakes = client.wakes;
    queue.broker.advance(200);
    assertTrue(client.wakes > wakes);
    assertEquals(List.of("1"), poll(channel, client));
  }

  // ---------------------------------------------------------------- administration

  @Test
  void shouldPauseEmptyAndUnpauseByLog() throws Exception {
    Channel channel = topic.channel("a");
    topic.pause();
    assertTrue(topic.isPaused());
    publish("1");
    topic.empty();
    publish("2");
    assertEquals(1, topic.depth());
    assertEquals(0, channel.figures().depth());
    topic.unpause();
    assertEquals(List.of("2"), poll(channel, consumer(channel)));
    assertEquals(List.of("create a at -1", "pause true", "empty", "pause false"), log.asked);
    log.refusal = "no";
    assertThrows(SharedLogException.class, topic::pause);
    assertFalse(topic.isPaused());
  }

  @Test
  void shouldPauseChannelByLog() throws Exception {
    Channel channel = topic.channel("a");
    channel.pause();
    assertTrue(channel.isPaused());
    channel.unpause();
    assertFalse(channel.isPaused());
    assertEquals(List.of("create a at -1", "pause a true", "pause a false"), log.asked);
  }

  @Test
  void shouldSetPoliciesByLog() throws Exception {
    Channel channel = topic.channel("a");
    topic.setHandPolicy(Map.of("max_depth", "5"));
    channel.setHandPolicy(Map.of("ordered", "true"));
    assertEquals(Map.of("max_depth", "5"), topic.handPolicy());
    assertEquals(Map.of("ordered", "true"), channel.handPolicy());
    log.refusal = "no";
    assertThrows(SharedLogException.class, () -> topic.setHandPolicy(Map.of()));
    assertEquals(Map.of("max_depth", "5"), topic.handPolicy());
  }

  @Test
  void shouldVoidAllThatEmptiedChannelHad() throws Exception {
    Channel channel = topic.channel("a");
    publish("1", "2", "3");
    FakeConsumer client = consumer(channel);
    long id = pollOne(channel, client).id();
    channel.empty();
    assertEquals(0, channel.figures().depth());
    assertEquals(0, channel.figures().inFlightCount());
    assertEquals(1, account("a").epoch);
    assertNotSame(Outcome.OK, finish(channel, client, id));
    publish("4");
    assertEquals(List.of("4"), poll(channel, client));
  }

  @Test
  void shouldRewindByLog() throws Exception {
    Channel channel = topic.channel("a");
    publish("1", "2");
    FakeConsumer client = consumer(channel);
    long id = pollOne(channel, client).id();
    finish(channel, client, id);
    Rewound rewound = topic.rewind("a", Position.START);
    assertEquals(id, rewound.id());
    assertEquals(2, rewound.ready());
    assertEquals(List.of("1", "2"), poll(channel, client));
    Rewound toEnd = topic.rewind("a", Position.END);
    assertEquals(2, toEnd.skipped());
    assertEquals(0, toEnd.ready());
    assertEquals(List.of("create a at -1", "rewind a to 0", "rewind a to 2"), log.asked);
  }

  // ---------------------------------------------------------------- the end

  @Test
  void shouldEndWithoutWritingWhenSomebodyElseLeads() throws Exception {
    Channel channel = topic.channel("a");
    publish("1", "2");
    FakeConsumer client = consumer(channel);
    pollOne(channel, client);
    log.holds = true;
    publish("3");
    int before = account("a").records.size();
    log.lose();
    assertTrue(client.closed);
    assertTrue(topic.isExiting());
    assertEquals(before, account("a").records.size());
    assertThrows(BrokerException.class, () -> publish("4"));
    // What was under way may come yet: it is in the journal, and nobody here delivers it.
    log.agree();
    assertEquals(3, log.journal().nextOrdinal());
  }

  @Test
  void shouldEndWithAllBrokersWhenDeleted() throws Exception {
    Channel channel = topic.channel("a");
    FakeConsumer client = consumer(channel);
    topic.exit(true);
    assertTrue(client.closed);
    assertNull(topic.existingChannel("a"));
    assertNull(topic.metadata());
    assertEquals(List.of("create a at -1", "delete"), log.asked);
  }

  @Test
  void shouldKeepOutOfMetadata() {
    assertTrue(topic.isShared());
    assertNull(topic.metadata());
  }
}
