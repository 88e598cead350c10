package io.holdfast.broker.queue;

import static io.holdfast.broker.queue.QueueFixture.consumer;
import static io.holdfast.broker.queue.QueueFixture.poll;
import static io.holdfast.broker.queue.QueueFixture.publish;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a topic gives its channels, and what it keeps back. */
class TopicTest {
  private static final long HOUR_MS = 3_600_000;

  @TempDir Path dir;

  private QueueFixture queue;
  private Topic topic;

  @BeforeEach
  void start() throws Exception {
    queue = QueueFixture.create(dir, 100);
    topic = queue.topic();
  }

  @AfterEach
  void stop() throws Exception {
    queue.close();
  }

  private void restart() throws Exception {
    queue.broker.persistMetadata();
    queue.broker.start();
    topic = queue.topic();
  }

  private static List<String> drain(Channel channel) throws Exception {
    return poll(channel, consumer(channel));
  }

  @Test
  void shouldGiveEveryChannelEveryMessage() throws Exception {
    topic.channel("a");
    topic.channel("b");
    queue.publish("1", "2");
    queue.publish("3");
    assertEquals(List.of("1", "2", "3"), drain(topic.channel("a")));
    assertEquals(List.of("1", "2", "3"), drain(topic.channel("b")));
    assertEquals(0, topic.depth());
    assertEquals(3, topic.messageCount());
    assertEquals(3, topic.messageBytes());
  }

  @Test
  void shouldKeepMessagesForFirstChannelAlone() throws Exception {
    queue.publish("1", "2");
    assertEquals(2, topic.depth());
    Channel first = topic.channel("a");
    assertEquals(0, topic.depth());
    assertEquals(2, first.figures().depth());
    assertEquals(0, topic.channel("b").figures().depth());
    assertSame(first, topic.channel("a"));
  }

  @Test
  void shouldKeepMessagesThatEphemeralChannelGotAsWell() throws Exception {
    queue.publish("1");
    assertEquals(List.of("1"), drain(topic.channel("x#ephemeral")));
    queue.publish("2");
    assertEquals(2, topic.depth());
    assertEquals(List.of("1", "2"), drain(topic.channel("a")));
    queue.publish("3");
    assertEquals(0, topic.depth());
  }

  @Test
  void shouldKeepMessagesBackWhilePaused() throws Exception {
    final Channel channel = topic.channel("a");
    queue.publish("1");
    topic.pause();
    queue.publish("2");
    assertTrue(topic.isPaused());
    assertEquals(1, topic.depth());
    assertEquals(List.of("1"), drain(channel));
    topic.unpause();
    assertEquals(0, topic.depth());
    assertEquals(List.of("2"), drain(channel));
  }

  @Test
  void shouldGiveChannelMadeDuringPauseWhatIsKeptBack() throws Exception {
    topic.pause();
    queue.publish("1");
    Channel channel = topic.channel("a");
    assertEquals(0, channel.figures().depth());
    assertEquals(1, topic.depth());
    topic.unpause();
    assertEquals(1, channel.figures().depth());
    assertEquals(0, topic.depth());
  }

  @Test
  void shouldKeepBackOverRestart() throws Exception {
    topic.channel("a");
    queue.publish("1");
    topic.pause();
    queue.publish("2");
    restart();
    assertTrue(topic.isPaused());
    assertEquals(1, topic.depth());
    topic.unpause();
    assertEquals(List.of("1", "2"), drain(topic.channel("a")));
  }

  @Test
  void shouldKeepMessagesAgainOnceLastChannelIsDeleted() throws Exception {
    topic.channel("a");
    queue.publish("1");
    assertTrue(topic.deleteChannel("a"));
    assertFalse(topic.deleteChannel("a"));
    assertEquals(0, topic.depth());
    queue.publish("2");
    assertEquals(1, topic.depth());
    restart();
    assertEquals(List.of("2"), drain(topic.channel("b")));
  }

  @Test
  void shouldDropOnlyWhatItKeepsBackWhenEmptied() throws Exception {
    Channel channel = topic.channel("a");
    queue.publish("1");
    topic.empty();
    assertEquals(1, channel.figures().depth());
    topic.pause();
    queue.publish("2");
    topic.empty();
    queue.publish("3");
    assertEquals(1, topic.depth());
    topic.unpause();
    assertEquals(List.of("1", "3"), drain(channel));
  }

  @Test
  void shouldDeferWhatIsPublishedSo() throws Exception {
    Channel channel = topic.channel("a");
    publish(topic, 50, "1");
    queue.publish("2");
    assertEquals(1, channel.figures().deferredCount());
    FakeConsumer client = consumer(channel);
    assertEquals(List.of("2"), poll(channel, client));
    queue.broker.advance(50);
    assertEquals(List.of("1"), poll(channel, client));
  }

  @Test
  void shouldDeferFromPublishNotFromFirstChannel() throws Exception {
    publish(topic, 50, "1");
    queue.broker.advance(30);
    Channel channel = topic.channel("a");
    FakeConsumer client = consumer(channel);
    assertEquals(List.of(), poll(channel, client));
    queue.broker.advance(20);
    assertEquals(List.of("1"), poll(channel, client));
  }

  /** Ready ones around two that wait for an hour, and one that was due at once. */
  private void publishSomeDeferred() throws Exception {
    queue.publish("1");
    publish(topic, HOUR_MS, "later");
    publish(topic, 1, "due");
    queue.publish("2");
    publish(topic, HOUR_MS, "last");
    queue.broker.advance(1);
  }

  private static void assertFound(Channel channel, int ready) {
    ChannelFigures figures = channel.figures();
    assertEquals(
        ready + " 2 " + (ready + 2),
        figures.depth() + " " + figures.deferredCount() + " " + channel.intake().waiting());
  }

  private void drainFound(Channel channel, String... ready) throws Exception {
    FakeConsumer client = consumer(channel);
    assertEquals(List.of(ready), poll(channel, client));
    channel.removeClient(client);
    queue.broker.advance(HOUR_MS);
    assertEquals(0, channel.figures().deferredCount());
    assertEquals(ready.length + 2, channel.figures().depth());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldCountAsDeferredWhatCameBeforeTheFirstChannel(boolean restarts) throws Exception {
    publishSomeDeferred();
    if (restarts) {
      restart();
    }
    assertEquals(5, topic.depth());
    assertFound(topic.channel("a"), 3);
    if (restarts) {
      restart();
    }
    assertFound(topic.channel("a"), 3);
    drainFound(topic.channel("a"), "1", "due", "2");
  }

  @Test
  void shouldCountAsDeferredWhatAnEphemeralChannelGetsAsWell() throws Exception {
    publishSomeDeferred();
    assertFound(topic.channel("x#ephemeral"), 3);
    assertEquals(5, topic.depth());
    assertFound(topic.channel("a"), 3);
    drainFound(topic.channel("a"), "1", "due", "2");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldCountAsDeferredWhatAPausedTopicKept(boolean restarts) throws Exception {
    topic.channel("a");
    queue.publish("0");
    topic.pause();
    publishSomeDeferred();
    topic.channel("b");
    if (restarts) {
      restart();
    }
    assertEquals(0, topic.channel("a").figures().deferredCount());
    topic.unpause();
    assertFound(topic.channel("a"), 4);
    assertFound(topic.channel("b"), 3);
    drainFound(topic.channel("a"), "0", "1", "due", "2");
  }

  @Test
  void shouldDeferNoMoreThanItMayOfWhatCameBefore() throws Exception {
    String[] many = new String[QueueFixture.MAX_DEFERRED + 2];
    Arrays.fill(many, "x");
    publish(topic, HOUR_MS, many);
    queue.publish("ready");
    publish(topic, 2 * HOUR_MS, "y");
    Channel channel = topic.channel("a");
    assertEquals(QueueFixture.MAX_DEFERRED, channel.figures().deferredCount());
    assertEquals(4, channel.figures().depth());
    queue.broker.housekeep(false);
    assertEquals(QueueFixture.MAX_DEFERRED, channel.figures().deferredCount());
    FakeConsumer client = consumer(channel);
    assertEquals(List.of(), poll(channel, client));
    queue.broker.advance(HOUR_MS);
    assertEquals(many.length + 1, poll(channel, client).size());
    queue.broker.housekeep(false);
    assertEquals(1, channel.figures().deferredCount());
    assertEquals(0, channel.figures().depth());
  }

  @Test
  void shouldFindNothingOfWhatWasDropped() throws Exception {
    publishSomeDeferred();
    topic.empty();
    publish(topic, HOUR_MS, "new");
    Channel channel = topic.channel("a");
    assertEquals(1, channel.figures().deferredCount());
    assertEquals(0, channel.figures().depth());
  }

  @Test
  void shouldBoundChannels() throws Exception {
    for (int i = 0; i < SimulatedBroker.MAX_CHANNELS; i++) {
      topic.channel("c" + i);
    }
    BrokerException refused = assertThrows(BrokerException.class, () -> topic.channel("more"));
    assertEquals("TOPIC(t) has its limit of 4 channels", refused.getMessage());
  }

  @Test
  void shouldTakeNothingOnceItEnds() throws Exception {
    topic.channel("a");
    topic.drain();
    assertEquals(
        "exiting", assertThrows(BrokerException.class, () -> queue.publish("1")).getMessage());
    assertEquals(
        "exiting", assertThrows(BrokerException.class, () -> topic.channel("b")).getMessage());
    assertEquals(0, topic.messageCount());
    assertFalse(topic.isExiting());
    topic.exit(false);
    assertTrue(topic.isExiting());
  }

  @Test
  void shouldEndWithLastChannelWhenEphemeral() throws Exception {
    queue.broker.createTopic("e#ephemeral");
    Topic ephemeral = queue.broker.topic("e#ephemeral");
    Channel channel = ephemeral.channel("x#ephemeral");
    FakeConsumer client = consumer(channel);
    assertFalse(ephemeral.exitUnused());
    ephemeral.deleteUnused(channel);
    assertSame(channel, ephemeral.existingChannel("x#ephemeral"), "it has a consumer");
    channel.removeClient(client);
    ephemeral.deleteUnused(channel);
    assertTrue(ephemeral.exitUnused());
    assertTrue(ephemeral.isExiting());
  }
}
