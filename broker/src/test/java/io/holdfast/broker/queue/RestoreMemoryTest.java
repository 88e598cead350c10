package io.holdfast.broker.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.limits.MemoryPart;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How much memory a start takes for deferred messages. */
class RestoreMemoryTest {
  private static final int TOPICS = 4;
  private static final int BATCH = 2000;
  private static final int BATCHES = 5;
  private static final long HOUR_MS = 3_600_000;

  @TempDir Path dir;

  private SimulatedBroker broker;

  private Topic restored(String name) {
    try {
      return Topic.restore(name, broker, broker.persistedEntry(name), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void shouldRestoreNoMoreThanThereIsRoomForWhenSeveralTopicsAreOpenedAtOnce() throws Exception {
    SimulationSettings settings =
        new SimulationSettings(0, 1 << 20, BATCH * BATCHES, 1 << 20, false);
    broker = new SimulatedBroker(dir, settings, new Random(1));
    String[] bodies = IntStream.range(0, BATCH).mapToObj(i -> "x").toArray(String[]::new);
    for (int t = 0; t < TOPICS; t++) {
      broker.createTopic("t" + t);
      broker.topic("t" + t).channel("c");
      for (int i = 0; i < BATCHES; i++) {
        QueueFixture.publish(broker.topic("t" + t), HOUR_MS, bodies);
      }
    }
    broker.stop();
    MemoryPart references = broker.channelSettings().memory().deferred();
    long roomBytes = BATCH * BATCHES * (long) References.REFERENCE_BYTES;
    references.reserve(references.limitBytes() - references.usedBytes() - roomBytes);

    List<CompletableFuture<Topic>> opening = new ArrayList<>();
    for (int t = 0; t < TOPICS; t++) {
      String name = "t" + t;
      opening.add(
          CompletableFuture.supplyAsync(() -> restored(name), task -> new Thread(task).start()));
    }
    long deferred = 0;
    for (CompletableFuture<Topic> future : opening) {
      Topic topic = future.join();
      ChannelFigures figures = topic.existingChannel("c").figures();
      assertEquals(BATCH * BATCHES, figures.depth() + figures.deferredCount());
      deferred += figures.deferredCount();
      topic.exit(false);
    }
    broker.close();
    // A few there are in any case, and memory is taken in chunks.
    assertTrue(deferred < BATCH * BATCHES * 3 / 2, deferred + " restored");
    assertTrue(deferred >= BATCH * BATCHES, deferred + " restored");
  }
}
