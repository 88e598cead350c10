package io.holdfast.broker.core;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.config.Options;
import io.holdfast.storage.inspect.DataDirView;
import io.holdfast.storage.topic.Metadata;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a crash right after an answer finds in the metadata. */
class BrokerMetadataTest {
  private static final int TOPICS = 20;

  @TempDir Path dir;

  /** The next start would give a topic it does not find there other message ids. */
  @Test
  void shouldKnowTheIdBaseOfATopicBeforeItTakesMessages() throws Exception {
    Broker broker = new Broker(Options.builder().set("data-path", dir.toString()).build());
    try {
      for (int i = 0; i < TOPICS; i++) {
        broker.topic("topic-" + i);
        String name = "topic-" + i;
        Metadata metadata = DataDirView.open(dir).metadata();
        assertTrue(
            metadata.topics().stream().anyMatch(topic -> topic.name().equals(name)),
            () -> name + ": " + metadata);
      }
    } finally {
      broker.exit();
    }
  }
}
