package io.holdfast.broker.queue;

import static io.holdfast.broker.queue.QueueFixture.consumer;
import static io.holdfast.broker.queue.QueueFixture.poll;
import static io.holdfast.broker.queue.QueueFixture.pollOne;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.policy.ChannelPolicy;
import io.holdfast.broker.policy.TopicPolicy;
import io.holdfast.broker.policy.TopicPolicy.WhenFull;
import io.holdfast.broker.queue.FakeConsumer.Delivery;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Dead letters that a policy sends to a topic. */
class DeadLetterMoverTest {
  private static final int ALL = Integer.MAX_VALUE;

  @TempDir Path dir;

  private QueueFixture queue;
  private Channel channel;
  private FakeConsumer client;

  @BeforeEach
  void start() throws Exception {
    queue = QueueFixture.create(dir.resolve("q"), 100);
    open();
    policy(FixedPolicies.attempts(1, "dlt", 1000));
  }

  private void open() throws Exception {
    channel = queue.topic().channel("c");
    client = consumer(channel);
  }

  @AfterEach
  void stop() throws Exception {
    queue.close();
  }

  private void policy(ChannelPolicy rules) {
    queue.broker.policies.channel = rules;
    queue.topic().refreshPolicies();
  }

  private void bound(TopicPolicy rules) {
    queue.broker.policies.topic = rules;
    queue.broker.topics().all().forEach(Topic::refreshPolicies);
  }

  private void die(String... bodies) throws Exception {
    queue.publish(bodies);
    for (int i = 0; i < bodies.length; i++) {
      channel.requeueMessage(client, pollOne(channel, client).id(), 0);
    }
  }

  private List<String> published() throws Exception {
    Channel reader = queue.broker.topic("dlt").channel("r");
    return poll(reader, consumer(reader));
  }

  @Test
  void shouldPublishAndFinish() throws Exception {
    die("a", "b");
    assertEquals(2, channel.figures().deadCount());
    queue.broker.advance(5);
    queue.broker.moveDeadLetters();
    assertEquals(0, channel.figures().deadCount());
    assertEquals(2, channel.figures().deadLetterCount());
    assertEquals(0, channel.figures().deadDroppedCount());
    Channel reader = queue.broker.topic("dlt").channel("r");
    Delivery first = pollOne(reader, consumer(reader));
    assertEquals("a", first.body());
    assertEquals(1, first.attempts());
    assertEquals(queue.broker.wallMs() * 1_000_000, first.timestampNs());
    queue.broker.start();
    open();
    assertEquals(0, channel.figures().deadCount());
    assertEquals(List.of("a", "b"), published());
  }

  @Test
  void shouldPublishAfterAKill() throws Exception {
    die("a", "b");
    queue.broker.start();
    open();
    queue.broker.moveDeadLetters();
    assertEquals(List.of("a", "b"), published());
    queue.broker.start();
    queue.broker.moveDeadLetters();
    assertEquals(List.of("a", "b"), published());
  }

  @Test
  void shouldCreateNoTopicThatAStartHasYetToOpen() throws Exception {
    policy(FixedPolicies.attempts(1, "z", 1000));
    queue.broker.createTopic("z");
    queue.broker.topic("z").channel("r");
    queue.broker.persistMetadata();
    die("a");
    BlockingQueue<Runnable> held = new LinkedBlockingQueue<>();
    Topics topics = queue.broker.begin(held::add);
    CompletableFuture<Void> opened =
        CompletableFuture.runAsync(
            () -> {
              try {
                topics.open();
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    held.take().run();
    await().until(() -> topics.existing("t") != null);
    queue.broker.moveDeadLetters();
    assertEquals(1, held.size(), "only the other topic is being opened");
    held.take().run();
    opened.get(10, TimeUnit.SECONDS);
    assertEquals(1, topic("t").existingChannel("c").figures().deadCount());
    queue.broker.moveDeadLetters();
    assertEquals(0, topic("t").existingChannel("c").figures().deadCount());
    assertEquals(1, topic("z").existingChannel("r").figures().depth());
  }

  private Topic topic(String name) {
    return queue.broker.topic(name);
  }

  @Test
  void shouldPublishAnyNumber() throws Exception {
    String[] many = IntStream.range(0, 700).mapToObj(i -> "m" + i).toArray(String[]::new);
    die(many);
    queue.broker.moveDeadLetters();
    assertEquals(0, channel.figures().deadCount());
    Channel reader = queue.broker.topic("dlt").channel("r");
    List<String> came = new ArrayList<>();
    FakeConsumer all = consumer(reader).ready(1000);
    while (came.size() < many.length) {
      came.addAll(poll(reader, all));
    }
    assertEquals(List.of(many), came);
  }

  @Test
  void shouldKeepWhatTheTopicDoesNotTake() throws Exception {
    die("a", "b", "c");
    queue.broker.createTopic("dlt");
    bound(FixedPolicies.bounds(2, 0, WhenFull.REJECT));
    queue.broker.moveDeadLetters();
    assertEquals(1, channel.figures().deadCount());
    assertEquals(2, queue.broker.topic("dlt").depth());
    // Somebody may take it into his own hands.
    assertEquals(1, channel.redrive(null, ALL));
    assertEquals("c", pollOne(channel, client).body());
    channel.removeClient(client);
    bound(TopicPolicy.DEFAULT);
    queue.broker.moveDeadLetters();
    assertEquals(List.of("a", "b", "c"), published());
  }

  @Test
  void shouldKeepWhatHasNoTopicAnyMore() throws Exception {
    die("a");
    policy(FixedPolicies.attempts(1, ChannelPolicy.KEEP, 1000));
    queue.broker.moveDeadLetters();
    assertEquals(1, channel.figures().deadCount());
    queue.broker.start();
    open();
    assertEquals(1, channel.figures().deadCount());
    // It died when there was a topic; what dies now is kept.
    die("b");
    policy(FixedPolicies.attempts(1, "dlt", 1000));
    queue.broker.moveDeadLetters();
    assertEquals(1, channel.figures().deadCount());
    assertEquals(List.of("a"), published());
  }

  @Test
  void shouldKeepWhatIsForItsOwnTopic() throws Exception {
    policy(FixedPolicies.attempts(1, "t", 1000));
    die("a");
    queue.broker.moveDeadLetters();
    assertEquals(1, channel.figures().deadCount());
    assertTrue(channel.isDead(queue.topic().idEnd() * 1024 - 1024 + SimulatedBroker.NODE_ID));
  }
}
