package io.holdfast.tools.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.topic.ChannelBackends;
import io.holdfast.storage.topic.ChronicleBackend;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.storage.topic.DataFormat;
import io.holdfast.storage.topic.Metadata;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import io.holdfast.tools.ToolRun;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A directory with policies, dead letters, redriven messages and rewinds, as the tools see it. */
class DeadLetterDirTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TOPIC = "orders";
  private static final long DIED_MS = 1_700_000_000_000L;
  private static final Map<String, String> POLICY = Map.of("max_attempts", "3");

  @TempDir Path temp;
  private Path dir;
  private final MessageView view = new MessageView();

  /**
   * 20 messages. Channel {@code dead}: 3 and 5 are dead, 5 being too old, 7 is dead and to be
   * published, 8 was redriven, 0 to 2 are finished. {@code rewound}: everything was finished, 4 was
   * dead; then it was rewound to 10, and 11 was finished again.
   */
  @BeforeEach
  void makeDir() throws IOException {
    dir = Files.createDirectory(temp.resolve("data"));
    StorageOptions options = new StorageOptions(1 << 20, 1 << 20, false, 0);
    try (DataDir data = DataDir.open(dir);
        SyncThread sync = new SyncThread(1000)) {
      data.createTopic(TOPIC);
      try (ChronicleJournal journal = new ChronicleJournal(data.journalDir(TOPIC), options, sync)) {
        ChronicleBackend dead = channel(data, journal, sync, "dead");
        ChronicleBackend rewound = channel(data, journal, sync, "rewound");
        for (int i = 0; i < 20; i++) {
          Batch batch = batch("m" + i);
          journal.append(batch);
          dead.put(batch, 0);
          rewound.put(batch, 0);
        }
        makeDead(dead);
        makeRewound(rewound);
        dead.close();
        rewound.close();
      }
      data.writeMetadata(
          new Metadata(
              DataFormat.FIRST,
              1000,
              List.of(
                  new Metadata.TopicEntry(
                      TOPIC,
                      1000,
                      false,
                      -1,
                      List.of(
                          new Metadata.ChannelEntry("dead", false, POLICY),
                          new Metadata.ChannelEntry("rewound", false)),
                      0,
                      7,
                      null,
                      Map.of("max_depth", "5")))));
    }
  }

  private static Batch batch(String body) {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    ByteBuffer section = ByteBuffer.allocate(Integer.BYTES + bytes.length);
    section.putInt(bytes.length).put(bytes);
    return new Batch(section.flip(), 1, 0);
  }

  private static ChronicleBackend channel(
      DataDir data, ChronicleJournal journal, SyncThread sync, String name) throws IOException {
    data.createChannel(TOPIC, name);
    Path ledger = data.channelDir(TOPIC, name);
    return ChannelBackends.open(ledger, journal, sync, false, 0, -1);
  }

  private List<MessageRef> poll(ChronicleBackend backend, int attempts) throws IOException {
    List<MessageRef> refs = new ArrayList<>();
    while (backend.poll(view)) {
      refs.add(
          new MessageRef(
              view.ordinal(),
              view.batchPosition(),
              view.bodyOffset(),
              view.bodyLength(),
              attempts));
    }
    return refs;
  }

  private static OrdinalRanges ranges(long from, long to) {
    OrdinalRanges ranges = new OrdinalRanges();
    ranges.add(from, to);
    return ranges;
  }

  private void makeDead(ChronicleBackend backend) throws IOException {
    List<MessageRef> refs = poll(backend, 3);
    backend.finish(ranges(0, 3));
    backend.hold(
        List.of(
            HeldMessage.dead(refs.get(3), DIED_MS, HeldMessage.Mark.DEAD_ATTEMPTS),
            HeldMessage.dead(refs.get(5), DIED_MS + 1, HeldMessage.Mark.DEAD_EXPIRED),
            HeldMessage.dead(refs.get(7), DIED_MS, HeldMessage.Mark.OUT_ATTEMPTS),
            HeldMessage.dead(refs.get(8), DIED_MS, HeldMessage.Mark.DEAD_ATTEMPTS)));
    refs.get(8).redrive();
    backend.hold(List.of(new HeldMessage(refs.get(8), 0)));
  }

  private void makeRewound(ChronicleBackend backend) throws IOException {
    List<MessageRef> refs = poll(backend, 3);
    HeldMessage dead = HeldMessage.dead(refs.get(4), DIED_MS, HeldMessage.Mark.DEAD_ATTEMPTS);
    backend.finish(ranges(0, 4));
    backend.finish(ranges(5, 20));
    backend.hold(List.of(dead));
    backend.rewind(10, List.of(), List.of(dead));
    backend.force();
    backend.finish(ranges(11, 12));
  }

  private List<JsonNode> rows(Path of, String command, String... more) throws Exception {
    List<String> args = new ArrayList<>(List.of(command, of.toString()));
    args.addAll(List.of(more));
    args.addAll(List.of("--format", "json"));
    ToolRun run = ToolRun.start("", args.toArray(String[]::new));
    assertEquals(0, run.code(), run.err());
    List<JsonNode> rows = new ArrayList<>();
    for (String line : run.out().lines().toList()) {
      rows.add(JSON.readTree(line));
    }
    return rows;
  }

  private static String table(String... args) throws Exception {
    ToolRun run = ToolRun.start("", args);
    assertEquals(0, run.code(), run.err());
    return run.out();
  }

  private static List<String> bodies(List<JsonNode> rows) {
    return rows.stream().map(row -> row.path("body").asText()).toList();
  }

  @Test
  void shouldDumpDeadLettersWithReasonAndTime() throws Exception {
    List<JsonNode> rows = rows(dir, "dump", "--state", "dead", "--channel", "dead");
    assertEquals(List.of("m3", "m5", "m7"), bodies(rows));
    JsonNode five = rows.get(1).path("channels").path("dead");
    assertEquals("dead", five.path("state").asText());
    assertEquals("expired", five.path("reason").asText());
    assertEquals("2023-11-14T22:13:20.001Z", five.path("died").asText());
    assertEquals(3, five.path("attempts").asInt());
    assertEquals("max_attempts", rows.get(0).path("channels").path("dead").path("reason").asText());
    assertEquals(List.of("m3", "m4", "m5", "m7"), bodies(rows(dir, "dump", "--state", "dead")));
    // Neither of these is a dead letter any more.
    List<String> ready = bodies(rows(dir, "dump", "--state", "ready", "--channel", "dead"));
    assertTrue(ready.contains("m8") && !ready.contains("m3") && !ready.contains("m2"));
    String table = table("dump", dir.toString(), "--state", "dead");
    assertTrue(table.contains("dead dead (expired, died "), table);
  }

  @Test
  void shouldDumpTheLedgersRecords() throws Exception {
    List<JsonNode> rows = rows(dir, "dump", "--show", "ledger");
    JsonNode hold =
        rows.stream()
            .filter(row -> row.path("type").asText().equals("hold"))
            .filter(row -> row.path("held").size() == 4)
            .findFirst()
            .get();
    assertTrue(hold.path("held").get(2).path("to_be_published").asBoolean());
    assertEquals("expired", hold.path("held").get(1).path("reason").asText());
    assertFalse(hold.has("generation"));
    assertTrue(
        rows.stream().anyMatch(row -> row.path("held").path(0).path("redriven").asInt() == 1));
    assertTrue(
        rows.stream()
            .anyMatch(
                row ->
                    row.path("type").asText().equals("checkpoint_begin")
                        && row.path("generation").asInt() == 1));
    String table = table("dump", dir.toString(), "--show", "ledger");
    assertTrue(table.contains("(generation 1)"), table);
    assertTrue(table.contains("redriven 1"), table);
    assertTrue(table.contains("to be published"), table);
  }

  @Test
  void shouldSumUpDeadLetters() throws Exception {
    Map<String, String> expected =
        Map.of("dead", "17 14 0 3", "rewound", "10 9 0 1", "", "20 0 0 0");
    for (JsonNode row : rows(dir, "summary")) {
      String figures =
          String.join(
              " ",
              List.of(
                  row.path("messages").asText(),
                  row.path("depth").asText(),
                  row.path("deferred").asText(),
                  row.path("dead").asText()));
      assertEquals(expected.get(row.path("channel").asText("")), figures);
    }
    String table = table("summary", dir.toString());
    assertTrue(table.contains("format 2"), table);
    assertTrue(table.contains(" DEFERRED     DEAD "), table);
  }

  @Test
  void shouldExportDeadLettersOnlyWhenAsked() throws Exception {
    List<JsonNode> waiting = rows(dir, "export", "--topic", TOPIC, "--channel", "dead");
    assertEquals(14, waiting.size());
    assertFalse(bodies(waiting).contains("m3"));
    List<JsonNode> dead =
        rows(dir, "export", "--topic", TOPIC, "--channel", "dead", "--state", "dead");
    assertEquals(List.of("m3", "m5", "m7"), bodies(dead));
    assertEquals("max_attempts", dead.get(0).path("reason").asText());
    assertEquals("2023-11-14T22:13:20Z", dead.get(0).path("died").asText());
    assertEquals(20, rows(dir, "export", "--topic", TOPIC).size());
  }

  @Test
  void shouldFindNothingWrongAndKeepAllInTheMendedCopy() throws Exception {
    Path mended = temp.resolve("mended");
    ToolRun run = ToolRun.start("", "verify", dir.toString(), "--repair", mended.toString());
    assertEquals(0, run.code(), run.out());
    assertTrue(run.out().startsWith("clean: 20 messages"), run.out());
    assertTrue(run.err().contains("no channel loses anything"), run.err());
    assertEquals(0, ToolRun.start("", "verify", mended.toString()).code());
    List<JsonNode> original = rows(dir, "dump");
    List<JsonNode> copy = rows(mended, "dump");
    assertEquals(original.size(), copy.size());
    for (int i = 0; i < copy.size(); i++) {
      assertEquals(original.get(i).path("channels"), copy.get(i).path("channels"));
      assertEquals(original.get(i).path("id"), copy.get(i).path("id"));
    }
    try (DataDir data = DataDir.open(mended)) {
      Metadata metadata = data.readMetadata();
      assertEquals(DataFormat.NEWEST, metadata.formatVersion());
      Metadata.TopicEntry topic = metadata.topics().get(0);
      assertEquals(Map.of("max_depth", "5"), topic.policy());
      assertEquals(POLICY, topic.channels().get(0).policy());
    }
  }

  /** Where the metadata file is lost the ledgers say which format it is. */
  @Test
  void shouldSayTheFormatOfTheMendedCopyAlsoWithoutAMetadataFile() throws Exception {
    Files.delete(dir.resolve("meta.json"));
    Path mended = temp.resolve("mended");
    ToolRun run = ToolRun.start("", "verify", dir.toString(), "--repair", mended.toString());
    assertEquals(0, run.code(), run.out());
    try (DataDir data = DataDir.open(mended)) {
      assertEquals(DataFormat.NEWEST, data.readMetadata().formatVersion());
    }
  }
}
