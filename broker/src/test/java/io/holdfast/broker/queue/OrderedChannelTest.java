package io.holdfast.broker.queue;

import static io.holdfast.broker.queue.QueueFixture.consumer;
import static io.holdfast.broker.queue.QueueFixture.finish;
import static io.holdfast.broker.queue.QueueFixture.poll;
import static io.holdfast.broker.queue.QueueFixture.pollOne;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.broker.policy.ChannelPolicy;
import io.holdfast.broker.queue.FakeConsumer.Delivery;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A channel whose messages go out one at a time, in the order of publishing. */
class OrderedChannelTest {
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
    policy(FixedPolicies.ordered(0, 0));
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

  private void policy(ChannelPolicy rules) {
    queue.broker.policies.channel = rules;
    queue.topic().refreshPolicies();
  }

  /** Takes and finishes what comes, one after the other. */
  private String all() throws Exception {
    List<String> bodies = new ArrayList<>();
    while (channel.poll(client, 10, client, 1 << 16) > 0) {
      Delivery delivery = client.sent.remove(0);
      assertEquals(0, client.sent.size(), "more than one in flight");
      bodies.add(delivery.body());
      finish(channel, client, delivery.id());
    }
    return String.join("", bodies);
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 2, 0})
  void shouldDeliverOneAtATime(int memQueueSize) throws Exception {
    queue.close();
    start(memQueueSize);
    queue.publish("a", "b", "c");
    Delivery first = pollOne(channel, client);
    assertEquals(List.of(), poll(channel, client));
    channel.requeueMessage(client, first.id(), 0);
    queue.publish("d");
    assertEquals("abcd", all());
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 0})
  void shouldWaitForWhatIsDeferred(int memQueueSize) throws Exception {
    queue.close();
    start(memQueueSize);
    queue.publish("a");
    QueueFixture.publish(queue.topic(), 1000, "b");
    queue.publish("c", "d");
    assertEquals("a", all());
    queue.broker.advance(1000);
    Delivery second = pollOne(channel, client);
    assertEquals("b", second.body());
    channel.requeueMessage(client, second.id(), 500);
    assertEquals("", all());
    queue.broker.advance(500);
    assertEquals("bcd", all());
  }

  @Test
  void shouldComeAgainFirstAfterTimeoutRestartAndLostConnection() throws Exception {
    queue.publish("a", "b", "c");
    pollOne(channel, client);
    queue.broker.advance(1000);
    assertEquals("a", pollOne(channel, client).body());
    channel.removeClient(client);
    client = consumer(channel);
    assertEquals("a", pollOne(channel, client).body());
    queue.broker.start();
    open();
    assertEquals("abc", all());
  }

  @Test
  void shouldServeWhoCameFirstUntilItGoes() throws Exception {
    FakeConsumer second = consumer(channel);
    FakeConsumer third = consumer(channel);
    poll(channel, second);
    poll(channel, third);
    poll(channel, client);
    queue.publish("a", "b", "c");
    assertEquals(1, client.wakes);
    assertEquals(0, second.wakes + third.wakes);
    // Backing off keeps the place.
    client.readyCount = 0;
    assertEquals(List.of(), poll(channel, second));
    client.readyCount = 10;
    Delivery first = pollOne(channel, client);
    client.subscribed = false;
    assertEquals(List.of(), poll(channel, second), "while it has something in flight");
    int wakes = second.wakes;
    finish(channel, client, first.id());
    assertEquals(wakes + 1, second.wakes);
    assertEquals(List.of("b"), poll(channel, second));
    wakes = third.wakes;
    channel.removeClient(second);
    assertEquals(wakes + 1, third.wakes);
    assertEquals(List.of("b"), poll(channel, third));
  }

  @Test
  void shouldWakeTheNextWhenAnIdleOneLeaves() throws Exception {
    FakeConsumer second = consumer(channel);
    poll(channel, second);
    client.readyCount = 0;
    queue.publish("a");
    int wakes = second.wakes;
    channel.removeClient(client);
    assertEquals(wakes + 1, second.wakes);
    assertEquals(List.of("a"), poll(channel, second));
  }

  @Test
  void shouldWaitForAllThatIsInFlightWhenSwitchedOn() throws Exception {
    policy(ChannelPolicy.DEFAULT);
    queue.publish("a", "b", "c", "d");
    Delivery a = pollOne(channel, client);
    Delivery b = pollOne(channel, client);
    Delivery c = pollOne(channel, client);
    channel.requeueMessage(client, b.id(), 0);
    policy(FixedPolicies.ordered(0, 0));
    assertEquals("", all());
    finish(channel, client, c.id());
    assertEquals("", all());
    channel.requeueMessage(client, a.id(), 0);
    assertEquals("abd", all());
  }

  @Test
  void shouldGoOnWithoutOrderWhenSwitchedOff() throws Exception {
    queue.publish("a", "b", "c");
    channel.requeueMessage(client, pollOne(channel, client).id(), 500);
    policy(ChannelPolicy.DEFAULT);
    assertEquals(List.of("b", "c"), poll(channel, client));
    queue.broker.advance(500);
    assertEquals(List.of("a"), poll(channel, client));
  }

  @Test
  void shouldNotWaitForTheDeadAndTakeThemUpByAge() throws Exception {
    policy(FixedPolicies.ordered(1, 0));
    queue.publish("a", "b", "c");
    channel.requeueMessage(client, pollOne(channel, client).id(), 0);
    Delivery second = pollOne(channel, client);
    assertEquals("b", second.body());
    assertEquals(1, channel.redrive(null, 10));
    finish(channel, client, second.id());
    assertEquals("ac", all());
  }

  @Test
  void shouldPassTheExpired() throws Exception {
    policy(FixedPolicies.ordered(0, 1000));
    queue.publish("a", "b");
    queue.broker.advance(1001);
    queue.publish("c");
    assertEquals("c", all());
    assertEquals(2, channel.figures().expiredCount());
  }

  @Test
  void shouldShowWhatIsNextFirst() throws Exception {
    queue.publish("a", "b", "c");
    channel.requeueMessage(client, pollOne(channel, client).id(), 0);
    List<Integer> attempts =
        queue.topic().peek().first(channel, Waiting.State.READY, 3, 10, 100).stream()
            .map(PeekedMessage::attempts)
            .toList();
    assertEquals(List.of(1, 0, 0), attempts);
  }
}
