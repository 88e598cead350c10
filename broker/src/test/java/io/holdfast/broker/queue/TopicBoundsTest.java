package io.holdfast.broker.queue;

import static io.holdfast.broker.queue.QueueFixture.consumer;
import static io.holdfast.broker.queue.QueueFixture.poll;
import static io.holdfast.broker.queue.QueueFixture.pollOne;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.policy.TopicPolicy;
import io.holdfast.broker.policy.TopicPolicy.WhenFull;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What max_depth, max_bytes and when_full of a topic do to publishes. */
class TopicBoundsTest {
  @TempDir Path dir;

  private QueueFixture queue;

  @BeforeEach
  void start() throws Exception {
    start(100);
  }

  private void start(int memQueueSize) throws Exception {
    queue = QueueFixture.create(dir.resolve("m" + memQueueSize), memQueueSize);
  }

  @AfterEach
  void stop() throws Exception {
    queue.close();
  }

  private void policy(TopicPolicy rules) {
    queue.broker.policies.topic = rules;
    queue.topic().refreshPolicies();
  }

  private void depth(long max, WhenFull whenFull) {
    policy(FixedPolicies.bounds(max, 0, whenFull));
  }

  private String refusal(String... bodies) {
    return assertThrows(TopicFullException.class, () -> queue.publish(bodies)).getMessage();
  }

  @Test
  void shouldRefuseWholePublishesBeyondTheDepth() throws Exception {
    depth(3, WhenFull.REJECT);
    queue.publish("a", "b");
    assertEquals("TOPIC(t) is full: 2 messages waiting, max_depth is 3", refusal("c", "d"));
    assertEquals(2, queue.topic().depth());
    Channel channel = queue.topic().channel("c");
    queue.publish("c");
    assertEquals(
        "TOPIC(t) is full: 3 messages waiting in CHANNEL(c), max_depth is 3", refusal("d"));
    // What is in flight or an ephemeral channel's does not wait.
    queue.topic().channel("e#ephemeral");
    FakeConsumer client = consumer(channel);
    long id = pollOne(channel, client).id();
    queue.publish("d");
    channel.requeueMessage(client, id, 1000);
    assertEquals(
        "TOPIC(t) is full: 4 messages waiting in CHANNEL(c), max_depth is 3", refusal("e"));
    assertEquals(4, queue.topic().rejectedCount());
    assertEquals(4, queue.topic().messageCount());
  }

  @Test
  void shouldRefuseByBytes() throws Exception {
    policy(FixedPolicies.bounds(0, 1000, WhenFull.REJECT));
    queue.topic().channel("c");
    String body = "x".repeat(100);
    for (int i = 0; i < 10; i++) {
      queue.publish(body);
    }
    assertEquals(
        "TOPIC(t) is full: 1000 bytes waiting in CHANNEL(c), max_bytes is 1000", refusal("y"));
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 2, 0})
  void shouldDropTheOldestThatWait(int memQueueSize) throws Exception {
    queue.close();
    start(memQueueSize);
    depth(3, WhenFull.DROP_OLDEST);
    Channel a = queue.topic().channel("a");
    Channel b = queue.topic().channel("b");
    FakeConsumer client = consumer(a);
    queue.publish("1", "2", "3");
    long first = pollOne(a, client).id();
    long second = pollOne(a, client).id();
    a.requeueMessage(client, second, 60_000);
    queue.publish("4", "5");
    // In flight: 1. Waiting: 2 (deferred), 3, 4, 5, of which the oldest goes.
    assertEquals(3, a.figures().depth() + a.figures().deferredCount());
    assertEquals(0, a.figures().deferredCount());
    assertEquals(1, a.figures().droppedCount());
    assertEquals(2, b.figures().droppedCount());
    assertEquals(2, queue.topic().droppedCount());
    a.requeueMessage(client, first, 0);
    assertEquals(4, a.figures().depth(), "nobody is refused to come back");
    queue.publish("6", "7", "8", "9");
    assertEquals(List.of("7", "8", "9"), poll(a, client));
    queue.broker.start();
    b = queue.topic().channel("b");
    assertEquals(List.of("7", "8", "9"), poll(b, consumer(b)));
  }

  @Test
  void shouldDropFromWhatTheTopicKeeps() throws Exception {
    depth(3, WhenFull.DROP_OLDEST);
    queue.publish("1", "2");
    queue.publish("3", "4", "5");
    assertEquals(3, queue.topic().depth());
    assertEquals(2, queue.topic().droppedCount());
    queue.broker.start();
    assertEquals(3, queue.topic().depth());
    Channel channel = queue.topic().channel("c");
    assertEquals(List.of("3", "4", "5"), poll(channel, consumer(channel)));
  }

  @Test
  void shouldBoundWhatAPausedTopicKeeps() throws Exception {
    depth(3, WhenFull.REJECT);
    queue.topic().channel("c");
    queue.publish("1");
    queue.topic().pause();
    queue.publish("2", "3");
    assertEquals(
        "TOPIC(t) is full: 3 messages waiting in CHANNEL(c), max_depth is 3", refusal("4"));
    depth(2, WhenFull.DROP_OLDEST);
    queue.publish("4");
    queue.topic().unpause();
    Channel channel = queue.topic().channel("c");
    assertEquals(List.of("3", "4"), poll(channel, consumer(channel)));
  }

  @Test
  void shouldDropByBytes() throws Exception {
    policy(FixedPolicies.bounds(0, 1000, WhenFull.DROP_OLDEST));
    Channel channel = queue.topic().channel("c");
    String body = "x".repeat(100);
    for (int i = 0; i < 1000; i++) {
      queue.publish(body);
    }
    assertEquals(10, channel.figures().depth());
  }

  /** Also what was there before the policy, or the process: its file takes far more on disk. */
  @Test
  void shouldKnowHowLargeOlderMessagesAre() throws Exception {
    Channel channel = queue.topic().channel("c");
    for (int i = 0; i < 100; i++) {
      queue.publish("x".repeat(100));
    }
    policy(FixedPolicies.bounds(0, 10_100, WhenFull.DROP_OLDEST));
    queue.publish("x".repeat(100));
    assertEquals(101, channel.figures().depth());
    policy(FixedPolicies.bounds(0, 5000, WhenFull.DROP_OLDEST));
    queue.publish("x".repeat(100));
    assertEquals(50, channel.figures().depth());
  }

  @Test
  void shouldKnowTheBytesOfTheNewest() {
    BodyBytes bytes = new BodyBytes(1000, 10);
    long end = 1000;
    for (int i = 0; i < 100_000; i++) {
      bytes.published(++end, i % 2 == 0 ? 50 : 150);
    }
    assertEquals(100 * 100_000, bytes.ofNewest(100_000, end));
    assertEquals(100 * 100_000 + 5000, bytes.ofNewest(100_500, end));
    long some = bytes.ofNewest(5000, end);
    assertTrue(Math.abs(some - 500_000) < 20_000, "5000 have " + some);
    assertEquals(0, bytes.ofNewest(0, end));
    long fitting = bytes.fitting(500_000, end, 100_000);
    assertTrue(Math.abs(fitting - 5000) < 200, "fitting " + fitting);
  }
}
