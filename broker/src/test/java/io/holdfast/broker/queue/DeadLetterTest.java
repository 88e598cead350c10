package io.holdfast.broker.queue;

import static io.holdfast.broker.queue.QueueFixture.consumer;
import static io.holdfast.broker.queue.QueueFixture.finish;
import static io.holdfast.broker.queue.QueueFixture.poll;
import static io.holdfast.broker.queue.QueueFixture.pollOne;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.policy.ChannelPolicy;
import io.holdfast.broker.policy.ChannelPolicy.Expired;
import io.holdfast.broker.queue.FakeConsumer.Delivery;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What max_attempts, message_ttl and dead_letter make of a channel's messages. */
class DeadLetterTest {
  private static final int ALL = Integer.MAX_VALUE;

  @TempDir Path dir;

  private QueueFixture queue;
  private Channel channel;
  private FakeConsumer client;

  private enum Ending {
    REQ,
    REQ_LATER,
    TIMEOUT,
    LEFT
  }

  @BeforeEach
  void start() throws Exception {
    start(100);
  }

  private void start(int memQueueSize) throws Exception {
    queue = QueueFixture.create(dir.resolve("m" + memQueueSize), memQueueSize);
    open();
  }

  private void open() throws Exception {
    channel = queue.topic().channel("c");
    client = consumer(channel);
    client.msgTimeoutNs = TimeUnit.SECONDS.toNanos(1);
  }

  @AfterEach
  void stop() throws Exception {
    queue.close();
  }

  private void restart() throws Exception {
    queue.broker.start();
    open();
  }

  private void policy(ChannelPolicy rules) {
    queue.broker.policies.channel = rules;
    queue.topic().refreshPolicies();
  }

  private void attempts(int max) {
    policy(FixedPolicies.attempts(max, ChannelPolicy.KEEP, 100));
  }

  private void expect(long depth, long inFlight, long deferred, long dead) {
    ChannelFigures figures = channel.figures();
    assertEquals(depth, figures.depth(), "depth");
    assertEquals(inFlight, figures.inFlightCount(), "in flight");
    assertEquals(deferred, figures.deferredCount(), "deferred");
    assertEquals(dead, figures.deadCount(), "dead");
  }

  private void die(String... bodies) throws Exception {
    attempts(1);
    queue.publish(bodies);
    for (int i = 0; i < bodies.length; i++) {
      channel.requeueMessage(client, pollOne(channel, client).id(), 0);
      queue.broker.advance(1);
    }
  }

  private List<String> dead() throws Exception {
    return queue.topic().peek().first(channel, Waiting.State.DEAD, 100, 100, 10_000).stream()
        .map(message -> new String(message.body(), StandardCharsets.US_ASCII))
        .toList();
  }

  // ---------------------------------------------------------------- attempts

  @ParameterizedTest
  @EnumSource(Ending.class)
  void shouldBeDeadAfterTheLastAttempt(Ending ending) throws Exception {
    attempts(2);
    queue.publish("a", "b");
    channel.requeueMessage(client, pollOne(channel, client).id(), 0);
    finish(channel, client, pollOne(channel, client).id());
    Delivery last = pollOne(channel, client);
    assertEquals(2, last.attempts());
    switch (ending) {
      case REQ -> channel.requeueMessage(client, last.id(), 0);
      case REQ_LATER -> channel.requeueMessage(client, last.id(), 1000);
      case TIMEOUT -> queue.broker.advance(1000);
      case LEFT -> channel.removeClient(client);
    }
    expect(0, 0, 0, 1);
    assertTrue(channel.isDead(last.id()));
    assertEquals(1, channel.figures().deadLetterCount());
    assertEquals(ending == Ending.TIMEOUT ? 1 : 0, channel.figures().timeoutCount());
    // It stays dead: whoever comes, whatever passes.
    FakeConsumer other = consumer(channel);
    queue.broker.advance(3_600_000);
    assertEquals(List.of(), poll(channel, other));
    PeekedMessage peeked =
        queue.topic().peek().first(channel, Waiting.State.DEAD, 1, 100, 1000).get(0);
    assertEquals(last.id(), peeked.id());
    assertEquals(2, peeked.attempts());
    assertEquals("max_attempts", peeked.reason());
  }

  @Test
  void shouldFinishAtTheLastAttempt() throws Exception {
    attempts(1);
    queue.publish("a");
    Delivery last = pollOne(channel, client);
    channel.touchMessage(client, last.id());
    finish(channel, client, last.id());
    expect(0, 0, 0, 0);
    assertEquals(0, channel.figures().deadLetterCount());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void shouldBeDeadAfterAKillInTheLastAttempt(int max) throws Exception {
    attempts(max);
    queue.publish("a", "b", "c");
    for (int i = 1; i < max; i++) {
      channel.requeueMessage(client, pollOne(channel, client).id(), 0);
    }
    finish(channel, client, pollOne(channel, client).id());
    poll(channel, client);
    restart();
    long inLast = max == 1 ? 2 : 1;
    expect(2 - inLast, 0, 0, inLast);
    restart();
    expect(2 - inLast, 0, 0, inLast);
  }

  @Test
  void shouldNotDeliverBeyondALimitThatWasLowered() throws Exception {
    queue.publish("a");
    for (int i = 0; i < 3; i++) {
      channel.requeueMessage(client, pollOne(channel, client).id(), 0);
    }
    attempts(3);
    expect(1, 0, 0, 0);
    assertEquals(List.of(), poll(channel, client));
    expect(0, 0, 0, 1);
    attempts(0);
    assertEquals(List.of(), poll(channel, client));
    expect(0, 0, 0, 1);
  }

  @Test
  void shouldDropWhereNothingIsKept() throws Exception {
    policy(FixedPolicies.attempts(1, ChannelPolicy.DROP, 100));
    queue.publish("a");
    channel.requeueMessage(client, pollOne(channel, client).id(), 0);
    expect(0, 0, 0, 0);
    assertEquals(1, channel.figures().deadLetterCount());
    assertEquals(1, channel.figures().deadDroppedCount());
    restart();
    expect(0, 0, 0, 0);
  }

  @Test
  void shouldDropInAnEphemeralChannel() throws Exception {
    attempts(1);
    Channel ephemeral = queue.topic().channel("e#ephemeral");
    FakeConsumer its = consumer(ephemeral);
    queue.publish("a");
    ephemeral.requeueMessage(its, pollOne(ephemeral, its).id(), 0);
    assertEquals(0, ephemeral.figures().deadCount());
    assertEquals(1, ephemeral.figures().deadDroppedCount());
  }

  // ---------------------------------------------------------------- kept

  @Test
  void shouldKeepDeadLettersOverEmptyPauseAndRestart() throws Exception {
    die("a", "b");
    channel.empty();
    channel.pause();
    channel.unpause();
    expect(0, 0, 0, 2);
    restart();
    expect(0, 0, 0, 2);
    assertEquals(List.of("a", "b"), dead());
    queue.broker.housekeep(true);
    queue.broker.stop();
    restart();
    expect(0, 0, 0, 2);
    assertEquals(List.of(), poll(channel, client));
  }

  @Test
  void shouldGiveUpTheLongestDeadBeyondTheBound() throws Exception {
    die("a", "b", "c");
    policy(FixedPolicies.attempts(1, ChannelPolicy.KEEP, 2));
    expect(0, 0, 0, 2);
    assertEquals(1, channel.figures().deadDroppedCount());
    assertEquals(List.of("b", "c"), dead());
    queue.publish("d", "e", "f");
    poll(channel, client);
    channel.removeClient(client);
    expect(0, 0, 0, 2);
    assertEquals(4, channel.figures().deadDroppedCount());
    restart();
    expect(0, 0, 0, 2);
  }

  // ---------------------------------------------------------------- redrive, discard

  @Test
  void shouldBeginAnewWhenRedriven() throws Exception {
    die("a", "b", "c");
    assertEquals(0, channel.redrive(new long[] {queue.topic().idEnd() * 1024}, 1));
    assertEquals(2, channel.redrive(null, 2));
    expect(2, 0, 0, 1);
    assertEquals(List.of("c"), dead());
    attempts(2);
    Delivery again = pollOne(channel, client);
    assertEquals("a", again.body());
    assertEquals(1, again.attempts());
    channel.requeueMessage(client, again.id(), 0);
    restart();
    // One attempt each, counted anew.
    assertEquals(2, channel.figures().depth());
    channel.removeClient(client);
    client = consumer(channel);
    poll(channel, client);
    restart();
    expect(1, 0, 0, 2);
    assertEquals(2, channel.redrive(null, ALL));
    expect(3, 0, 0, 0);
  }

  @Test
  void shouldDiscardForGood() throws Exception {
    die("a", "b", "c");
    long second = queue.topic().peek().first(channel, Waiting.State.DEAD, 2, 10, 100).get(1).id();
    assertEquals(1, channel.discard(new long[] {second}, 1));
    assertFalse(channel.isDead(second));
    assertEquals(List.of("a", "c"), dead());
    assertEquals(2, channel.discard(null, ALL));
    assertEquals(0, channel.discard(null, ALL));
    restart();
    expect(0, 0, 0, 0);
  }

  @Test
  void shouldKeepNoJournalFileForADeadLetter() throws Exception {
    die("dead");
    attempts(0);
    String filler = "x".repeat(5000);
    for (int i = 0; i < 60; i++) {
      queue.publish(filler, filler);
      for (int j = 0; j < 2; j++) {
        finish(channel, client, pollOne(channel, client).id());
      }
    }
    queue.broker.advance(60_000);
    queue.broker.housekeep(false);
    assertTrue(queue.topic().journalFiles() <= 3, "files: " + queue.topic().journalFiles());
    assertEquals(List.of("dead"), dead());
    restart();
    assertEquals(List.of("dead"), dead());
    assertEquals(1, channel.redrive(null, ALL));
    assertEquals(List.of("dead"), poll(channel, client));
  }

  // ---------------------------------------------------------------- age

  @ParameterizedTest
  @ValueSource(ints = {100, 0})
  void shouldExpireWhenADeliveryWouldBegin(int memQueueSize) throws Exception {
    queue.close();
    start(memQueueSize);
    policy(FixedPolicies.ttl(1000, Expired.DROP));
    queue.publish("a", "b");
    Delivery young = pollOne(channel, client);
    queue.broker.advance(600);
    channel.touchMessage(client, young.id());
    queue.broker.advance(500);
    expect(1, 1, 0, 0);
    assertEquals(Outcome.OK, finish(channel, client, young.id()));
    queue.publish("c");
    assertEquals(List.of("c"), poll(channel, client));
    assertEquals(1, channel.figures().expiredCount());
    expect(0, 1, 0, 0);
  }

  @Test
  void shouldComeToTheLivingPastAnyNumberOfExpired() throws Exception {
    policy(FixedPolicies.ttl(1000, Expired.DROP));
    String[] many = new String[1000];
    java.util.Arrays.fill(many, "x");
    for (int i = 0; i < 9; i++) {
      queue.publish(many);
    }
    queue.broker.advance(1001);
    queue.publish("living");
    List<String> came = new java.util.ArrayList<>();
    // As the messagePump: again at once unless it is to be woken.
    while (came.isEmpty() && !client.isWaiting()) {
      channel.poll(client, 100, client, 1 << 16);
      came.addAll(client.bodies());
    }
    assertEquals(List.of("living"), came);
    assertEquals(9000, channel.figures().expiredCount());
  }

  @Test
  void shouldKeepTheExpiredWhereTheyAreWanted() throws Exception {
    policy(FixedPolicies.ttl(1000, Expired.DEAD));
    queue.publish("a");
    queue.broker.advance(1001);
    assertEquals(List.of(), poll(channel, client));
    expect(0, 0, 0, 1);
    PeekedMessage peeked =
        queue.topic().peek().first(channel, Waiting.State.DEAD, 1, 100, 1000).get(0);
    assertEquals("expired", peeked.reason());
    assertEquals(queue.broker.wallMs(), peeked.diedMs());
    assertEquals(1, channel.figures().expiredCount());
    assertEquals(1, channel.figures().deadLetterCount());
    // Redriven it does not expire again.
    assertEquals(1, channel.redrive(null, ALL));
    restart();
    assertEquals(List.of("a"), poll(channel, client));
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 0})
  void shouldLetWhatIsScheduledLiveFromWhenItIsDue(int memQueueSize) throws Exception {
    queue.close();
    start(memQueueSize);
    policy(FixedPolicies.ttl(1000, Expired.DROP));
    QueueFixture.publish(queue.topic(), 5000, "a");
    queue.broker.advance(5900);
    Delivery delivery = pollOne(channel, client);
    assertEquals("a", delivery.body());
    // REQ's delay does not stop the clock.
    channel.requeueMessage(client, delivery.id(), 200);
    queue.broker.advance(200);
    assertEquals(List.of(), poll(channel, client));
    assertEquals(1, channel.figures().expiredCount());
  }
}
