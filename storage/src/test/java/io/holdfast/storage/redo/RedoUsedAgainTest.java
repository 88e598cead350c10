package io.holdfast.storage.redo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.ShadowDisk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batches;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.Journal;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.journal.Retention;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.ledger.RelocatedMessages;
import io.holdfast.storage.log.SpareFiles;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Copies of journal files that are used again: a replay brings back the file that was copied, with
 * its salt, whatever the file that was it is by now. All but the removal of files is made durable
 * by copies alone.
 */
class RedoUsedAgainTest {
  private static final int BODY_BYTES = 30_000;

  /** Of the first file, before it was used again. */
  private static final String EARLIER_NAME = "19700101-000001.spare";

  @TempDir Path home;

  private final List<AutoCloseable> opened = new ArrayList<>();

  /** What was answered, by ordinal, of files that were removed, too. */
  private final Map<Long, String> answered = new TreeMap<>();

  private Path root;
  private ShadowDisk disk;
  private DataDir dataDir;
  private SyncThread sync;
  private ChronicleJournal journal;
  private int cuts;

  @BeforeEach
  void open() throws IOException {
    root = Files.createDirectory(home.resolve("data"));
    disk = new ShadowDisk(root, "boot0");
    openDirectory();
  }

  private void openDirectory() throws IOException {
    dataDir = DataDir.open(root, disk);
    opened.add(dataDir);
    sync = SyncThread.stepped(disk);
    sync.share(dataDir.redoLog(), 1);
    dataDir.createTopic("t");
    StorageOptions options = new StorageOptions(1 << 20, 300_000, true, 0);
    journal =
        new ChronicleJournal(
            dataDir.journalDir("t"), options.with(new SpareFiles(8, 1, () -> true)), sync);
    opened.add(journal);
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : opened) {
      each.close();
    }
    opened.clear();
  }

  private void publish(char of) throws IOException {
    String body = journal.nextOrdinal() + Character.toString(of).repeat(BODY_BYTES);
    long ordinal = journal.nextOrdinal();
    journal.append(Batches.of(body));
    assertFalse(
        journal.whenDurable(
            new Journal.DurabilityListener() {
              @Override
              public void onDurable() {
                answered.put(ordinal, shortened(body));
              }

              @Override
              public void onFailed(IOException e) {
                throw new AssertionError(e);
              }
            }));
    sync.pass(false, false);
    assertEquals(shortened(body), answered.get(ordinal));
  }

  private static String shortened(String body) {
    return body.substring(0, 6) + ".." + body.length() + " " + body.hashCode();
  }

  private Path newest() {
    return file(journal.fileNumbers().size() - 1);
  }

  private Path file(int index) {
    return journal.file(journal.fileNumbers().get(index));
  }

  private void roll(char of) throws IOException {
    Path before = newest();
    while (newest().equals(before)) {
      publish(of);
    }
  }

  private void removeFinished() throws IOException {
    journal.removeBelow(journal.nextOrdinal(), RelocatedMessages.NO_FILE, Retention.NONE);
    assertEquals(1, journal.diskFiles());
  }

  /** The first file is finished, and the third one is it. */
  private void useAgain() throws IOException {
    publish('a');
    final Path first = newest();
    final Object inode = Files.getAttribute(first, "unix:ino");
    roll('a');
    removeFinished();
    assertFalse(Files.exists(first));
    roll('b');
    assertEquals(inode, Files.getAttribute(newest(), "unix:ino"));
    publish('c');
  }

  /**
   * The power fails: nothing is left but what was forced, and no name of a file that was not.
   *
   * @param unnamed a file of whose names only an earlier one is left
   */
  private void cutPower(Path unnamed) throws Exception {
    Path left = home.resolve("left" + ++cuts);
    disk.copyCertain(root, left);
    if (unnamed != null) {
      Path copy = left.resolve(root.relativize(unnamed));
      Files.move(copy, copy.resolveSibling(EARLIER_NAME));
    }
    close();
    root = left;
    disk = new ShadowDisk(root, left.getFileName().toString());
    openDirectory();
  }

  /** All is read that was answered, and nothing else. */
  private void assertAllThereFrom(long first) throws Exception {
    answered.keySet().removeIf(ordinal -> ordinal < first);
    assertEquals(first, journal.firstOrdinal());
    Map<Long, String> read = new TreeMap<>();
    MessageView view = new MessageView();
    try (JournalCursor cursor = journal.cursor()) {
      cursor.moveTo(first);
      while (cursor.next(view, journal.nextOrdinal())) {
        read.put(view.ordinal(), shortened(Batches.text(view)));
      }
      assertEquals(0, cursor.unreadable());
    }
    assertEquals(answered, read);
  }

  @Test
  void shouldPutBackWhatAFileHadThatWasUsedAgain() throws Exception {
    useAgain();
    // What is certain of the file is what it was, behind its new head.
    String certain = new String(disk.certain(newest()), StandardCharsets.ISO_8859_1);
    assertTrue(certain.contains("aaaa"));
    assertFalse(certain.contains("bbbb"));
    cutPower(null);
    // What was removed was in the copies, from its first byte on, and comes back.
    assertAllThereFrom(0);
    publish('d');
    cutPower(null);
    assertAllThereFrom(0);
  }

  @Test
  void shouldMakeAFileThatWasUsedAgainAndHasNoNameYet() throws Exception {
    useAgain();
    Path file = newest();
    cutPower(file);
    assertTrue(Files.exists(root.resolve(home.resolve("data").relativize(file))));
    assertFalse(Files.exists(journal.file(1).resolveSibling(EARLIER_NAME)));
    assertAllThereFrom(0);
  }

  /** Its copies have its salt, not that of what it has become. */
  @Test
  void shouldMakeAFileAgainThatWasRemovedInItsSecondLife() throws Exception {
    useAgain();
    Path second = newest();
    final Object inode = Files.getAttribute(second, "unix:ino");
    roll('d');
    removeFinished();
    assertFalse(Files.exists(second));
    while (!Files.getAttribute(newest(), "unix:ino").equals(inode)) {
      roll('e');
      removeFinished();
    }
    publish('f');
    cutPower(null);
    assertAllThereFrom(0);
    removeFinished();
    cutPower(null);
    // The copies are still there.
    assertAllThereFrom(0);
  }

  /** Only the end of a removed file was copied: the rest is gone, and so was all of it. */
  @Test
  void shouldNotMakeAFileAgainOfWhichOnlyTheEndWasCopied() throws Exception {
    useAgain();
    Path second = newest();
    sync.pass(false, true);
    sync.pass(false, true);
    publish('d');
    roll('e');
    long first = journal.nextOrdinal() - 1;
    removeFinished();
    assertFalse(Files.exists(second));
    cutPower(null);
    assertFalse(Files.exists(root.resolve(home.resolve("data").relativize(second))));
    assertAllThereFrom(first);
  }

  /** A kill, the machine goes on: what is put back is what is there already. */
  @Test
  void shouldChangeNothingThatIsThere() throws Exception {
    dataDir.markSettled();
    useAgain();
    byte[] before = Files.readAllBytes(newest());
    int number = journal.fileNumbers().get(journal.fileNumbers().size() - 1);
    dataDir.close();
    ChronicleJournal dead = journal;
    opened.clear();
    openDirectory();
    opened.add(dead);
    assertNull(sync.error());
    byte[] after = Files.readAllBytes(journal.file(number));
    assertEquals(before.length, after.length);
    assertEquals(-1, Arrays.mismatch(before, after));
    assertAllThereFrom(0);
  }
}
