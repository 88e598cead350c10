package io.holdfast.broker.core;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.config.Options;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a crash right after an answer finds in the metadata file. */
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
        String metadata = Files.readString(dir.resolve("meta.json"));
        assertTrue(metadata.contains("\"topic-" + i + '"'), metadata);
      }
    } finally {
      broker.exit();
    }
  }
}
