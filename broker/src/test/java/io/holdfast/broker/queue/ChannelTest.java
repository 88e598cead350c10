package io.holdfast.broker.queue;

import static io.holdfast.broker.queue.QueueFixture.consumer;
import static io.holdfast.broker.queue.QueueFixture.finish;
import static io.holdfast.broker.queue.QueueFixture.poll;
import static io.holdfast.broker.queue.QueueFixture.pollOne;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.queue.FakeConsumer.Delivery;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What FIN, REQ, TOUCH, timeouts and the rest do to a channel's messages, one at a time. */
class ChannelTest {
  private static final long TIMEOUT_MS = 1000;

  @TempDir Path dir;

  private QueueFixture queue;
  private Channel channel;
  private FakeConsumer client;

  @BeforeEach
  void start() throws Exception {
    start(100);
  }

  private void start(int memQueueSize) throws Exception {
    queue = QueueFixture.create(dir.resolve("m" + memQueueSize), memQueueSize);
    channel = queue.topic().channel("c");
    client = consumer(channel);
    client.msgTimeoutNs = TimeUnit.MILLISECONDS.toNanos(TIMEOUT_MS);
  }

  @AfterEach
  void stop() throws Exception {
    queue.close();
  }

  private void expect(long depth, long inFlight, long deferred) {
    ChannelFigures figures = channel.figures();
    assertEquals(depth, figures.depth(), "depth");
    assertEquals(inFlight, figures.inFlightCount(), "in flight");
    assertEquals(deferred, figures.deferredCount(), "deferred");
  }

  // ---------------------------------------------------------------- delivery

  @ParameterizedTest
  @ValueSource(ints = {100, 2, 0})
  void shouldDeliverInPublishOrderFromMemoryAndBackend(int memQueueSize) throws Exception {
    queue.close();
    start(memQueueSize);
    queue.publish("a", "b", "c");
    queue.publish("d");
    expect(4, 0, 0);
    assertEquals(List.of("a", "b", "c", "d"), poll(channel, client));
    expect(0, 4, 0);
  }

  @Test
  void shouldTellIdTimeAndAttempts() throws Exception {
    queue.broker.advance(5);
    queue.publish("a");
    Delivery first = pollOne(channel, client);
    assertEquals(1, first.attempts());
    assertEquals(TimeUnit.MILLISECONDS.toNanos(queue.broker.wallMs()), first.timestampNs());
    channel.requeueMessage(client, first.id(), 0);
    queue.broker.advance(5);
    Delivery second = pollOne(channel, client);
    assertEquals(new Delivery(first.id(), 2, first.timestampNs(), "a"), second);
  }

  @Test
  void shouldStopAtBytesAskedFor() throws Exception {
    queue.publish("aaaa", "bbbb", "cccc");
    assertEquals(2, channel.poll(client, 100, client, 5));
    assertEquals(List.of("aaaa", "bbbb"), client.bodies());
    assertFalse(client.isWaiting());
  }

  @Test
  void shouldWakeOneWaitingConsumerForOneMessage() throws Exception {
    FakeConsumer other = consumer(channel);
    poll(channel, client);
    poll(channel, other);
    queue.publish("a");
    assertEquals(1, client.wakes);
    assertEquals(0, other.wakes);
    // It cannot take it after all.
    channel.wakeAnother();
    assertEquals(1, other.wakes);
  }

  /** As a client at a node that begins to lead: it waited for messages of the former leader. */
  @Test
  void shouldWakeAConsumerThatWaitedElsewhereBefore() throws Exception {
    channel.removeClient(client);
    FakeConsumer late = new FakeConsumer();
    late.setWaiting(true);
    channel.addClient(late);
    assertEquals(List.of(), poll(channel, late));
    queue.publish("a");
    assertEquals(1, late.wakes);
  }

  @Test
  void shouldDeliverNothingWhilePaused() throws Exception {
    queue.publish("a");
    channel.pause();
    assertEquals(Channel.CLOSED, channel.poll(client, 1, client, 100));
    expect(1, 0, 0);
    assertTrue(channel.figures().isPaused());
    channel.unpause();
    assertEquals(1, client.wakes);
    assertEquals(List.of("a"), poll(channel, client));
  }

  @Test
  void shouldDeliverNothingToConsumerThatIsNotSubscribed() throws Exception {
    queue.publish("a");
    client.subscribed = false;
    assertEquals(Channel.CLOSED, channel.poll(client, 1, client, 100));
  }

  @Test
  void shouldFinishWhatSamplingLeavesOut() throws Exception {
    client.sampleRate = 1;
    queue.publish("a", "b", "c", "d", "e", "f", "g", "h");
    int sent = poll(channel, client).size();
    assertTrue(sent < 8, sent + " of 8");
    expect(0, sent, 0);
  }

  // ---------------------------------------------------------------- FIN

  @Test
  void shouldFinishOnce() throws Exception {
    queue.publish("a");
    long id = pollOne(channel, client).id();
    assertEquals(Outcome.OK, finish(channel, client, id));
    expect(0, 0, 0);
    assertEquals(Outcome.NOT_IN_FLIGHT, finish(channel, client, id));
    assertEquals(1, channel.times().counts().count());
  }

  @Test
  void shouldTellOutcomeOfEachFin() throws Exception {
    queue.publish("a", "b");
    FakeConsumer other = consumer(channel);
    long mine = pollOne(channel, client).id();
    long others = pollOne(channel, other).id();
    Outcome[] outcomes = new Outcome[4];
    channel.finishMessages(client, new long[] {others, mine, mine, 12345}, 4, outcomes);
    assertEquals(
        List.of(Outcome.NOT_OWNER, Outcome.OK, Outcome.NOT_IN_FLIGHT, Outcome.NOT_IN_FLIGHT),
        List.of(outcomes));
    assertEquals(1, other.inFlight().size());
    assertEquals(0, client.inFlight().size());
  }

  @Test
  void shouldNotDeliverAgainAfterRestartWhatIsFinished() throws Exception {
    queue.publish("a", "b");
    finish(channel, client, pollOne(channel, client).id());
    queue.broker.stop();
    queue.broker.start();
    channel = queue.topic().existingChannel("c");
    expect(1, 0, 0);
    assertEquals(List.of("b"), poll(channel, consumer(channel)));
  }

  // ---------------------------------------------------------------- REQ

  @Test
  void shouldDeliverAgainAtOnceAfterReqWithoutDelay() throws Exception {
    queue.publish("a");
    long id = pollOne(channel, client).id();
    assertEquals(Outcome.OK, channel.requeueMessage(client, id, 0));
    expect(1, 0, 0);
    assertEquals(1, channel.figures().requeueCount());
    assertEquals(2, pollOne(channel, client).attempts());
  }

  @Test
  void shouldDeliverAgainAfterDelayOfReq() throws Exception {
    queue.publish("a");
    long id = pollOne(channel, client).id();
    poll(channel, client);
    assertEquals(Outcome.OK, channel.requeueMessage(client, id, 50));
    expect(0, 0, 1);
    queue.broker.advance(49);
    assertEquals(List.of(), poll(channel, client));
    int before = client.wakes;
    queue.broker.advance(1);
    expect(1, 0, 0);
    assertEquals(before + 1, client.wakes);
    Delivery again = pollOne(channel, client);
    assertEquals(id, again.id());
    assertEquals(2, again.attempts());
  }

  @Test
  void shouldKeepAttemptsAndDelayOfReqOverRestart() throws Exception {
    queue.publish("a", "b");
    channel.requeueMessage(client, pollOne(channel, client).id(), 50);
    channel.requeueMessage(client, pollOne(channel, client).id(), 0);
    queue.broker.persistMetadata();
    queue.broker.start();
    channel = queue.topic().existingChannel("c");
    expect(1, 0, 1);
    client = consumer(channel);
    Delivery ready = pollOne(channel, client);
    assertEquals("b", ready.body());
    assertEquals(2, ready.attempts());
    queue.broker.advance(50);
    Delivery due = pollOne(channel, client);
    assertEquals("a", due.body());
    assertEquals(2, due.attempts());
  }

  @Test
  void shouldLeaveMessageInFlightWhenReqIsWrong() throws Exception {
    queue.publish("a");
    FakeConsumer other = consumer(channel);
    long id = pollOne(channel, client).id();
    assertEquals(Outcome.NOT_OWNER, channel.requeueMessage(other, id, 0));
    assertEquals(Outcome.NOT_OWNER, channel.requeueMessage(other, id, 50));
    assertEquals(Outcome.NOT_IN_FLIGHT, channel.requeueMessage(client, id + 1024, 0));
    assertEquals(Outcome.NOT_IN_FLIGHT, channel.requeueMessage(client, id + 1, 0), "other node");
    expect(0, 1, 0);
    assertEquals(0, channel.figures().requeueCount());
    assertEquals(Outcome.OK, finish(channel, client, id));
  }

  @Test
  void shouldRefuseToDeferMoreThanBound() throws Exception {
    queue.publish("a", "b", "c", "d", "e", "f");
    for (int i = 0; i < QueueFixture.MAX_DEFERRED; i++) {
      Outcome outcome = channel.requeueMessage(client, pollOne(channel, client).id(), 50);
      assertEquals(Outcome.OK, outcome);
    }
    long id = pollOne(channel, client).id();
    assertEquals(Outcome.TOO_MANY_DEFERRED, channel.requeueMessage(client, id, 50));
    expect(0, 1, QueueFixture.MAX_DEFERRED);
    assertEquals(Outcome.OK, channel.requeueMessage(client, id, 0));
  }

  @Test
  void shouldDeliverNewMessageBeforeOneThatCameBackAfterIt() throws Exception {
    queue.publish("a", "b");
    long id = pollOne(channel, client).id();
    channel.requeueMessage(client, id, 0);
    assertEquals(List.of("b", "a"), poll(channel, client));
  }

  // ---------------------------------------------------------------- timeout and TOUCH

  @Test
  void shouldDeliverAgainWhatTimesOut() throws Exception {
    queue.publish("a");
    final long id = pollOne(channel, client).id();
    queue.broker.advance(TIMEOUT_MS - 1);
    expect(0, 1, 0);
    queue.broker.advance(1);
    expect(1, 0, 0);
    assertEquals(1, channel.figures().timeoutCount());
    assertEquals(0, channel.figures().requeueCount());
    assertEquals(1, client.wakes, "it has room now");
    assertEquals(Outcome.NOT_IN_FLIGHT, finish(channel, client, id));
    assertEquals(2, pollOne(channel, client).attempts());
  }

  @Test
  void shouldBeginTimeoutAnewWithTouch() throws Exception {
    queue.publish("a");
    long id = pollOne(channel, client).id();
    queue.broker.advance(TIMEOUT_MS - 1);
    assertEquals(Outcome.OK, channel.touchMessage(client, id));
    queue.broker.advance(TIMEOUT_MS - 1);
    expect(0, 1, 0);
    queue.broker.advance(1);
    expect(1, 0, 0);
    assertEquals(Outcome.NOT_IN_FLIGHT, channel.touchMessage(client, id));
  }

  @Test
  void shouldTimeOutAtMaximumWhateverIsTouched() throws Exception {
    queue.publish("a");
    long id = pollOne(channel, client).id();
    for (long ms = 0; ms < SimulatedBroker.MAX_MSG_TIMEOUT_MS; ms += TIMEOUT_MS / 2) {
      assertEquals(Outcome.OK, channel.touchMessage(client, id));
      queue.broker.advance(TIMEOUT_MS / 2);
    }
    assertEquals(1, channel.figures().timeoutCount());
  }

  // ---------------------------------------------------------------- consumers

  @Test
  void shouldGiveToOthersWhatLeavingConsumerHad() throws Exception {
    queue.publish("a", "b");
    poll(channel, client);
    FakeConsumer other = consumer(channel);
    poll(channel, other);
    assertFalse(channel.removeClient(client));
    assertEquals(1, other.wakes);
    expect(2, 0, 0);
    assertEquals(0, channel.figures().timeoutCount() + channel.figures().requeueCount());
    assertEquals(2, pollOne(channel, other).attempts());
    assertTrue(channel.removeClient(other));
    assertFalse(channel.removeClient(other), "it is gone already");
  }

  @Test
  void shouldTakeNoConsumersOnceClosedForWantOfThem() throws Exception {
    assertFalse(channel.subscriptions().close());
    channel.removeClient(client);
    assertTrue(channel.subscriptions().close());
    assertThrows(BrokerException.class, () -> consumer(channel));
    channel.subscriptions().reopen();
    consumer(channel);
  }

  // ---------------------------------------------------------------- administration

  @Test
  void shouldDropEverythingWhenEmptied() throws Exception {
    queue.publish("a", "b", "c");
    channel.requeueMessage(client, pollOne(channel, client).id(), 50);
    long id = pollOne(channel, client).id();
    expect(1, 1, 1);
    channel.empty();
    expect(0, 0, 0);
    assertEquals(1, client.wakes, "its slot is free");
    assertEquals(Outcome.NOT_IN_FLIGHT, finish(channel, client, id));
    queue.broker.advance(50);
    queue.publish("d");
    assertEquals(List.of("d"), poll(channel, client));
  }

  @Test
  void shouldAnswerExitingOnceItEnds() throws Exception {
    queue.publish("a", "b");
    long id = pollOne(channel, client).id();
    channel.exit(false);
    assertTrue(client.closed);
    assertEquals(Outcome.EXITING, finish(channel, client, id));
    assertEquals(Outcome.EXITING, channel.requeueMessage(client, id, 0));
    assertEquals(Channel.CLOSED, channel.poll(client, 1, client, 100));
  }

  @Test
  void shouldDeliverNothingWhileDraining() throws Exception {
    queue.publish("a", "b");
    long id = pollOne(channel, client).id();
    channel.drain();
    assertEquals(Channel.CLOSED, channel.poll(client, 1, client, 100));
    assertEquals(Outcome.OK, finish(channel, client, id), "what is in flight can be answered");
  }
}
