package io.holdfast.broker.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.config.Options;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.queue.PublishListener;
import io.holdfast.broker.queue.Topic;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QueueHistoryTest {
  private static final int ALL = History.KEPT;

  @TempDir Path dir;
  private Broker broker;
  private long seconds;

  @BeforeEach
  void open() throws IOException {
    broker = new Broker(Options.builder().set("data-path", dir.toString()).build());
  }

  @AfterEach
  void close() throws IOException {
    broker.exit();
  }

  private Topic topic(String name) {
    return broker.topicLater(name).join();
  }

  private static void publish(Topic topic, int count) throws Exception {
    ByteBuf section = Unpooled.buffer();
    for (int i = 0; i < count; i++) {
      section.writeInt(1).writeByte('x');
    }
    PublishListener ignored =
        new PublishListener() {
          @Override
          public void onDurable() {}

          @Override
          public void onFailed(String error) {
            throw new AssertionError(error);
          }
        };
    topic.putMessages(section.nioBuffer(), count, 0, 0, ignored);
  }

  private void record(QueueHistory history, int rounds) {
    for (int i = 0; i < rounds; i++) {
      seconds += History.INTERVAL_S;
      history.record(broker.topics(), seconds * 1000, TimeUnit.SECONDS.toNanos(seconds));
    }
  }

  @Test
  void fewAreAllFollowedFromTheirBeginning() throws Exception {
    QueueHistory history = new QueueHistory();
    Topic topic = topic("t");
    record(history, 1);
    publish(topic, 10);
    record(history, 1);
    topic.channel("c");
    record(history, 2);
    Map<String, List<Object>> rows = history.latest(topic, ALL);
    assertEquals(List.of(10_000L, 15_000L, 20_000L), rows.get("time_ms"));
    assertEquals(List.of(2.0, 0.0, 0.0), rows.get("published"));
    assertEquals(10L, rows.get("depth").get(0));
    rows = history.latest(topic.existingChannel("c"), ALL);
    assertEquals(List.of(20_000L), rows.get("time_ms"));
    assertEquals(List.of(10L), rows.get("depth"));
    assertEquals(List.of(20_000L), history.latest(topic, 1).get("time_ms"));
    record(history, 2 * ALL);
    assertEquals(ALL, history.latest(topic, ALL).get("time_ms").size());
  }

  @Test
  void whatIsLookedAtTakesThePlaceOfTheLeastUsed() {
    QueueHistory history = new QueueHistory(2);
    Topic first = topic("a");
    Topic second = topic("b");
    Topic third = topic("c");
    record(history, 1);
    history.latest(first, ALL);
    record(history, 1);
    history.latest(second, ALL);
    record(history, 1);
    assertEquals(0, history.latest(third, ALL).get("time_ms").size());
    record(history, 3);
    assertEquals(2, history.latest(third, ALL).get("time_ms").size());
    assertEquals(5, history.latest(second, ALL).get("time_ms").size());
  }

  @Test
  void whatIsIdleMakesRoomForWhatHasMessages() throws Exception {
    QueueHistory history = new QueueHistory(1);
    topic("idle");
    record(history, 1);
    Topic busy = topic("busy");
    publish(busy, 1);
    record(history, ALL - 1);
    publish(busy, 1);
    record(history, 5);
    assertTrue(history.latest(busy, ALL).get("time_ms").size() > 1);
  }

  @Test
  void whatIsMadeAgainBeginsAnew() throws Exception {
    QueueHistory history = new QueueHistory();
    topic("t");
    record(history, 3);
    broker.deleteTopic("t");
    Topic again = topic("t");
    record(history, 2);
    assertEquals(List.of(25_000L), history.latest(again, ALL).get("time_ms"));
  }
}
