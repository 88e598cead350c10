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
import io.holdfast.storage.topic.DataDir;
import io.holdfast.tools.ToolRun;
import java.io.DataInputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DataCommandsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path temp;
  private Path dir;
  private SampleDir sample;

  @BeforeEach
  void makeDir() throws Exception {
    dir = temp.resolve("data");
    sample = SampleDir.create(dir);
  }

  private ToolRun run(String command, String... more) {
    List<String> args = new ArrayList<>(List.of(command, dir.toString()));
    args.addAll(List.of(more));
    return ToolRun.start("", args.toArray(String[]::new));
  }

  private List<JsonNode> rows(String command, String... more) throws Exception {
    List<String> args = new ArrayList<>(List.of(more));
    args.addAll(List.of("--format", "json"));
    ToolRun run = run(command, args.toArray(String[]::new));
    assertEquals(0, run.code(), run.err());
    // One object a line, the last one too: wc -l counts them.
    assertTrue(run.out().isEmpty() || run.out().endsWith("\n"), run.out());
    List<JsonNode> rows = new ArrayList<>();
    for (String line : run.out().lines().toList()) {
      rows.add(JSON.readTree(line));
    }
    return rows;
  }

  private static List<String> bodies(List<JsonNode> rows) {
    return rows.stream().map(row -> row.path("body").asText()).toList();
  }

  @Test
  void shouldDumpMessagesWithWhatTheChannelsMadeOfThem() throws Exception {
    List<JsonNode> rows = rows("dump", "--node-id", "5");
    assertEquals(103, rows.size());
    JsonNode seven = rows.get(3 + 7);
    assertEquals("m7", seven.path("body").asText());
    assertEquals(7, seven.path("ordinal").asLong());
    assertEquals("%016x".formatted(1007L << 10 | 5), seven.path("id").asText());
    assertEquals("unfinished", seven.path("channels").path("a").path("state").asText());
    assertEquals(3, seven.path("channels").path("a").path("attempts").asInt());
    assertEquals("ready", seven.path("channels").path("b").path("state").asText());
    assertEquals("finished", rows.get(3 + 8).at("/channels/a/state").asText());
    assertEquals("deferred", rows.get(3 + 20).at("/channels/b/state").asText());
    assertEquals("deferred", rows.get(3 + 55).at("/channels/b/state").asText());
    assertEquals("kept", rows.get(0).path("state").asText());
  }

  @ParameterizedTest
  @ValueSource(strings = {"dump", "summary", "verify", "export -t orders"})
  @Timeout(20)
  void shouldNotWaitAtANamedPipe(String command) throws Exception {
    String[] words = command.split(" ");
    String[] more = Arrays.copyOfRange(words, 1, words.length);
    for (Path file : List.of(sample.journalFile(), dir.resolve("meta.json"))) {
      Files.delete(file);
      assertEquals(0, new ProcessBuilder("mkfifo", file.toString()).start().waitFor());
      ToolRun run = run(words[0], more);
      assertEquals(2, run.code());
      String said = run.err() + run.out();
      assertTrue(said.contains(file + " is neither a regular file nor a directory"), said);
    }
  }

  /** As a power cut of a broker in {@code synced} with many topics leaves it. */
  private void losePower() throws Exception {
    Files.createDirectory(dir.resolve("redo"));
    Files.copy(sample.journalFile(), dir.resolve("redo/19700101-000001.cq4"));
    Files.writeString(dir.resolve("holdfast.lock"), "4711\nanother boot\n");
  }

  @ParameterizedTest
  @CsvSource({
    "dump, 0",
    "summary, 0",
    "summary --format json, 0",
    "export -t orders, 1",
    "export -t orders -c a --format length, 1"
  })
  void shouldSayThatMessagesMayBeMissingAfterAPowerCut(String command, int code) throws Exception {
    losePower();
    String[] words = command.split(" ");
    ToolRun run = run(words[0], Arrays.copyOfRange(words, 1, words.length));
    assertEquals(code, run.code(), run.err());
    assertTrue(run.err().contains("warning: " + DirOptions.COPIES), run.err());
    assertFalse(run.out().isEmpty());
  }

  @Test
  void shouldMendNoCopyOfWhatThePowerCutLeft() throws Exception {
    losePower();
    ToolRun check = run("verify");
    assertEquals(0, check.code(), check.err());
    assertTrue(check.out().contains("redo"), check.out());
    ToolRun run = run("verify", "--repair", temp.resolve("mended").toString());
    assertEquals(1, run.code());
    assertTrue(run.err().contains(DirOptions.COPIES), run.err());
    assertFalse(Files.exists(temp.resolve("mended")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"dump", "summary", "verify", "export -t orders"})
  void shouldNotWarnOfWhatIsInItsTopics(String command) throws Exception {
    losePower();
    Files.delete(dir.resolve("redo/19700101-000001.cq4"));
    String[] words = command.split(" ");
    ToolRun run = run(words[0], Arrays.copyOfRange(words, 1, words.length));
    assertEquals(0, run.code(), run.err());
    assertFalse(run.err().contains("warning"), run.err());
  }

  @Test
  void shouldFindTheBodyWhereTheRowSays() throws Exception {
    JsonNode row = rows("dump", "-t", "orders", "--limit", "12").get(11);
    try (RandomAccessFile file =
        new RandomAccessFile(dir.resolve(row.path("file").asText()).toFile(), "r")) {
      file.seek(row.path("body_offset").asLong());
      byte[] body = new byte[row.path("size").asInt()];
      file.readFully(body);
      assertEquals("m11", new String(body, StandardCharsets.UTF_8));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'-t orders', 100",
    "'-t lonely --state kept', 3",
    "'-t orders -c a --state finished', 89",
    "'-c a --state unfinished', 1",
    "'-c b --state deferred', 11",
    "'--state ready -c a', 10",
    "'--id 00000000000fbc00', 1",
    "'--id 0000000000000001', 0",
    "'--until 1h', 0",
    "'--since 1h --limit 4', 4",
    "'--until 2001-02-03', 0",
    "'--since 2001-02-03', 103",
    "'--show batches', 11",
    "'--show ledger', 3",
    "'--show ledger -c b', 1",
  })
  void shouldFilter(String options, int rows) throws Exception {
    assertEquals(rows, rows("dump", options.split(" ")).size());
  }

  @Test
  void shouldPrintATable() throws Exception {
    ToolRun run = run("dump", "-t", "orders", "--show", "messages,ledger", "--body", "hex");
    assertEquals(0, run.code(), run.err());
    assertTrue(run.out().contains("a unfinished (3 attempts), b ready"), run.out());
    assertTrue(run.out().contains("finish 0..6, 8..89  topics/orders/channels/a/"), run.out());
    assertTrue(run.out().contains("6d37"), run.out());
  }

  @Test
  void shouldNotChangeAByte() throws Exception {
    Map<String, String> before = SampleDir.fingerprint(dir);
    for (String command :
        List.of("dump", "summary", "verify", "export -t orders", "export -t orders -c a")) {
      String[] parts = command.split(" ", 2);
      ToolRun run = parts.length == 1 ? run(parts[0]) : run(parts[0], parts[1].split(" "));
      assertEquals(0, run.code(), run.err());
    }
    assertEquals(before, SampleDir.fingerprint(dir));
  }

  @Test
  void shouldFollowWhatARunningBrokerAppends() throws Exception {
    try (DataDir open = DataDir.open(dir);
        SyncThread sync = new SyncThread(1000);
        ChronicleJournal journal =
            new ChronicleJournal(
                open.journalDir("orders"), new StorageOptions(1 << 20, 1 << 20, false, 0), sync)) {
      ToolRun run = run("dump", "-t", "orders", "--follow", "--limit", "101");
      Awaitility.await().until(() -> run.out().contains(" m99"));
      ByteBuffer section = ByteBuffer.allocate(8).putInt(4).put(new byte[] {'l', 'a', 't', 'e'});
      journal.append(new Batch(section.flip(), 1, 0));
      assertEquals(0, run.code(), run.err());
      assertTrue(run.out().contains(" late"), run.out());
    }
  }

  @Test
  void shouldSumUp() throws Exception {
    List<JsonNode> rows = rows("summary");
    assertEquals(4, rows.size());
    assertEquals(3, rows.get(0).path("depth").asLong());
    assertEquals(100, rows.get(1).path("messages").asLong());
    assertEquals(0, rows.get(1).path("depth").asLong());
    assertEquals(11, rows.get(2).path("depth").asLong());
    assertEquals(99, rows.get(3).path("depth").asLong());
    assertEquals(1, rows.get(3).path("deferred").asLong());
    assertTrue(rows.get(3).path("paused").asBoolean());
    ToolRun table = run("summary");
    assertEquals(0, table.code());
    assertTrue(table.out().contains("b (paused)"), table.out());
  }

  @Test
  void shouldCountFilesThatWaitToBeUsedAgainAsReclaimable() throws Exception {
    long before = rows("summary", "-t", "orders").get(0).path("reclaimable_bytes").asLong(-1);
    byte[] old = new byte[1 << 20];
    Arrays.fill(old, (byte) 'x');
    Files.write(sample.journalFile().resolveSibling("19700101-000007.spare"), old);
    JsonNode topic = rows("summary", "-t", "orders").get(0);
    assertEquals(before + old.length, topic.path("reclaimable_bytes").asLong());
    assertTrue(topic.path("disk_bytes").asLong() >= old.length, topic::toString);
  }

  @Test
  void shouldExportWhatAChannelHasNotFinished() throws Exception {
    List<JsonNode> rows = rows("export", "-t", "orders", "-c", "a");
    assertEquals(11, rows.size());
    assertEquals(List.of("m7", "m90", "m91"), bodies(rows).subList(0, 3));
    List<JsonNode> b = rows("export", "-t", "orders", "-c", "b");
    assertTrue(b.get(20).path("defer_ms").asLong() > 3_000_000);
    assertTrue(b.get(50).path("defer_ms").asLong() > 3_000_000);
    assertTrue(b.get(0).path("defer_ms").isMissingNode());
  }

  @Test
  void shouldExportLengthPrefixedToANewFileOnly() throws Exception {
    Path file = temp.resolve("out.bin");
    String[] args = {"-t", "orders", "--format", "length", "-o", file.toString()};
    assertEquals(0, run("export", args).code());
    try (DataInputStream in = new DataInputStream(Files.newInputStream(file))) {
      for (int i = 0; i < 100; i++) {
        assertEquals("m" + i, new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8));
      }
      assertEquals(-1, in.read());
    }
    ToolRun again = run("export", args);
    assertEquals(1, again.code());
    assertTrue(again.err().contains("exists already"), again.err());
  }

  @Test
  void shouldFindNothingWrongWithAnIntactDirectory() throws Exception {
    ToolRun run = run("verify");
    assertEquals(0, run.code(), run.out());
    assertTrue(run.out().startsWith("clean: 103 messages"), run.out());
  }

  /** Damage to the record of messages 10 to 19, and how many messages a mended copy can have. */
  @ParameterizedTest
  @CsvSource({
    "body, 93",
    "length too long, 103",
    "length too short, 103",
    "length beyond file, 103",
    "no header, 93",
    "end of file, 93",
    "metadata bit, 103"
  })
  void shouldReportDamageAndMendACopy(String damage, int left) throws Exception {
    long at = sample.recordOffset(1);
    Path file = sample.journalFile();
    switch (damage) {
      case "body" -> SampleDir.overwrite(file, at + 50, 0x12345678);
      case "length too long" -> SampleDir.overwrite(file, at - 4, 5000);
      case "length too short" -> SampleDir.overwrite(file, at - 4, 20);
      case "length beyond file" -> SampleDir.overwrite(file, at - 4, 0x3fff_ffff);
      case "no header" -> SampleDir.overwrite(file, at - 4, 0);
      case "end of file" -> SampleDir.overwrite(file, at - 4, 0xc000_0000);
      default -> SampleDir.overwrite(file, at - 4, 0x4000_0000 | 50);
    }
    Map<String, String> before = SampleDir.fingerprint(dir);
    Path copy = temp.resolve("copy");
    ToolRun run = run("verify", "--repair", copy.toString());
    assertEquals(1, run.code(), run.err());
    assertTrue(run.out().contains("DEFECT " + file + ":"), run.out());
    assertEquals(before, SampleDir.fingerprint(dir));
    dir = copy;
    ToolRun mended = run("verify");
    assertEquals(0, mended.code(), mended.out());
    assertTrue(mended.out().contains("clean: " + left + " messages"), mended.out());
    List<JsonNode> rows = rows("dump", "-t", "orders");
    assertEquals(left - 3, rows.size());
    assertEquals("m99", rows.get(rows.size() - 1).path("body").asText());
    assertEquals(99, rows.get(rows.size() - 1).path("ordinal").asLong());
    assertEquals(3, rows.get(7).at("/channels/a/attempts").asInt());
    assertEquals(11, rows("export", "-t", "orders", "-c", "a").size());
  }

  @Test
  void shouldSayWhatALostTailMeans() throws Exception {
    try (RandomAccessFile file = new RandomAccessFile(sample.journalFile().toFile(), "rw")) {
      file.setLength(sample.recordOffset(2) + 5);
    }
    ToolRun run = run("verify");
    assertEquals(1, run.code(), run.out());
    assertTrue(run.out().contains("the journal ends with 19"), run.out());
    assertTrue(run.out().contains("1 held message(s)"), run.out());
    assertEquals(
        23,
        rows("dump", "--show", "messages").stream()
            .filter(row -> row.path("type").asText().equals("message"))
            .count());
  }

  @Test
  void shouldReportADamagedLedger() throws Exception {
    SampleDir.overwrite(sample.ledgerFile(), Files.size(sample.ledgerFile()) - 8, 0);
    byte[] all = Files.readAllBytes(sample.ledgerFile());
    int magic = 0;
    while (!(all[magic] == 0x48 && all[magic + 1] == 0x4c && all[magic + 2] == 1)) {
      magic++;
    }
    SampleDir.overwrite(sample.ledgerFile(), magic + 20, 77);
    ToolRun run = run("verify");
    assertEquals(1, run.code(), run.out());
    assertTrue(run.out().contains("what it finished is delivered once more"), run.out());
  }

  @Test
  void shouldTakeWhatAKillLeavesForNoDefect() throws Exception {
    Files.createFile(sample.journalFile().resolveSibling("19700101-000009.cq4"));
    Files.createFile(sample.journalFile().resolveSibling("19700101-000010.precreated"));
    Files.deleteIfExists(sample.journalFile().resolveSibling("metadata.cq4t"));
    ToolRun run = run("verify");
    assertEquals(0, run.code(), run.out());
    assertTrue(run.out().contains("2 notes"), run.out());
    assertEquals(100, rows("dump", "-t", "orders").size());
    assertFalse(Files.exists(sample.journalFile().resolveSibling("metadata.cq4t")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"dump", "summary", "verify", "export -t x"})
  void shouldSayInOneLineWhyADirectoryCannotBeRead(String command) throws Exception {
    Path other = Files.createDirectories(temp.resolve("other"));
    int code = command.equals("verify") ? 2 : 1;
    for (Path bad : List.of(temp.resolve("none"), other, sample.journalFile())) {
      dir = bad;
      checkRefused(command, code, bad.equals(other) ? "is not a Holdfast data directory" : "");
    }
    Files.writeString(other.resolve("meta.json"), "{\"format_version\": 99}");
    dir = other;
    checkRefused(command, code, "has format version 99, these tools know up to 2");
    Files.writeString(other.resolve("meta.json"), "{\"format_ver");
    dir = other;
    ToolRun damaged = run("verify");
    assertEquals(1, damaged.code());
    assertTrue(damaged.out().contains("the metadata file is damaged"), damaged.out());
  }

  private void checkRefused(String command, int code, String text) throws Exception {
    String[] parts = command.split(" ", 2);
    ToolRun run = parts.length == 1 ? run(parts[0]) : run(parts[0], parts[1].split(" "));
    assertEquals(code, run.code(), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
    assertTrue(run.err().contains(text), run.err());
    assertEquals("", run.out());
  }

  @Test
  void shouldRefuseTopicsAndChannelsThatAreNotThere() throws Exception {
    for (String[] args :
        List.of(
            new String[] {"dump", "-t", "nope"},
            new String[] {"dump", "-c", "nope"},
            new String[] {"export", "-t", "nope"},
            new String[] {"export", "-t", "orders", "-c", "nope"})) {
      ToolRun run = run(args[0], java.util.Arrays.copyOfRange(args, 1, args.length));
      assertEquals(1, run.code(), run.err());
      assertTrue(run.err().contains("there is no "), run.err());
    }
  }

  @Test
  void shouldRepairOnlyIntoAnEmptyDirectoryElsewhere() throws Exception {
    ToolRun within = run("verify", "--repair", dir.resolve("copy").toString());
    assertEquals(1, within.code(), within.err());
    Path full = Files.createDirectories(temp.resolve("full"));
    Files.createFile(full.resolve("x"));
    ToolRun notEmpty = run("verify", "--repair", full.toString());
    assertEquals(1, notEmpty.code());
    assertTrue(notEmpty.err().contains("is not empty"), notEmpty.err());
  }
}
