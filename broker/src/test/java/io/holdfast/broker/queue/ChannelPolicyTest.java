package io.holdfast.broker.queue;

import static io.holdfast.broker.queue.QueueFixture.consumer;
import static io.holdfast.broker.queue.QueueFixture.finish;
import static io.holdfast.broker.queue.QueueFixture.poll;
import static io.holdfast.broker.queue.QueueFixture.pollOne;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.holdfast.broker.policy.ChannelPolicy.Backoff;
import io.holdfast.broker.queue.FakeConsumer.Delivery;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What msg_timeout, max_in_flight and requeue_backoff of a channel do to its deliveries. */
class ChannelPolicyTest {
  @TempDir Path dir;

  private QueueFixture queue;
  private Channel channel;
  private FakeConsumer client;

  @BeforeEach
  void start() throws Exception {
    queue = QueueFixture.create(dir.resolve("q"), 100);
    channel = queue.topic().channel("c");
    client = consumer(channel);
  }

  @AfterEach
  void stop() throws Exception {
    queue.close();
  }

  private void policy(long msgTimeoutMs, int maxInFlight, Backoff backoff) {
    queue.broker.policies.channel = FixedPolicies.deliveries(msgTimeoutMs, maxInFlight, backoff);
    queue.topic().refreshPolicies();
  }

  @Test
  void shouldTimeOutAsTheChannelSaysForWhoAskedForNothing() throws Exception {
    policy(1000, 0, Backoff.NONE);
    client.msgTimeoutNs = TimeUnit.SECONDS.toNanos(60);
    FakeConsumer asking = consumer(channel);
    asking.msgTimeoutNs = TimeUnit.SECONDS.toNanos(5);
    client.asked = false;
    queue.publish("a", "b");
    Delivery touched = pollOne(channel, client);
    pollOne(channel, asking);
    queue.broker.advance(900);
    assertEquals(Outcome.OK, channel.touchMessage(client, touched.id()));
    queue.broker.advance(900);
    assertEquals(0, channel.figures().timeoutCount());
    queue.broker.advance(200);
    assertEquals(1, channel.figures().timeoutCount());
    assertEquals(1, asking.inFlight().size());
    queue.broker.advance(3000);
    assertEquals(2, channel.figures().timeoutCount());
  }

  @Test
  void shouldBoundWhatAllConsumersHaveTogether() throws Exception {
    policy(0, 3, Backoff.NONE);
    FakeConsumer other = consumer(channel);
    queue.publish("a", "b", "c", "d", "e");
    Delivery first = pollOne(channel, client);
    assertEquals(List.of("b", "c"), poll(channel, other));
    assertEquals(List.of(), poll(channel, client));
    assertEquals(List.of(), poll(channel, other));
    int wakes = client.wakes + other.wakes;
    finish(channel, client, first.id());
    assertEquals(wakes + 1, client.wakes + other.wakes, "woken by the end of a delivery");
    assertEquals(List.of("d"), poll(channel, client));
    // Raised: whoever waits is told.
    wakes = client.wakes;
    policy(0, 4, Backoff.NONE);
    assertEquals(wakes + 1, client.wakes);
    assertEquals(List.of("e"), poll(channel, client));
  }

  @Test
  void shouldWakeAWaitingConsumerAlsoWhenTheMessageIsDeferred() throws Exception {
    policy(0, 1, Backoff.NONE);
    queue.publish("a", "b");
    Delivery first = pollOne(channel, client);
    poll(channel, client);
    int wakes = client.wakes;
    channel.requeueMessage(client, first.id(), 1000);
    assertEquals(wakes + 1, client.wakes);
    assertEquals(List.of("b"), poll(channel, client));
  }

  @Test
  void shouldDeferLongerAfterEachAttempt() throws Exception {
    policy(0, 0, new Backoff(1000, 3000));
    queue.publish("a");
    for (long delayMs : new long[] {1000, 2000, 3000, 3000}) {
      Delivery delivery = pollOne(channel, client);
      channel.requeueMessage(client, delivery.id(), 0);
      assertEquals(1, channel.figures().deferredCount());
      queue.broker.advance(delayMs - 1);
      assertEquals(List.of(), poll(channel, client));
      queue.broker.advance(1);
    }
    // A delay of its own is kept, and a timeout counts as REQ 0.
    channel.requeueMessage(client, pollOne(channel, client).id(), 10);
    queue.broker.advance(10);
    client.msgTimeoutNs = TimeUnit.SECONDS.toNanos(1);
    pollOne(channel, client);
    queue.broker.advance(1000);
    assertEquals(1, channel.figures().timeoutCount());
    assertEquals(1, channel.figures().deferredCount());
  }

  @Test
  void shouldNotDeferWhatALostConnectionHad() throws Exception {
    policy(0, 0, new Backoff(1000, 3000));
    queue.publish("a");
    pollOne(channel, client);
    channel.removeClient(client);
    assertEquals(0, channel.figures().deferredCount());
    assertEquals(1, channel.figures().depth());
  }

  @Test
  void shouldKeepTheRemainingBackoffOverARestart() throws Exception {
    policy(0, 0, new Backoff(1000, 3000));
    queue.publish("a");
    channel.requeueMessage(client, pollOne(channel, client).id(), 0);
    queue.broker.advance(400);
    queue.broker.start();
    channel = queue.topic().existingChannel("c");
    client = consumer(channel);
    assertEquals(1, channel.figures().deferredCount());
    queue.broker.advance(600);
    assertEquals(2, pollOne(channel, client).attempts());
  }

  @Test
  void shouldBeReadyAtOnceWhereNoMoreMayBeDeferred() throws Exception {
    policy(0, 0, new Backoff(1000, 3000));
    queue.publish("a", "b", "c", "d", "e", "f", "g");
    for (int i = 0; i <= QueueFixture.MAX_DEFERRED; i++) {
      channel.requeueMessage(client, pollOne(channel, client).id(), 0);
    }
    assertEquals(QueueFixture.MAX_DEFERRED, channel.figures().deferredCount());
    assertEquals(2, channel.figures().depth());
  }

  @Test
  void shouldTakeBackWhatCannotBeWrittenDown() throws Exception {
    channel.setHandPolicy(Map.of("max_in_flight", "3"));
    assertEquals(Map.of("max_in_flight", "3"), channel.handPolicy());
    queue.topic().setHandPolicy(Map.of("max_depth", "3"));
    queue.broker.crashInWrite(1, false);
    assertThrows(
        SimulatedBroker.SimulatedCrash.class,
        () -> channel.setHandPolicy(Map.of("max_in_flight", "4")));
    assertEquals(Map.of("max_in_flight", "3"), channel.handPolicy());
    queue.broker.crashInWrite(1, false);
    assertThrows(
        SimulatedBroker.SimulatedCrash.class,
        () -> queue.topic().setHandPolicy(Map.of("max_depth", "4")));
    assertEquals(Map.of("max_depth", "3"), queue.topic().handPolicy());
  }
}
