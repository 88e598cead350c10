package io.holdfast.storage.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.FaultyDisk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.ledger.RelocatedMessages;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChronicleJournalTest {
  private static final long FILE_BYTES = 64 << 10;

  @TempDir Path dir;
  private final FaultyDisk disk = new FaultyDisk();
  private final SyncThread syncThread = new SyncThread(3_600_000, disk);
  private final List<ChronicleJournal> dead = new ArrayList<>();
  private ChronicleJournal journal;

  @BeforeEach
  void open() throws IOException {
    journal = new ChronicleJournal(dir, Batches.options(FILE_BYTES), syncThread);
  }

  @AfterEach
  void close() {
    journal.close();
    dead.forEach(ChronicleJournal::close);
    syncThread.close();
  }

  private void reopen() throws IOException {
    journal.close();
    open();
  }

  /** Leaves everything as the death of the process would: nothing closed, no end marks. */
  private void crash() throws IOException {
    dead.add(journal);
    open();
  }

  private long append(int count, int bodyBytes) throws IOException {
    Batch batch = null;
    for (int i = 0; i < count; i++) {
      batch = Batches.of("x".repeat(bodyBytes));
      journal.append(batch);
    }
    return batch.firstOrdinal();
  }

  @Test
  void shouldReadWhatWasAppendedAcrossRollsRestartsAndCrashes() throws Exception {
    Random random = new Random(7);
    Map<Long, String> expected = new TreeMap<>();
    MessageView view = new MessageView();
    for (int round = 0; round < 6; round++) {
      try (JournalCursor cursor = journal.cursor()) {
        long follow = journal.nextOrdinal();
        cursor.moveTo(follow);
        for (int i = 0; i < 40; i++) {
          List<String> bodies = new ArrayList<>();
          int count = 1 + random.nextInt(i % 10 == 0 ? 200 : 4);
          for (int m = 0; m < count; m++) {
            bodies.add(round + "-" + i + "-" + m + "y".repeat(random.nextInt(300)));
          }
          Batch batch = Batches.of(random.nextInt(3), bodies);
          assertEquals(expected.size(), journal.nextOrdinal());
          journal.append(batch);
          assertEquals(expected.size(), batch.firstOrdinal());
          bodies.forEach(body -> expected.put((long) expected.size(), body));
          if (random.nextBoolean()) {
            while (cursor.next(view, journal.nextOrdinal())) {
              assertEquals(follow, view.ordinal());
              assertEquals(expected.get(follow), Batches.text(view));
              follow++;
            }
            assertEquals(journal.nextOrdinal(), follow);
          }
        }
      }
      assertEquals(expected, Batches.readAll(journal, 0));
      if (round % 2 == 0) {
        reopen();
      } else {
        crash();
      }
      assertEquals(expected.size(), journal.nextOrdinal());
      assertEquals(expected, Batches.readAll(journal, 0));
    }
    assertTrue(journal.files().size() > 6, "rolled: " + journal.files());
    long middle = expected.size() / 2;
    assertEquals(expected.size() - middle, Batches.readAll(journal, middle).size());
  }

  @Test
  void shouldReadSingleMessagesByReference() throws Exception {
    List<Batch> batches = new ArrayList<>();
    List<MessageRef> refs = new ArrayList<>();
    MessageView view = new MessageView();
    for (int i = 0; i < 30; i++) {
      Batch batch = Batches.of(1000, List.of("a" + i, "b".repeat(10_000) + i, "c" + i));
      journal.append(batch);
      batches.add(batch);
    }
    try (JournalCursor cursor = journal.cursor()) {
      cursor.moveTo(0);
      while (cursor.next(view, journal.nextOrdinal())) {
        refs.add(Batches.ref(view));
      }
    }
    assertEquals(90, refs.size());
    reopen();
    try (JournalCursor cursor = journal.cursor()) {
      for (int i = 89; i >= 0; i -= 7) {
        MessageRef ref = refs.get(i);
        assertTrue(cursor.read(ref, view));
        assertEquals(i, view.ordinal());
        assertEquals(1000, view.deferMs());
        assertEquals(batches.get(i / 3).timestampNs(), view.timestampNs());
        assertTrue(Batches.text(view).endsWith(String.valueOf(i / 3)));
        // Reading in order beside it is not disturbed.
        assertTrue(cursor.next(view, journal.nextOrdinal()));
        assertEquals((89 - i) / 7, view.ordinal());
      }
      MessageRef good = refs.get(4);
      assertFalse(cursor.read(changed(good, good.ordinal() + 60, 0, 0), view), "other batch");
      assertFalse(cursor.read(changed(good, good.ordinal(), 1, 0), view), "no body begins here");
      assertFalse(cursor.read(changed(good, good.ordinal(), 0, -1), view), "too short");
      assertFalse(cursor.read(changed(good, good.ordinal(), 50_000, 0), view), "beyond the record");
      assertFalse(cursor.read(changed(good, good.ordinal(), -60_000, 0), view), "before it");
      assertTrue(cursor.read(good, view));
    }
  }

  private static MessageRef changed(MessageRef of, long ordinal, int moved, int longer) {
    return new MessageRef(
        ordinal, of.batchPosition(), of.bodyOffset() + moved, of.bodyLength() + longer, 0);
  }

  @Test
  void shouldRemoveOnlyFilesThatAreDoneWith() throws Exception {
    append(60, 5000);
    Map<Path, Long> files = journal.files();
    assertTrue(files.size() >= 4, files.toString());
    List<Long> firsts = new ArrayList<>(files.values());
    assertEquals(
        0, journal.removeBelow(firsts.get(1) - 1, RelocatedMessages.NO_FILE, Retention.NONE));
    assertEquals(0, journal.firstOrdinal());
    assertEquals(1, journal.removeBelow(firsts.get(1), RelocatedMessages.NO_FILE, Retention.NONE));
    assertEquals(firsts.get(1), journal.firstOrdinal());
    assertEquals(firsts.get(1), Batches.readAll(journal, 0).keySet().iterator().next());
    assertEquals(
        firsts.size() - 2,
        journal.removeBelow(Long.MAX_VALUE, RelocatedMessages.NO_FILE, Retention.NONE));
    assertEquals(1, journal.files().size());
    assertEquals(60, journal.nextOrdinal());
    append(1, 10);
    reopen();
    assertEquals(61, journal.nextOrdinal());
    assertEquals(61 - journal.firstOrdinal(), Batches.readAll(journal, 0).size());
  }

  private int removeFinished(long forMs, long bytes, long nowMs) throws IOException {
    return journal.removeBelow(
        journal.nextOrdinal(), RelocatedMessages.NO_FILE, Retention.of(forMs, bytes, nowMs));
  }

  @Test
  void shouldKeepSoManyBytesOfFinishedFilesHoweverOldTheyAre() throws Exception {
    append(100, 5000);
    final int files = journal.diskFiles();
    assertTrue(files >= 10, files + " files");
    long fileBytes = journal.diskBytes() / files;
    long longAfterMs = System.currentTimeMillis() + TimeUnit.DAYS.toMillis(1000);
    assertEquals(0, removeFinished(0, journal.diskBytes(), longAfterMs));
    long keptBytes = 5 * fileBytes;
    assertTrue(removeFinished(0, keptBytes, longAfterMs) > 0);
    assertTrue(journal.diskBytes() >= keptBytes, journal.diskBytes() + " bytes");
    assertTrue(journal.diskBytes() <= keptBytes + 2 * fileBytes, journal.diskBytes() + " bytes");
    assertEquals(0, removeFinished(0, keptBytes, longAfterMs));
    // What is not finished does not count.
    long unfinished = journal.nextOrdinal();
    append(100, 5000);
    assertEquals(
        0,
        journal.removeBelow(
            unfinished, RelocatedMessages.NO_FILE, Retention.of(0, 6 * fileBytes, longAfterMs)));
    // Nor what a file with a relocated message keeps from going.
    int pinned = journal.oldestFile() + 1;
    assertEquals(
        0,
        journal.removeBelow(
            journal.nextOrdinal(), pinned, Retention.of(0, 2 * fileBytes, longAfterMs)));
  }

  /** The clock is an hour behind for a while, and a file that is young seems of the future then. */
  @Test
  void shouldNotTakeFileForOlderThanItIsWhenClockWasBehind() throws Exception {
    append(100, 5000);
    Path oldest = journal.files().keySet().iterator().next();
    long hourMs = TimeUnit.HOURS.toMillis(1);
    Files.setLastModifiedTime(oldest, FileTime.fromMillis(System.currentTimeMillis() + hourMs));
    assertEquals(0, removeFinished(hourMs / 2, 0, System.currentTimeMillis()));
    // That the clock was behind shows when it is right again.
    Files.setLastModifiedTime(oldest, FileTime.fromMillis(System.currentTimeMillis() - hourMs));
    assertEquals(0, removeFinished(hourMs / 2, 0, System.currentTimeMillis()));
    reopen();
    assertEquals(1, removeFinished(hourMs / 2, 0, System.currentTimeMillis()));
  }

  @Test
  void shouldKeepFilesForSomeTimeAndNoMoreThanSoManyBytes() throws Exception {
    append(100, 5000);
    int files = journal.diskFiles();
    long fileBytes = journal.diskBytes() / files;
    long nowMs = System.currentTimeMillis() + TimeUnit.MINUTES.toMillis(1);
    long hourMs = TimeUnit.HOURS.toMillis(1);
    assertEquals(0, removeFinished(hourMs, 0, nowMs), "young");
    assertEquals(0, removeFinished(hourMs, journal.diskBytes(), nowMs), "young and few");
    int removed = removeFinished(hourMs, 4 * fileBytes, nowMs);
    assertTrue(removed >= files - 6 && removed < files - 2, removed + " of " + files);
    assertEquals(0, removeFinished(hourMs, 4 * fileBytes, nowMs));
    removeFinished(hourMs, 4 * fileBytes, nowMs + 2 * hourMs);
    assertEquals(1, journal.diskFiles(), "old, however few");
    append(20, 5000);
    removeFinished(0, 0, 0);
    assertEquals(1, journal.diskFiles());
  }

  @Test
  void shouldLeaveAGapBelowARaisedOrdinal() throws Exception {
    append(3, 10);
    journal.raiseNextOrdinal(2);
    assertEquals(3, journal.nextOrdinal());
    journal.raiseNextOrdinal(1000);
    assertEquals(1000, append(1, 10));
    reopen();
    assertEquals(1001, journal.nextOrdinal());
    assertEquals(List.of(0L, 1L, 2L, 1000L), List.copyOf(Batches.readAll(journal, 0).keySet()));
    MessageView view = new MessageView();
    try (JournalCursor cursor = journal.cursor()) {
      cursor.moveTo(2);
      assertTrue(cursor.next(view, 500));
      assertFalse(cursor.next(view, 500), "the bound is within the gap");
      assertEquals(500, cursor.nextOrdinal());
      assertTrue(cursor.next(view, 1001));
      assertEquals(1000, view.ordinal());
    }
  }

  @Test
  void shouldReadOnBehindARecordThatOnlyKeepsTheCount() throws Exception {
    journal.close();
    journal = new ChronicleJournal(dir, Batches.options(1 << 20), syncThread);
    long lost = append(60, 5000);
    assertTrue(journal.leaveFile());
    long kept = append(1, 10);
    assertEquals(lost + 1, kept);
    assertEquals(2, journal.files().size());
    Files.delete(journal.files().keySet().iterator().next());
    reopen();
    MessageView view = new MessageView();
    try (JournalCursor cursor = journal.cursor()) {
      cursor.moveTo(lost);
      assertTrue(cursor.next(view, journal.nextOrdinal()));
      assertEquals(kept, view.ordinal());
      assertEquals("x".repeat(10), Batches.text(view));
      assertEquals(1, cursor.unreadable());
    }
  }

  @Test
  void shouldReadAFileOfCopiesOnlyOnce() throws Exception {
    append(1, 100);
    reopen();
    MessageView view = new MessageView();
    try (JournalCursor cursor = journal.cursor()) {
      assertTrue(cursor.next(view, 1));
      journal.relocate(view);
    }
    int withMessage = journal.oldestFile();
    assertEquals(withMessage, journal.fileOf(0));
    reopen();
    disk.opened.set(0);
    assertEquals(withMessage, journal.fileOf(0));
    assertTrue(disk.opened.get() > 0);
    disk.opened.set(0);
    assertEquals(withMessage, journal.fileOf(0));
    assertEquals(0, disk.opened.get());
    assertEquals(1, append(1, 10));
    assertTrue(journal.fileOf(1) > withMessage);
  }

  @Test
  void shouldRefuseWhatDoesNotFitAndGoOn() throws Exception {
    append(1, 10);
    Batch huge = Batches.of("z".repeat(8 << 20));
    assertThrows(Exception.class, () -> journal.append(huge));
    assertEquals(1, append(1, 10));
    reopen();
    assertEquals(2, Batches.readAll(journal, 0).size());
  }

  @Test
  void shouldCloseIdleFilesAndGoOn() throws Exception {
    append(2, 100);
    JournalCursor cursor = journal.cursor();
    MessageView view = new MessageView();
    assertTrue(cursor.next(view, 2));
    cursor.release();
    journal.closeIdle();
    append(1, 100);
    assertTrue(cursor.next(view, 3));
    assertEquals(1, view.ordinal());
    assertTrue(cursor.next(view, 3));
    assertFalse(cursor.next(view, 3));
    cursor.close();
    assertTrue(journal.diskBytes() > 0);
    assertEquals(1, journal.files().size());
  }
}
