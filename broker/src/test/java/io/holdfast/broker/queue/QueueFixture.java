package io.holdfast.broker.queue;

import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.meters.E2eProcessingLatency;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * A topic on a directory of its own, in a broker whose clock is moved by the test. What channels
 * and topics are tested with; one thread.
 */
public final class QueueFixture implements AutoCloseable {
  static final int MAX_DEFERRED = 5;

  final SimulatedBroker broker;

  private QueueFixture(Path dir, int memQueueSize) throws IOException, BrokerException {
    broker =
        new SimulatedBroker(
            dir,
            new SimulationSettings(memQueueSize, 1 << 20, MAX_DEFERRED, 1 << 16, false),
            new Random(1));
    broker.createTopic("t");
  }

  /**
   * @param memQueueSize 0 for messages that come from the backend
   */
  static QueueFixture create(Path dir, int memQueueSize) throws IOException, BrokerException {
    return new QueueFixture(Files.createDirectories(dir), memQueueSize);
  }

  /** Settings of a channel for which a fault of the disk is a fault of the test. */
  public static ChannelSettings settings(
      ChannelSettings.Clock clock, int memQueueSize, int maxDeferred) {
    return new ChannelSettings(
        memQueueSize,
        1 << 20,
        maxDeferred,
        0,
        TimeUnit.MINUTES.toNanos(1),
        3_600_000,
        clock,
        bound -> 0,
        () -> E2eProcessingLatency.NONE,
        new Topology("", "", false),
        new DeliveryPacing(clock, 0),
        (what, cause) -> {
          throw new AssertionError(what, cause);
        },
        () -> {},
        MemoryBudget.ofThisJvm(0, 0));
  }

  /** A scan without a thread, see {@link #scanNow}. */
  public static QueueScan scan(ChannelSettings.Clock clock) {
    return new QueueScan(clock, false);
  }

  /** What is due by now becomes ready, what is late comes back. */
  public static void scanNow(QueueScan scan, ChannelSettings.Clock clock) {
    scan.scan(clock.nanos());
  }

  Topic topic() {
    return broker.topic("t");
  }

  /** Publishes messages in one command. */
  void publish(String... bodies) throws BrokerException {
    publish(topic(), 0, bodies);
  }

  static void publish(Topic topic, long deferMs, String... bodies) throws BrokerException {
    ByteBuffer section = ByteBuffer.allocate(1 << 16);
    for (String body : bodies) {
      section.putInt(body.length()).put(body.getBytes(StandardCharsets.US_ASCII));
    }
    topic.putMessages(section.flip(), bodies.length, deferMs, 0, null);
  }

  /** A consumer of a channel that takes 100 messages. */
  public static FakeConsumer consumer(Channel channel) throws BrokerException {
    FakeConsumer client = new FakeConsumer();
    channel.addClient(client);
    return client;
  }

  /** Polls as often as the messagePump would; the bodies that came. */
  public static List<String> poll(Channel channel, FakeConsumer client) throws IOException {
    int count;
    do {
      int room = (int) Math.max(0, client.readyRoom());
      count = room == 0 ? 0 : channel.poll(client, room, client, 1 << 16);
    } while (count > 0);
    return client.bodies();
  }

  /** As {@link #poll}, for one message; its delivery. */
  public static FakeConsumer.Delivery pollOne(Channel channel, FakeConsumer client)
      throws IOException {
    int count = channel.poll(client, 1, client, 1 << 16);
    if (count != 1) {
      throw new AssertionError("no message: " + count);
    }
    return client.sent.remove(client.sent.size() - 1);
  }

  /** Answers for one message with FIN. */
  public static Outcome finish(Channel channel, FakeConsumer client, long id) {
    Outcome[] outcomes = new Outcome[1];
    channel.finishMessages(client, new long[] {id}, 1, outcomes);
    return outcomes[0];
  }

  @Override
  public void close() throws IOException {
    broker.close();
    broker.bury();
  }
}
