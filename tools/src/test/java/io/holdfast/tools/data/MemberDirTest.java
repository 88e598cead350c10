package io.holdfast.tools.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.tools.ToolRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The directory of a node of a cluster, as the tools show it. */
class MemberDirTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> GROUPS =
      List.of(
          "group 0: term 3, 1 to 20, snapshot 12, vote b",
          "group 1: term 0, 1 to 0, snapshot 0, vote none");

  @TempDir Path home;
  private MemberDir dir;
  private Map<Path, Long> before;

  @BeforeEach
  void make() throws IOException {
    dir = MemberDir.create(home.resolve("data"));
    before = content();
  }

  /** What a command changed. */
  @AfterEach
  void nothingIsChanged() throws IOException {
    assertEquals(before, content());
  }

  private Map<Path, Long> content() throws IOException {
    Map<Path, Long> content = new TreeMap<>();
    try (Stream<Path> all = Files.walk(dir.root())) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        CRC32 crc = new CRC32();
        crc.update(Files.readAllBytes(file));
        content.put(file, crc.getValue());
      }
    }
    return content;
  }

  private ToolRun run(String command, String... more) throws Exception {
    List<String> args = new ArrayList<>(List.of(command, dir.root().toString()));
    args.addAll(List.of(more));
    ToolRun run = ToolRun.start("", args.toArray(String[]::new));
    run.code();
    return run;
  }

  private static List<JsonNode> rows(ToolRun run) throws Exception {
    assertEquals(0, run.code(), run.err());
    List<JsonNode> rows = new ArrayList<>();
    for (String line : run.out().lines().toList()) {
      rows.add(JSON.readTree(line));
    }
    return rows;
  }

  @Test
  void groupsAreALineEach() throws Exception {
    for (String command : List.of("summary", "dump", "verify")) {
      ToolRun run = run(command);
      assertEquals(0, run.code(), run.err() + run.out());
      assertEquals(
          GROUPS, run.out().lines().filter(line -> line.startsWith("group ")).toList(), command);
    }
    assertTrue(
        run("verify")
            .out()
            .endsWith(
                "clean: 22 messages in 3 records of 2 topics intact;" + " 0 defects, 0 notes\n"));
  }

  @Test
  void summaryHasTheTopicsAndWhatTheSnapshotSaysOfChannels() throws Exception {
    List<JsonNode> rows = rows(run("summary", "--format", "json"));
    assertEquals(5, rows.size());
    assertEquals(0, rows.get(0).path("group").asInt());
    assertEquals(3, rows.get(0).path("term").asLong());
    assertEquals(20, rows.get(0).path("last").asLong());
    assertEquals(12, rows.get(0).path("snapshot").asLong());
    assertEquals("b", rows.get(0).path("vote").asText());
    assertEquals(0, rows.get(0).path("defects").size());
    assertEquals("orders", rows.get(2).path("topic").asText());
    assertEquals(20, rows.get(2).path("messages").asLong());
    assertEquals("a", rows.get(3).path("channel").asText());
    assertEquals(15, rows.get(3).path("depth").asLong());
    assertTrue(rows.get(3).path("paused").asBoolean());
    assertEquals("young", rows.get(4).path("topic").asText());
    assertEquals(2, rows.get(4).path("messages").asLong());
    assertEquals(0, rows.get(4).path("depth").asLong());
  }

  @Test
  void dumpAndExportHaveTheMessages() throws Exception {
    List<JsonNode> rows = rows(run("dump", "-t", "orders", "--format", "json"));
    assertEquals(20, rows.size());
    assertEquals("m7", rows.get(7).path("body").asText());
    assertEquals("%016x".formatted(1007L << 10 | 900), rows.get(7).path("id").asText());
    assertEquals("finished", rows.get(4).at("/channels/a/state").asText());
    assertEquals("ready", rows.get(5).at("/channels/a/state").asText());
    rows = rows(run("dump", "-t", "young", "--format", "json"));
    assertEquals(2, rows.size());
    assertTrue(rows.get(0).path("id").isMissingNode() || rows.get(0).path("id").isNull());
    rows = rows(run("export", "-t", "orders"));
    assertEquals("m19", rows.get(19).path("body").asText());
    ToolRun run = run("export", "-t", "orders", "-c", "a");
    assertEquals(1, run.code());
    assertTrue(run.err().contains("what a finished last is in its group's log"), run.err());
    run = run("verify", "--repair", home.resolve("mended").toString());
    assertEquals(2, run.code());
    assertTrue(run.err().contains("cluster replace"), run.err());
  }

  @Test
  void whatWasCarriedForwardIsThereOnce() throws Exception {
    dir = MemberDir.createCarried(home.resolve("carried"));
    before = content();
    List<JsonNode> rows = rows(run("dump", "-t", "orders", "--format", "json"));
    assertEquals(11, rows.size());
    JsonNode copy = rows.get(0);
    assertEquals("m5", copy.path("body").asText());
    assertEquals("%016x".formatted(1005L << 10 | 900), copy.path("id").asText());
    assertEquals("ready", copy.at("/channels/a/state").asText());
    rows = rows(run("export", "-t", "orders"));
    assertEquals(11, rows.size());
    assertEquals("m5", rows.get(0).path("body").asText());
    rows = rows(run("summary", "--format", "json"));
    assertEquals("a", rows.get(2).path("channel").asText());
    assertEquals(11, rows.get(2).path("depth").asLong());
    ToolRun run = run("verify");
    assertEquals(0, run.code(), run.out() + run.err());
    assertTrue(run.out().contains("0 defects"), run.out());
    // Its only copy.
    Path file = dir.journal("orders~1").resolve("19700101-000002.cq4");
    byte[] whole = Files.readAllBytes(file);
    MemberDir.damage(file, "m5");
    run = run("verify");
    assertEquals(1, run.code());
    assertTrue(run.out().contains("1 held message(s) are not where"), run.out());
    Files.write(file, whole);
  }

  @Test
  void damageIsNamedWithFileAndOffset() throws Exception {
    Map<Path, String> texts =
        Map.of(
            dir.logFile(), "entry 7",
            dir.vote(), "term",
            dir.state(), "orders",
            dir.sealed(), "engine",
            dir.journalFile(), "m7");
    for (Path file : texts.keySet()) {
      byte[] whole = Files.readAllBytes(file);
      final long at = MemberDir.damage(file, texts.get(file));
      ToolRun run = run("verify");
      assertEquals(1, run.code(), run.err() + run.out());
      String place = "DEFECT " + file + ":";
      String line = run.out().lines().filter(each -> each.startsWith(place)).findFirst().orElse("");
      long offset = Long.parseLong(line.substring(place.length()).split(":", 2)[0]);
      assertTrue(offset <= at && at - offset < 200, at + " in " + run.out());
      assertEquals(0, run("summary").code());
      Files.write(file, whole);
    }
    Files.move(dir.sealed(), home.resolve("aside"));
    ToolRun run = run("verify");
    assertEquals(1, run.code());
    assertTrue(run.out().contains("DEFECT " + dir.sealed() + ": it is missing"), run.out());
    Files.move(home.resolve("aside"), dir.sealed());
    Files.delete(dir.link());
    run = run("verify");
    assertEquals(1, run.code());
    assertTrue(run.out().contains("DEFECT " + dir.link() + ": it is missing"), run.out());
    Files.createLink(dir.link(), dir.journalFile());
  }

  @Test
  void whatIsGoneIsNoNewGroup() throws Exception {
    for (Path part : List.of(dir.vote(), dir.log())) {
      Path aside = home.resolve("aside");
      Files.move(part, aside);
      ToolRun run = run("verify");
      assertEquals(1, run.code());
      assertTrue(run.out().contains("DEFECT " + part), run.out());
      assertTrue(run.out().contains(": it is missing; the group stops on this node"), run.out());
      run = run("summary");
      assertEquals(0, run.code());
      assertTrue(run.out().contains("group 0: term "), run.out());
      Files.move(aside, part);
    }
  }

  @Test
  void aJournalThatOnlyTheSnapshotHasIsSaid() throws Exception {
    String missing =
        "note   " + dir.journalFile() + ": it is missing, and in the newest snapshot; the node's";
    Files.delete(dir.journalFile());
    before = content();
    ToolRun run = run("verify");
    assertEquals(0, run.code(), run.err() + run.out());
    assertTrue(run.out().contains(missing), run.out());
    // Or all of the topic.
    DurableFiles.deleteTree(dir.journalFile().getParent().getParent());
    before = content();
    run = run("verify");
    assertEquals(0, run.code(), run.err() + run.out());
    assertTrue(run.out().contains(missing), run.out());
  }

  @Test
  void aGapBehindTheSnapshotIsWhatTheLogHas() throws Exception {
    StorageOptions options = new StorageOptions(1 << 20, 1 << 20, false, 0);
    try (SyncThread sync = new SyncThread(1000);
        ChronicleJournal journal = new ChronicleJournal(dir.journal("young~4"), options, sync)) {
      journal.raiseNextOrdinal(10);
      journal.append(SampleDir.batch("y", 10, 1, 0));
    }
    before = content();
    ToolRun run = run("verify");
    assertEquals(0, run.code(), run.err() + run.out());
    assertTrue(
        run.out()
            .contains(
                "messages 2 to 9 are missing before it; if there were any, they come again from the"
                    + " group's log"),
        run.out());
  }

  @Test
  void aTornEndIsANote() throws Exception {
    byte[] whole = Files.readAllBytes(dir.logFile());
    byte[] mark = Files.readAllBytes(dir.log().resolve("end"));
    // The mark says that all of it was on disk: then it is damage.
    MemberDir.damage(dir.logFile(), "entry 20");
    assertEquals(1, run("verify").code());
    Files.write(dir.logFile(), whole);
    Files.write(dir.log().resolve("end"), new byte[12]);
    ToolRun run = run("verify");
    assertEquals(1, run.code());
    assertTrue(run.out().contains("it does not say how far the log went"), run.out());
    Files.write(dir.log().resolve("end"), mark);
  }

  @Test
  void aDamagedClusterFileIsNoLocalDirectory() throws Exception {
    Path file = dir.root().resolve("cluster.json");
    byte[] whole = Files.readAllBytes(file);
    Files.writeString(file, "{}");
    for (String command : List.of("summary", "dump", "verify")) {
      ToolRun run = run(command);
      assertEquals(command.equals("verify") ? 2 : 1, run.code());
      assertTrue(run.err().contains(file + " is damaged"), run.err());
      assertEquals("", run.out());
    }
    Files.write(file, whole);
  }
}
