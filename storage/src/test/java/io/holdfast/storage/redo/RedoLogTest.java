package io.holdfast.storage.redo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.PowerCut;
import io.holdfast.storage.files.ShadowDisk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batches;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.Journal;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.topic.DataDir;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RedoLogTest {
  private static final int TOPICS = 6;

  @TempDir Path home;

  private final List<String> told = new ArrayList<>();
  private final List<AutoCloseable> opened = new ArrayList<>();
  private final Map<String, ChronicleJournal> journals = new LinkedHashMap<>();
  private int cuts;
  private boolean passesEarly;
  private Path root;
  private ShadowDisk disk;
  private DataDir dataDir;
  private SyncThread sync;

  @BeforeEach
  void open() throws Exception {
    root = Files.createDirectory(home.resolve("data"));
    disk = new ShadowDisk(root, "boot0");
    openDirectory();
    for (int i = 0; i < TOPICS; i++) {
      create("t" + i);
    }
  }

  private void openDirectory() throws IOException {
    dataDir = DataDir.open(root, disk);
    opened.add(dataDir);
    sync = SyncThread.stepped(disk);
    sync.share(dataDir.redoLog(), RedoLog.LEAST_JOURNALS);
    if (passesEarly) {
      sync.pass(false, true);
    }
    if (dataDir.mayHaveUnforcedFiles()) {
      sync.forceLeftBehind(root);
    }
  }

  @AfterEach
  void close() throws Exception {
    disk.refuses(path -> false);
    for (ChronicleJournal journal : journals.values()) {
      journal.close();
    }
    for (AutoCloseable each : opened) {
      each.close();
    }
  }

  private void create(String topic) throws IOException {
    dataDir.createTopic(topic);
    journals.put(
        topic,
        new ChronicleJournal(
            dataDir.journalDir(topic), new StorageOptions(1 << 20, 300_000, true, 0), sync));
  }

  private void publish(String topic, String... bodies) throws IOException {
    Journal journal = journals.get(topic);
    journal.append(Batches.of(bodies));
    String name = topic + ":" + bodies[0].substring(0, Math.min(9, bodies[0].length()));
    assertFalse(
        journal.whenDurable(
            new Journal.DurabilityListener() {
              @Override
              public void onDurable() {
                told.add(name);
              }

              @Override
              public void onFailed(IOException e) {
                told.add(name + " failed");
              }
            }));
  }

  private void publishToAll(String body) throws IOException {
    for (String topic : journals.keySet()) {
      publish(topic, body);
    }
  }

  /** Publishes to all, and has it made durable by what they share. */
  private void publishDurably(String body) throws IOException {
    publishToAll(body);
    sync.pass(false, false);
  }

  private void delete(String topic) throws IOException {
    journals.remove(topic).close();
    dataDir.remove(dataDir.markTopicDeleted(topic));
  }

  /** The machine goes on; the dead process's journals are closed at the end of the test. */
  private void restartAfterKill() throws IOException {
    dataDir.close();
    opened.clear();
    opened.addAll(journals.values());
    List<String> topics = List.copyOf(journals.keySet());
    journals.clear();
    openDirectory();
    assertFalse(dataDir.mayHaveLostPower());
    for (String topic : topics) {
      create(topic);
    }
  }

  /** Which topics have a journal of which something was forced. */
  private List<String> forced() throws IOException {
    List<String> names = new ArrayList<>();
    for (String topic : journals.keySet()) {
      try (Stream<Path> files = Files.list(dataDir.journalDir(topic))) {
        for (Path file : files.toList()) {
          if (disk.certain(file).length > 0) {
            names.add(topic);
          }
        }
      }
    }
    return names;
  }

  private List<Path> redoFiles() throws IOException {
    Path dir = root.resolve(RedoLog.DIR);
    if (!Files.isDirectory(dir)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(dir)) {
      return files.filter(file -> file.toString().endsWith(".cq4")).sorted().toList();
    }
  }

  /** The power fails: nothing is left but what was forced. The directory is opened again. */
  private void cutPower() throws Exception {
    Path left = home.resolve("left" + ++cuts);
    disk.copyCertain(root, left);
    List<String> topics = List.copyOf(journals.keySet());
    close();
    journals.clear();
    opened.clear();
    root = left;
    disk = new ShadowDisk(root, left.getFileName().toString());
    openDirectory();
    for (String topic : topics) {
      create(topic);
    }
  }

  private List<String> read(String topic) throws Exception {
    return List.copyOf(Batches.readAll(journals.get(topic), 0).values());
  }

  @Test
  void shouldMakeManyJournalsDurableByOneForce() throws Exception {
    publishToAll("first");
    publish("t3", "more");
    sync.pass(false, false);
    assertEquals(TOPICS + 1, told.size());
    assertEquals(List.of(), forced());
    cutPower();
    for (String topic : journals.keySet()) {
      assertEquals(
          topic.equals("t3") ? List.of("first", "more") : List.of("first"), read(topic), topic);
    }
  }

  @Test
  void shouldPutBackWhatCameBehindForcedBytes() throws Exception {
    publish("t1", "by itself");
    sync.pass(false, false);
    assertEquals(List.of("t1"), forced());
    for (int i = 0; i < 40; i++) {
      publishToAll("m" + i + "x".repeat(3000));
      sync.pass(false, i % 7 == 3);
    }
    cutPower();
    for (String topic : journals.keySet()) {
      assertEquals(topic.equals("t1") ? 41 : 40, read(topic).size(), topic);
    }
    // And once more, before anything of that was forced.
    publishDurably("later");
    cutPower();
    assertEquals(42, read("t1").size());
    assertEquals("later", read("t2").get(40));
  }

  @Test
  void shouldGoOnInTheNextFileOfAJournal() throws Exception {
    for (int i = 0; i < 60; i++) {
      publishToAll("m" + i + "x".repeat(30_000));
      sync.pass(false, false);
    }
    assertTrue(journals.get("t0").diskFiles() > 1);
    cutPower();
    for (String topic : journals.keySet()) {
      assertEquals(60, read(topic).size(), topic);
    }
  }

  @Test
  void shouldBeGoneWhenTheJournalsAreForced() throws Exception {
    publishDurably("first");
    assertEquals(1, redoFiles().size());
    // It was used since the last pass: the next one is for it.
    sync.pass(false, true);
    assertEquals(TOPICS, forced().size());
    sync.pass(false, true);
    assertEquals(List.of(), redoFiles());
    publishDurably("second");
    cutPower();
    assertEquals(List.of("first", "second"), read("t5"));
  }

  @Test
  void shouldStayWhileAJournalCannotBeForced() throws Exception {
    publishDurably("first");
    disk.refuses(path -> path.toString().contains("/t2/"));
    sync.pass(false, true);
    sync.pass(false, true);
    sync.pass(false, true);
    assertEquals(1, redoFiles().size());
    cutPower();
    assertEquals(List.of("first"), read("t2"));
  }

  @Test
  void shouldForceFewJournalsThemselves() throws Exception {
    for (int i = 0; i < RedoLog.LEAST_JOURNALS - 1; i++) {
      publish("t" + i, "m");
    }
    sync.pass(false, false);
    assertEquals(List.of("t0", "t1", "t2"), forced());
    assertEquals(List.of(), redoFiles());
  }

  @Test
  void shouldForceAJournalItselfThatHasMuch() throws Exception {
    publishToAll("m");
    publish("t4", "y".repeat(200_000));
    sync.pass(false, false);
    assertEquals(List.of("t4"), forced());
    assertEquals(TOPICS + 1, told.size());
  }

  @Test
  void shouldForceEachJournalWhenItCannotBeWritten() throws Exception {
    disk.refuses(path -> path.toString().contains("/redo"));
    publishDurably("m");
    assertEquals(TOPICS, told.size());
    assertFalse(told.toString().contains("failed"));
    assertEquals(TOPICS, forced().size());
    disk.refuses(path -> false);
    sync.pass(true, true);
    sync.pass(true, true);
    told.clear();
    publishDurably("again");
    assertEquals(TOPICS, told.size());
    cutPower();
    assertEquals(List.of("m", "again"), read("t0"));
  }

  @Test
  void shouldNotPutADeletedTopicsMessagesIntoOneOfItsName() throws Exception {
    publishDurably("old");
    delete("t1");
    create("t1");
    cutPower();
    assertEquals(List.of(), read("t1"));
    assertEquals(List.of("old"), read("t2"));
    publishDurably("new");
    cutPower();
    assertEquals(List.of("new"), read("t1"));
  }

  @Test
  void shouldNotMakeATopicThatIsGone() throws Exception {
    publishDurably("old");
    delete("t1");
    cutPower();
    assertEquals(List.of("t0", "t2", "t3", "t4", "t5"), dataDir.topics());
  }

  @Test
  void shouldNotTrustAJournalOfWhichAForceFailed() throws Exception {
    publishDurably("first");
    disk.refuses(path -> path.toString().contains("/t3/"));
    sync.pass(false, true);
    disk.refuses(path -> false);
    sync.pass(true, true);
    sync.pass(true, true);
    // What was rewritten may have been read from the disk after the failure.
    assertEquals(1, redoFiles().size());
    assertFalse(sync.allForced());
  }

  @Test
  void shouldLeaveOutARecordThatIsTorn() throws Exception {
    publishDurably("first");
    publishDurably("second");
    Path file = redoFiles().get(0);
    byte[] all = Files.readAllBytes(file);
    int at = new String(all, StandardCharsets.ISO_8859_1).lastIndexOf("second");
    assertTrue(at > 0);
    try (RandomAccessFile damage = new RandomAccessFile(file.toFile(), "rw")) {
      damage.seek(at);
      damage.write(0);
    }
    disk.force(file, true);
    cutPower();
    assertEquals(List.of("first"), read("t0"));
  }

  @Test
  void shouldKeepWhatAKilledProcessHadNotAnsweredYet() throws Exception {
    // Without this the next start takes it for a power cut.
    dataDir.markSettled();
    publishDurably("first");
    // The machine went on: the page cache has it, also what was never answered.
    publishToAll("second");
    restartAfterKill();
    for (String topic : journals.keySet()) {
      assertEquals(List.of("first", "second"), read(topic));
    }
    sync.pass(false, true);
    sync.pass(false, true);
    assertEquals(List.of(), redoFiles());
    cutPower();
    assertEquals(List.of("first", "second"), read("t0"));
  }

  /** A pass can come between the sharing and the first look at what a dead process left. */
  @Test
  void shouldKeepCopiesUntilWhatWasPutBackIsForced() throws Exception {
    publishDurably("first");
    passesEarly = true;
    cutPower();
    passesEarly = false;
    cutPower();
    assertEquals(List.of("first"), read("t0"));
  }

  @Test
  void shouldAnswerWhenAnErrorComesFromIt() throws Exception {
    publishToAll("m");
    disk.refuses(
        path -> {
          if (path.toString().contains("/redo")) {
            throw new InternalError("a fault occurred in an unsafe memory access operation");
          }
          return false;
        });
    sync.pass(false, false);
    assertEquals(TOPICS, told.size());
  }

  @Test
  void shouldTellOthersWhenOneListenerFailsWithAnError() throws Exception {
    journals.get("t0").append(Batches.of("m"));
    journals
        .get("t0")
        .whenDurable(
            new Journal.DurabilityListener() {
              @Override
              public void onDurable() {
                throw new InternalError("no memory for the answer");
              }

              @Override
              public void onFailed(IOException e) {}
            });
    publishDurably("m");
    assertTrue(told.size() >= TOPICS - 1, told.toString());
  }

  /** The pages that could not be written count as clean: syncfs does not write them. */
  @Test
  void shouldPutBackWhatTheDiskRefusedBeforeTheProcessDied() throws Exception {
    dataDir.markSettled();
    publishDurably("first");
    assertEquals(TOPICS, told.size());
    disk.refuses(path -> path.toString().contains("/t2/"));
    sync.pass(false, true);
    disk.refuses(path -> false);
    restartAfterKill();
    sync.pass(true, true);
    sync.pass(true, true);
    cutPower();
    assertEquals(List.of("first"), read("t2"));
  }

  @Test
  void shouldNotLoseTheVoidRecordBeforeWhatItVoids() throws Exception {
    boolean[] broken = {true};
    sync.written(
        () -> {
          if (broken[0]) {
            throw new IOException("not now");
          }
        });
    // As long as it fails no pass ends.
    sync.pass(false, true);
    publishDurably("old");
    sync.pass(false, true);
    sync.pass(false, true);
    delete("t1");
    create("t1");
    List<Path> files = redoFiles();
    assertEquals(2, files.size(), files.toString());
    // The removal of the first file is not certain, and the pass goes on with the next one.
    broken[0] = false;
    disk.refuses(path -> path.equals(root.resolve(RedoLog.DIR)));
    sync.pass(true, true);
    disk.refuses(path -> false);
    List<Path> bad = new ArrayList<>();
    int[] images = new int[1];
    disk.onEvent(
        () -> {
          for (int seed = 0; seed < 8 && bad.isEmpty(); seed++) {
            try {
              Path image = home.resolve("image" + images[0]++);
              PowerCut.image(disk, root, image, seed);
              if (Files.exists(image.resolve(root.relativize(files.get(0))))
                  && !Files.exists(image.resolve(root.relativize(files.get(1))))) {
                bad.add(image);
              } else {
                DurableFiles.deleteTree(image);
              }
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          }
        });
    sync.pass(true, true);
    disk.onEvent(() -> {});
    assertTrue(images[0] > 0);
    if (!bad.isEmpty()) {
      try (DataDir after = DataDir.open(bad.get(0), new ShadowDisk(bad.get(0), "later"))) {
        SyncThread thread = SyncThread.stepped(after.disk());
        try (ChronicleJournal journal =
            new ChronicleJournal(
                after.journalDir("t1"), new StorageOptions(1 << 20, 300_000, true, 0), thread)) {
          assertEquals(List.of(), List.copyOf(Batches.readAll(journal, 0).values()));
        }
      }
    }
  }

  @Test
  void shouldBeUsedAgainWhenItsDirectoryCouldNotBeMade() throws Exception {
    disk.refuses(path -> path.equals(root));
    publishDurably("m");
    assertEquals(TOPICS, told.size());
    disk.refuses(path -> false);
    sync.pass(true, true);
    sync.pass(true, true);
    publishDurably("again");
    assertEquals(1, redoFiles().size());
  }
}
