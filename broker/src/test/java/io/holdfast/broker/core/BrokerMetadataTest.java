package io.holdfast.broker.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.config.Options;
import io.holdfast.broker.queue.Topic;
import io.holdfast.storage.inspect.DataDirView;
import io.holdfast.storage.topic.Metadata;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
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

  /** Each change says which topic it is of; none may be left out. */
  @Test
  void shouldSayAfterEachChangeWhatThereIs() throws Exception {
    Broker broker = new Broker(Options.builder().set("data-path", dir.toString()).build());
    try {
      Topic topic = broker.topic("a");
      agrees(broker);
      Topic other = broker.topic("b");
      topic.channel("c");
      topic.channel("d");
      // A channel is written soon, its topic's next change at once.
      topic.pause();
      agrees(broker);
      topic.setHandPolicy(Map.of("order", "strict"));
      agrees(broker);
      topic.deleteChannel("c");
      agrees(broker);
      topic.unpause();
      topic.existingChannel("d").pause();
      agrees(broker);
      topic.deleteChannel("d");
      other.channel("e");
      other.deleteChannel("e");
      agrees(broker);
      broker.deleteTopic("b");
      agrees(broker);
    } finally {
      broker.exit();
    }
  }

  private void agrees(Broker broker) throws Exception {
    String found = said(DataDirView.open(dir).metadata());
    String wanted = said(broker.context().topics().inFile().all());
    assertEquals(wanted, found);
  }

  private static String said(Metadata metadata) {
    return metadata.topics().stream()
        .map(topic -> topic.toString().replace("skipped=[]", "skipped=null"))
        .sorted()
        .collect(Collectors.joining("\n"));
  }
}
