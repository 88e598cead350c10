package io.holdfast.storage.topic;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.holdfast.storage.topic.Metadata.ChannelEntry;
import io.holdfast.storage.topic.Metadata.Skipped;
import io.holdfast.storage.topic.Metadata.TopicEntry;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MetadataTextTest {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private final MetadataText text = MetadataFile.text();

  @Test
  void shouldWriteWhatJacksonWritesOfTheWhole() throws IOException {
    assertWritten(new Metadata(1, 4711, List.of()));
    TopicEntry plain = new TopicEntry("t", 5, false, -1, List.of());
    assertWritten(new Metadata(1, 4712, List.of(plain)));
    TopicEntry full =
        new TopicEntry(
            "u",
            6,
            true,
            12,
            List.of(
                new ChannelEntry("c", true, Map.of("dead_letter", "a \"quoted\" ä\n")),
                new ChannelEntry("d", false)),
            7,
            1023,
            List.of(new Skipped(3, 5), new Skipped(6, 7)),
            Map.of("retain_for", "1h", "max_depth", "5"));
    assertWritten(new Metadata(2, 4713, List.of(plain, full)));
    assertWritten(new Metadata(2, 4713, List.of(full, plain)));
  }

  @Test
  void shouldFollowEachChange() throws IOException {
    Random random = new Random(4711);
    List<TopicEntry> topics = new ArrayList<>();
    for (int write = 0; write < 200; write++) {
      int at = random.nextInt(topics.size() + 1);
      boolean added = at == topics.size();
      TopicEntry changed =
          new TopicEntry(
              added ? "t" + write : topics.get(at).name(),
              write,
              random.nextBoolean(),
              -1,
              List.of(),
              0,
              1,
              null);
      if (added) {
        topics.add(changed);
      } else if (random.nextInt(3) == 0) {
        topics.remove(at);
      } else {
        topics.set(at, changed);
      }
      assertWritten(new Metadata(1, write, List.copyOf(topics)));
    }
  }

  /** Also that its checksum is what a reader makes of it. */
  private void assertWritten(Metadata metadata) throws IOException {
    byte[] written = text.of(metadata);
    ObjectNode tree = (ObjectNode) JSON.readTree(written);
    String checksum = tree.remove("crc32c").asText();
    ObjectNode whole = JSON.valueToTree(metadata);
    whole.put("crc32c", checksum);
    assertEquals(JSON.writeValueAsString(whole), new String(written, UTF_8));
    List<String> setAside = new ArrayList<>();
    assertNotNull(MetadataFile.parse(written, setAside), "checksum");
    assertEquals(List.of(), setAside);
  }
}
