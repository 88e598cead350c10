package io.holdfast.broker.queue;

import static io.holdfast.broker.queue.QueueFixture.consumer;
import static io.holdfast.broker.queue.QueueFixture.finish;
import static io.holdfast.broker.queue.QueueFixture.pollOne;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A topic at rest is looked after now and then, one in use in each turn of housekeeping. */
class UpkeepTurnsTest {
  private static final int CYCLES = 5;

  @TempDir Path dir;

  private QueueFixture queue;
  private Topic topic;
  private Channel channel;

  @BeforeEach
  void start() throws Exception {
    queue = QueueFixture.create(dir.resolve("data"), 100);
    topic = queue.topic();
    channel = topic.channel("c");
  }

  @AfterEach
  void stop() throws Exception {
    queue.close();
  }

  /** As the housekeeping thread does. */
  private boolean turn() throws IOException {
    boolean isDue = topic.needsHousekeeping();
    if (isDue) {
      topic.housekeep(queue.broker.nanos());
    }
    return isDue;
  }

  private int turns(int count) throws IOException {
    int due = 0;
    for (int i = 0; i < count; i++) {
      due += turn() ? 1 : 0;
    }
    return due;
  }

  private void rest() throws IOException {
    turns(2 * UpkeepTurns.RESTING);
    assertEquals(CYCLES, turns(CYCLES * UpkeepTurns.RESTING), "turns of a topic at rest");
  }

  @Test
  void shouldNeedTheFirstTurn() throws Exception {
    assertTrue(turn());
  }

  @Test
  void shouldNeedOneTurnInSomeAtRest() throws Exception {
    rest();
  }

  @Test
  void shouldNeedTheNextTurnAfterWhateverBecameOfMessages() throws Exception {
    FakeConsumer client = consumer(channel);
    rest();
    queue.publish("a", "b");
    assertTrue(turn(), "published");
    rest();
    FakeConsumer.Delivery first = pollOne(channel, client);
    assertTrue(turn(), "delivered");
    rest();
    assertEquals(Outcome.OK, finish(channel, client, first.id()));
    assertTrue(turn(), "finished");
    rest();
    channel.empty();
    assertTrue(turn(), "emptied");
    rest();
  }

  @Test
  void shouldNeedTheNextTurnWithAnotherChannel() throws Exception {
    rest();
    topic.channel("d");
    assertTrue(turn(), "made");
    rest();
    topic.deleteChannel("d");
    assertTrue(turn(), "deleted");
    rest();
  }

  @Test
  void shouldNeedEachTurnUntilOneIsThrough() throws Exception {
    rest();
    queue.publish("a");
    for (int i = 0; i < CYCLES; i++) {
      // As when it fails.
      assertTrue(topic.needsHousekeeping());
    }
    assertTrue(turn());
    rest();
  }
}
