package io.holdfast.broker.queue;

import static io.holdfast.broker.queue.QueueFixture.consumer;
import static io.holdfast.broker.queue.QueueFixture.finish;
import static io.holdfast.broker.queue.QueueFixture.poll;
import static io.holdfast.broker.queue.QueueFixture.pollOne;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.holdfast.broker.policy.ChannelPolicy;
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

/** A channel is put to another position, or begins at one. */
class ChannelRewindTest {
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
    open();
  }

  private void open() throws Exception {
    channel = queue.topic().channel("c");
    client = consumer(channel);
  }

  @AfterEach
  void stop() throws Exception {
    queue.close();
  }

  private void restart() throws Exception {
    queue.broker.start();
    open();
  }

  private void expect(long depth, long inFlight, long deferred, long dead) {
    ChannelFigures figures = channel.figures();
    assertEquals(depth, figures.depth(), "depth");
    assertEquals(inFlight, figures.inFlightCount(), "in flight");
    assertEquals(deferred, figures.deferredCount(), "deferred");
    assertEquals(dead, figures.deadCount(), "dead");
  }

  private Delivery finishOne() throws Exception {
    Delivery delivery = pollOne(channel, client);
    finish(channel, client, delivery.id());
    return delivery;
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 1, 0})
  void shouldHaveEverythingAgainFromTheStart(int memQueueSize) throws Exception {
    queue.close();
    start(memQueueSize);
    queue.publish("a", "b", "c", "d");
    Delivery a = finishOne();
    finishOne();
    Delivery c = pollOne(channel, client);
    Rewound rewound = queue.topic().rewind("c", Position.START);
    assertEquals(new Rewound(a.id(), a.timestampNs(), 4, 0), rewound);
    assertEquals(Outcome.NOT_IN_FLIGHT, finish(channel, client, c.id()));
    expect(4, 0, 0, 0);
    assertEquals(4, channel.figures().messageCount());
    queue.publish("e");
    assertEquals(1, pollOne(channel, client).attempts());
    assertEquals(List.of("b", "c", "d", "e"), poll(channel, client));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldBeOnDiskWhole(boolean checkpoint) throws Exception {
    queue.publish("a", "b", "c");
    for (int i = 0; i < 3; i++) {
      finishOne();
    }
    queue.publish("d");
    queue.topic().rewind("c", Position.START);
    finishOne();
    if (checkpoint) {
      queue.broker.housekeep(true);
    }
    restart();
    assertEquals(List.of("b", "c", "d"), poll(channel, client));
  }

  @Test
  void shouldSkipForward() throws Exception {
    queue.publish("a", "b", "c", "d");
    pollOne(channel, client);
    Delivery b = pollOne(channel, client);
    channel.requeueMessage(client, b.id(), 60_000);
    Rewound rewound = queue.topic().rewind("c", Position.END);
    assertEquals(new Rewound(null, null, 0, 4), rewound);
    expect(0, 0, 0, 0);
    queue.publish("e");
    restart();
    assertEquals(List.of("e"), poll(channel, client));
  }

  @Test
  void shouldGoToAMessageOrATime() throws Exception {
    queue.publish("a", "b");
    queue.broker.advance(1000);
    queue.publish("c");
    long atNs = TimeUnit.MILLISECONDS.toNanos(queue.broker.wallMs());
    Delivery a = finishOne();
    Delivery b = finishOne();
    finishOne();
    assertEquals(b.id(), queue.topic().rewind("c", Position.id(b.id())).id());
    assertEquals(List.of("b", "c"), poll(channel, client));
    Rewound later = queue.topic().rewind("c", Position.time(atNs - 1));
    assertEquals(atNs, later.timestampNs());
    assertEquals(1, later.ready());
    assertEquals(3, queue.topic().rewind("c", Position.time(0)).ready());
    assertNull(queue.topic().rewind("c", Position.time(atNs + 1)).id());
    for (long unknown : new long[] {a.id() - 1024, a.id() + 3 * 1024, a.id() + 1, 0}) {
      assertThrows(
          UnknownMessageException.class, () -> queue.topic().rewind("c", Position.id(unknown)));
    }
  }

  @Test
  void shouldTreatEachMessageByItsPlace() throws Exception {
    queue.broker.policies.channel = FixedPolicies.attempts(2, ChannelPolicy.KEEP, 10);
    queue.topic().refreshPolicies();
    queue.publish("dead1", "ready1");
    for (int i = 0; i < 2; i++) {
      channel.requeueMessage(client, pollOne(channel, client).id(), 0);
      if (i == 0) {
        finishOne();
      }
    }
    expect(0, 0, 0, 1);
    queue.publish("from", "requeued", "flight", "dead2");
    QueueFixture.publish(queue.topic(), 60_000, "scheduled");
    Delivery from = finishOne();
    Delivery requeued = pollOne(channel, client);
    channel.requeueMessage(client, requeued.id(), 60_000);
    pollOne(channel, client);
    channel.requeueMessage(client, pollOne(channel, client).id(), 0);
    channel.requeueMessage(client, pollOne(channel, client).id(), 0);
    expect(0, 1, 2, 2);
    Rewound rewound = queue.topic().rewind("c", Position.id(from.id()));
    assertEquals(5, rewound.ready());
    assertEquals(0, rewound.skipped());
    expect(4, 0, 1, 1);
    restart();
    expect(4, 0, 1, 1);
    assertEquals(List.of("from", "requeued", "flight", "dead2"), poll(channel, client));
    queue.broker.advance(59_999);
    assertEquals(1, channel.figures().deferredCount());
  }

  @Test
  void shouldReachMessagesThatStandInCopies() throws Exception {
    queue.publish("old");
    Delivery old = pollOne(channel, client);
    channel.requeueMessage(client, old.id(), 3_600_000);
    String filler = "x".repeat(5000);
    for (int i = 0; i < 60; i++) {
      queue.publish(filler, filler);
      finishOne();
      finishOne();
    }
    queue.broker.advance(60_000);
    queue.broker.housekeep(false);
    queue.publish("new");
    Rewound rewound = queue.topic().rewind("c", Position.START);
    assertEquals(old.id(), rewound.id());
    assertEquals("old", pollOne(channel, client).body());
    restart();
    assertEquals("old", pollOne(channel, client).body());
    assertEquals(old.id(), queue.topic().rewind("c", Position.time(old.timestampNs())).id());
  }

  @Test
  void shouldBeginWhereItIsAsked() throws Exception {
    queue.publish("a", "b");
    finishOne();
    finishOne();
    Channel fromStart = queue.topic().channel("s", Position.START);
    assertEquals(2, fromStart.figures().depth());
    assertEquals(0, queue.topic().channel("e", Position.END).figures().depth());
    assertEquals(0, queue.topic().channel("n").figures().depth());
    queue.publish("c");
    // Again: nothing moves.
    assertEquals(3, queue.topic().channel("s", Position.END).figures().depth());
    queue.broker.start();
    fromStart = queue.topic().channel("s");
    assertEquals(List.of("a", "b", "c"), poll(fromStart, consumer(fromStart)));
    assertEquals(1, queue.topic().channel("e").figures().depth());
  }

  @Test
  void shouldBeginWhereItIsAskedBeforeWhatTheTopicKept() throws Exception {
    queue.broker.createTopic("kept");
    Topic topic = queue.broker.topic("kept");
    QueueFixture.publish(topic, 0, "a", "b");
    Channel end = topic.channel("end", Position.END);
    assertEquals(0, end.figures().depth());
    assertEquals(0, topic.depth());
    QueueFixture.publish(topic, 0, "c");
    queue.broker.start();
    end = queue.broker.topic("kept").channel("end");
    assertEquals(List.of("c"), poll(end, consumer(end)));
  }

  @Test
  void shouldLeaveWhatAPausedTopicKeepsForLater() throws Exception {
    queue.publish("a");
    finishOne();
    queue.topic().pause();
    queue.publish("b");
    assertEquals(1, queue.topic().rewind("c", Position.START).ready());
    queue.topic().unpause();
    assertEquals(List.of("a", "b"), poll(channel, client));
  }

  @Test
  void shouldRewindAnOrderedChannel() throws Exception {
    queue.broker.policies.channel = FixedPolicies.ordered(0, 0);
    queue.topic().refreshPolicies();
    queue.publish("a", "b");
    finishOne();
    Delivery b = pollOne(channel, client);
    queue.topic().rewind("c", Position.START);
    assertEquals(Outcome.NOT_IN_FLIGHT, finish(channel, client, b.id()));
    assertEquals("a", finishOne().body());
    assertEquals("b", finishOne().body());
  }

  @Test
  void shouldCountAsDeferredWhatItOnlyReadsAgain() throws Exception {
    queue.publish("a");
    QueueFixture.publish(queue.topic(), 3_600_000, "later");
    queue.publish("b");
    channel.empty();
    expect(0, 0, 0, 0);
    assertEquals(3, queue.topic().rewind("c", Position.START).ready());
    expect(2, 0, 1, 0);
    queue.topic().rewind("c", Position.START);
    expect(2, 0, 1, 0);
    restart();
    expect(2, 0, 1, 0);
    assertEquals(List.of("a", "b"), poll(channel, client));
    ChannelFigures other = queue.topic().channel("new", Position.START).figures();
    assertEquals("2 1", other.depth() + " " + other.deferredCount());
  }
}
