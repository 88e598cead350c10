package io.holdfast.tools.nsqd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.DirectoryLock;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.inspect.ChannelView;
import io.holdfast.storage.inspect.DataDirView;
import io.holdfast.storage.inspect.TopicView;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.tools.ToolRun;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImportCommandTest {
  @TempDir Path temp;
  private Path source;
  private Path target;

  @BeforeEach
  void makeSource() throws Exception {
    source = Files.createDirectories(temp.resolve("nsqd"));
    target = temp.resolve("data");
    Files.writeString(
        source.resolve("nsqd.dat"),
        "{\"topics\":[{\"name\":\"t\",\"paused\":false,\"channels\":[{\"name\":\"a\",\"paused\":false},"
            + "{\"name\":\"b\",\"paused\":true}]},{\"name\":\"p\",\"paused\":true,\"channels\":null}],"
            + "\"version\":\"1.3.0\"}");
    // Channel a: two files, read from the second record on; the write position is too early.
    byte[] first = records(0, 3, 0);
    Files.write(source.resolve("t:a.diskqueue.000004.dat"), first);
    Files.write(source.resolve("t:a.diskqueue.000005.dat"), records(3, 2, 2));
    meta("t:a", 1, 4, first.length / 3, 5, 0);
    Files.write(source.resolve("t:b.diskqueue.000000.dat"), records(10, 4, 0));
    meta("t:b", 4, 0, 0, 0, 200);
    Files.write(source.resolve("t.diskqueue.000000.dat"), records(20, 2, 1));
    meta("t", 2, 0, 0, 0, 100);
    Files.write(source.resolve("p.diskqueue.000000.dat"), records(30, 3, 0));
    meta("p", 3, 0, 0, 0, 100);
  }

  private void meta(String queue, long depth, long readFile, long readPos, long writeFile, long pos)
      throws IOException {
    Files.writeString(
        source.resolve(queue + ".diskqueue.meta.dat"),
        depth + "\n" + readFile + "," + readPos + "\n" + writeFile + "," + pos + "\n");
  }

  private static byte[] records(int from, int count, int attempts) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    for (int i = from; i < from + count; i++) {
      byte[] body = "body%02d".formatted(i).getBytes(StandardCharsets.UTF_8);
      out.writeInt(26 + body.length);
      out.writeLong(1_700_000_000_000_000_000L + i);
      out.writeShort(attempts);
      out.write("%016x".formatted(i).getBytes(StandardCharsets.UTF_8));
      out.write(body);
    }
    return bytes.toByteArray();
  }

  private ToolRun run(String... more) {
    String[] args = new String[3 + more.length];
    args[0] = "import";
    args[1] = source.toString();
    args[2] = target.toString();
    System.arraycopy(more, 0, args, 3, more.length);
    return ToolRun.start("", args);
  }

  private List<String> export(String topic, String channel) throws Exception {
    ToolRun run =
        channel == null
            ? ToolRun.start("", "export", target.toString(), "-t", topic)
            : ToolRun.start("", "export", target.toString(), "-t", topic, "-c", channel);
    assertEquals(0, run.code(), run.err());
    return run.out()
        .lines()
        .map(
            line ->
                line.replaceAll(
                    ".*\"timestamp\":\\d+?(\\d\\d)[,}].*\"body\":\"(\\w+)\".*", "$1 $2"))
        .toList();
  }

  private void checkImported() throws Exception {
    assertEquals(
        List.of("01 body01", "02 body02", "03 body03", "04 body04", "20 body20", "21 body21"),
        export("t", "a"));
    assertEquals(
        List.of("10 body10", "11 body11", "12 body12", "13 body13", "20 body20", "21 body21"),
        export("t", "b"));
    assertEquals(List.of("30 body30", "31 body31", "32 body32"), export("p", null));
    DataDirView view = DataDirView.open(target);
    try (TopicView topic = view.topic("t");
        TopicView paused = view.topic("p")) {
      ChannelView a = topic.channel("a");
      assertEquals(2, a.attempts(2));
      assertEquals(0, a.attempts(0));
      assertEquals(1, a.attempts(8));
      assertEquals(1, topic.channel("b").attempts(8));
      assertFalse(a.paused());
      assertTrue(topic.channel("b").paused());
      assertTrue(paused.paused());
      assertEquals(3, paused.depth());
    }
    assertEquals(0, ToolRun.start("", "verify", target.toString()).code());
  }

  @Test
  void shouldBringEverythingOver() throws Exception {
    ToolRun run = run();
    assertEquals(0, run.code(), run.err());
    assertTrue(run.out().contains("in 13, out 13, compared byte by byte, equal"), run.out());
    checkImported();
    ToolRun again = run();
    assertEquals(1, again.code());
    assertTrue(again.err().contains("already"), again.err());
  }

  @Test
  void shouldGoOnWhereAnImportWasCutShort() throws Exception {
    Files.createDirectories(target);
    Files.writeString(
        target.resolve("import.json"), "{\"source\":\"" + source.toRealPath() + "\"}");
    try (DataDir dir = DataDir.open(target);
        SyncThread sync = new SyncThread(1000)) {
      dir.createTopic("t");
      try (ChronicleJournal journal =
          new ChronicleJournal(
              dir.journalDir("t"), new StorageOptions(1 << 20, 1 << 20, false, 0), sync)) {
        for (int i = 1; i <= 3; i++) {
          byte[] body = "body%02d".formatted(i).getBytes(StandardCharsets.UTF_8);
          ByteBuffer section = ByteBuffer.allocate(10).putInt(body.length).put(body).flip();
          journal.append(new Batch(section, 1, 0, 1_700_000_000_000_000_000L + i));
        }
      }
    }
    ToolRun run = run();
    assertEquals(0, run.code(), run.err());
    checkImported();
  }

  @Test
  void shouldNoticeThatAJournalHoldsSomethingElse() throws Exception {
    assertEquals(0, run().code());
    Files.writeString(
        target.resolve("import.json"), "{\"source\":\"" + source.toRealPath() + "\"}");
    Files.write(source.resolve("t:b.diskqueue.000000.dat"), records(40, 4, 0));
    ToolRun run = run();
    assertEquals(1, run.code());
    assertTrue(run.err().contains("is another one"), run.err());
  }

  @Test
  void shouldWriteNothingInADryRun() throws Exception {
    ToolRun run = run("--dry-run");
    assertEquals(0, run.code(), run.err());
    assertTrue(run.out().contains("t:b (paused)"), run.out());
    assertFalse(Files.exists(target));
  }

  @Test
  void shouldPassOverWhatCannotBeRead() throws Exception {
    Path last = source.resolve("t:b.diskqueue.000000.dat");
    byte[] whole = Files.readAllBytes(last);
    Files.write(last, java.util.Arrays.copyOf(whole, whole.length - 3));
    byte[] bad = records(0, 3, 0);
    bad[3] = 7; // The first length; reading goes on in the next file.
    Files.write(source.resolve("t:a.diskqueue.000004.dat"), bad);
    meta("t:a", 1, 4, 0, 5, 0);
    Files.createFile(source.resolve("q.diskqueue.000000.dat"));
    ToolRun run = run();
    assertEquals(0, run.code(), run.err());
    assertTrue(run.err().contains("ends within a record"), run.err());
    assertTrue(run.err().contains("a record of 7 bytes cannot be"), run.err());
    assertTrue(run.err().contains("has no meta file"), run.err());
    assertEquals(List.of("03 body03", "04 body04"), export("t", "a").subList(0, 2));
    assertEquals(5, export("t", "b").size());
  }

  @Test
  @Timeout(20)
  void shouldNotCountItsWayOverMissingFiles() throws Exception {
    meta("t:a", 1, 4, 0, 900_000_000_000_000_000L, 0);
    Files.writeString(source.resolve("t:b.diskqueue.meta.dat"), "9".repeat(30) + "\n0,0\n0,0\n");
    ToolRun run = run();
    assertEquals(1, run.code());
    assertTrue(run.err().contains("t:b.diskqueue.meta.dat is damaged"), run.err());
    meta("t:b", 4, 0, 100_000, 0, 200);
    run = run();
    assertEquals(0, run.code(), run.err());
    assertTrue(run.err().contains("the file ends before this"), run.err());
    assertTrue(run.err().contains(" and on to 899999999999999999 are missing"), run.err());
    assertTrue(run.err().lines().count() < 6, run.err());
    assertEquals(7, export("t", "a").size());
  }

  @Test
  void shouldPassOverNamesThatNsqdDoesNotTake() throws Exception {
    Files.writeString(
        source.resolve("nsqd.dat"),
        "{\"topics\":[{\"name\":\"../../up\"},{\"name\":\"t\",\"channels\":[{\"name\":\"a"
            + " b\"}]},{\"name\":7},"
            + "null,{\"name\":\"e#ephemeral\"},{\"name\":\"t\",\"channels\":[{\"name\":\"late\"}]}]}");
    Files.copy(
        source.resolve("t.diskqueue.000000.dat"), source.resolve("x y.diskqueue.000000.dat"));
    Files.copy(source.resolve("t.diskqueue.meta.dat"), source.resolve("x y.diskqueue.meta.dat"));
    ToolRun run = run();
    assertEquals(0, run.code(), run.err());
    assertTrue(run.err().contains("'../../up' is not valid"), run.err());
    assertTrue(run.err().contains("'a b' is not valid"), run.err());
    assertTrue(run.err().contains("x y.diskqueue.*.dat is not of a valid name"), run.err());
    DataDirView view = DataDirView.open(target);
    assertEquals(List.of("7", "p", "t"), view.topics());
    assertEquals(List.of("a", "b", "late"), view.channels("t"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"nsqd.dat", "t:a.diskqueue.meta.dat", "t:a.diskqueue.000004.dat"})
  @Timeout(20)
  void shouldNotWaitAtANamedPipe(String name) throws Exception {
    Files.deleteIfExists(source.resolve(name));
    makePipe(source.resolve(name));
    ToolRun run = run();
    assertEquals(2, run.code());
    assertTrue(run.err().contains(name + " is neither a regular file nor a directory"), run.err());
  }

  static void makePipe(Path path) throws Exception {
    assertEquals(0, new ProcessBuilder("mkfifo", path.toString()).start().waitFor());
  }

  @Test
  void shouldGiveTheFilesToTheirUser() throws Exception {
    ToolRun run = run("--owner", "nobody-of-this-name");
    assertEquals(2, run.code());
    assertTrue(run.err().contains("there is no 'nobody-of-this-name'"), run.err());
    assertFalse(Files.exists(target));
    Assumptions.assumeTrue(Owner.isRoot(), "only root gives files away");
    run = run();
    assertEquals(0, run.code());
    assertTrue(run.err().contains("the files belong to root"), run.err());
    target = temp.resolve("second");
    run = run("--owner", "65534:65534");
    assertEquals(0, run.code(), run.err());
    assertEquals("", run.err());
    assertOwnedBy(65534);
    target = Files.createDirectories(temp.resolve("third"));
    Files.setAttribute(target, "unix:uid", 65534);
    assertEquals(0, run().code());
    assertOwnedBy(65534);
    assertEquals(0, Files.getAttribute(source.resolve("nsqd.dat"), "unix:uid"));
  }

  private void assertOwnedBy(int uid) throws IOException {
    try (Stream<Path> all = Files.walk(target)) {
      for (Path file : all.toList()) {
        assertEquals(uid, Files.getAttribute(file, "unix:uid"), file.toString());
      }
    }
  }

  @Test
  void shouldRefuseARunningNsqd() throws Exception {
    try (DirectoryLock lock = DirectoryLock.tryLock(source)) {
      assertNotNull(lock);
      ToolRun run = run();
      assertEquals(1, run.code());
      assertTrue(run.err().contains("an nsqd still runs on"), run.err());
      assertFalse(Files.exists(target));
    }
  }

  @Test
  void shouldRefuseWhatIsNoDataPath() throws Exception {
    source = Files.createDirectories(temp.resolve("empty"));
    ToolRun run = run();
    assertEquals(1, run.code());
    assertTrue(run.err().contains("is not a data path of nsqd"), run.err());
    source = temp.resolve("none");
    assertEquals(1, run().code());
  }

  @Test
  void shouldRefuseADirectoryThatABrokerUses() throws Exception {
    Files.createDirectories(target);
    try (DataDir used = DataDir.open(target)) {
      assertNotNull(used);
      ToolRun run = run();
      assertEquals(1, run.code());
      assertTrue(run.err().contains("is in use"), run.err());
    }
  }
}
