package io.holdfast.storage.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.PosixCalls;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.ledger.RelocatedMessages;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bits flipped in journal files: never served, never in the way, and no ordinal used again. */
class CorruptionTest {
  private static final long FILE_BYTES = 32 << 10;
  private static final int BATCHES = 60;
  private static final int CHRONICLE_HEADER = -4;

  @TempDir Path dir;
  private final SyncThread syncThread = new SyncThread(3_600_000);
  private final List<Batch> batches = new ArrayList<>();
  private final Map<Long, String> written = new TreeMap<>();

  @AfterEach
  void stop() {
    syncThread.close();
  }

  private ChronicleJournal open() throws IOException {
    return new ChronicleJournal(dir, Batches.options(FILE_BYTES), syncThread);
  }

  /** Batches of 1 to 3 messages in several files. */
  private void write() throws IOException {
    batches.clear();
    written.clear();
    try (ChronicleJournal journal =
        new ChronicleJournal(dir, Batches.options(FILE_BYTES), syncThread)) {
      for (int i = 0; i < BATCHES; i++) {
        List<String> bodies = new ArrayList<>();
        for (int m = 0; m <= i % 3; m++) {
          bodies.add(i + "/" + m + "-".repeat(800));
        }
        Batch batch = Batches.of(0, bodies);
        journal.append(batch);
        batches.add(batch);
        for (int m = 0; m < bodies.size(); m++) {
          written.put(batch.firstOrdinal() + m, bodies.get(m));
        }
      }
      assertTrue(journal.files().size() >= 3);
    }
  }

  /** Inverts bits of one byte of a batch's excerpt. */
  private void flip(Batch batch, int offset, int bits) throws IOException {
    flip(Batches.file(dir, batch), Position.offset(batch.position()) + offset, bits);
  }

  private static void flip(Path file, long offset, int bits) throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(offset);
      int value = bytes.read();
      bytes.seek(offset);
      bytes.write(value ^ bits);
    }
  }

  private Map<Long, String> without(Set<Batch> damaged) {
    Map<Long, String> expected = new TreeMap<>(written);
    for (Batch batch : damaged) {
      for (long lost = batch.firstOrdinal(); lost < batch.endOrdinal(); lost++) {
        expected.remove(lost);
      }
    }
    return expected;
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1", // magic
    "2, 3", // format version
    "3, 1", // type
    "5, 16", // checksum
    "8, 64", // record length, far too long
    "11, 1", // record length, by one
    "12, 64", // count
    "15, 2", // count
    "16, 64", // ordinal, huge
    "16, 128", // ordinal, negative
    "22, 1", // ordinal
    "30, 1", // time
    "33, 1", // deferral
    "43, 4", // length of the first body
    "60, 128" // body
  })
  void shouldSkipExactlyTheDamagedBatch(int offset, int bits) throws Exception {
    write();
    Set<Batch> damaged = Set.of(batches.get(0), batches.get(17), batches.get(BATCHES - 1));
    for (Batch batch : damaged) {
      flip(batch, offset, bits);
    }
    long end = batches.get(BATCHES - 1).endOrdinal();
    assertTimeoutPreemptively(
        Duration.ofSeconds(10),
        () -> {
          try (ChronicleJournal journal = open()) {
            assertEquals(without(damaged), Batches.readAll(journal, 0));
            assertTrue(journal.nextOrdinal() >= end, "ordinals in use: " + journal.nextOrdinal());
            assertTrue(journal.nextOrdinal() < end + 1_000_000, "next " + journal.nextOrdinal());
            assertTrue(journal.firstOrdinal() <= batches.get(1).firstOrdinal());
            Batch more = Batches.of("more");
            journal.append(more);
            Map<Long, String> all = Batches.readAll(journal, 0);
            assertEquals("more", all.get(more.firstOrdinal()));
            assertEquals(without(damaged).size() + 1, all.size());
          }
        });
  }

  @ParameterizedTest
  @CsvSource({"16, 64", "22, 255", "23, 255"})
  void shouldNotRemoveFilesOnTheWordOfADamagedRecord(int offset, int bits) throws Exception {
    write();
    int firstCycle = Position.cycle(batches.get(0).position());
    Batch second =
        batches.stream()
            .filter(b -> Position.cycle(b.position()) == firstCycle + 1)
            .findFirst()
            .orElseThrow();
    flip(second, offset, bits);
    try (ChronicleJournal journal = open()) {
      long needed = second.firstOrdinal() - 1;
      assertEquals(0, journal.removeBelow(needed, RelocatedMessages.NO_FILE, Retention.NONE));
      assertEquals(without(Set.of(second)), Batches.readAll(journal, 0));
      assertTrue(
          journal.removeBelow(second.endOrdinal(), RelocatedMessages.NO_FILE, Retention.NONE) <= 1);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "-4, 8", // length, a little off
    "-3, 4", // length, by a kilobyte
    "-2, 255", // length, beyond what follows
    "-1, 32", // length, beyond the file
    "-1, 64", // "metadata" bit
    "-1, 128", // "not complete" bit
  })
  void shouldLoseNothingBeyondADamagedChronicleHeader(int offset, int bits) throws Exception {
    write();
    Batch damaged = batches.get(25);
    flip(damaged, offset, bits);
    long end = batches.get(BATCHES - 1).endOrdinal();
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> {
          try (ChronicleJournal journal = open()) {
            assertEquals(end, journal.nextOrdinal());
            Map<Long, String> read = Batches.readAll(journal, 0);
            read.forEach((ordinal, body) -> assertEquals(written.get(ordinal), body));
            Set<Long> missing = new TreeSet<>(without(Set.of(damaged)).keySet());
            missing.removeAll(read.keySet());
            assertEquals(Set.of(), missing);
          }
        });
  }

  @Test
  void shouldNotSkipWhatIsOnlyOutOfReach() throws Exception {
    write();
    flip(batches.get(0), CHRONICLE_HEADER + 3, 0x80);
    MessageView view = new MessageView();
    Map<Long, String> read = new TreeMap<>();
    try (PosixCalls posix = new PosixCalls();
        ChronicleJournal journal = open();
        JournalCursor cursor = journal.cursor()) {
      posix.refuseOpen = true;
      assertThrows(
          IOException.class,
          () -> {
            while (cursor.next(view, journal.nextOrdinal())) {
              read.put(view.ordinal(), Batches.text(view));
            }
          });
      posix.refuseOpen = false;
      while (cursor.next(view, journal.nextOrdinal())) {
        read.put(view.ordinal(), Batches.text(view));
      }
      assertEquals(0, cursor.unreadable());
    }
    assertEquals(written, read);
  }

  /** Bits flipped anywhere in what Chronicle and we wrote: file headers, index, marks, records. */
  @Test
  void shouldDeliverEverythingElseWhateverIsDamaged() throws Exception {
    write();
    long seed = System.nanoTime();
    Random random = new Random(seed);
    List<Path> files = List.copyOf(batches.stream().map(b -> Batches.file(dir, b)).toList());
    long end = batches.get(BATCHES - 1).endOrdinal();
    for (int i = 0; i < 50; i++) {
      Path file = files.get(random.nextInt(files.size()));
      // The head of a file is where the most can go wrong.
      long offset = random.nextInt(i % 4 == 0 ? 1024 : (int) FILE_BYTES + 8192);
      int bits = i % 2 == 0 ? 1 << random.nextInt(8) : 1 + random.nextInt(255);
      String what = "seed " + seed + ": " + file.getFileName() + ":" + offset + " ^ " + bits;
      flip(file, offset, bits);
      assertTimeoutPreemptively(
          Duration.ofSeconds(20),
          () -> {
            try (ChronicleJournal journal = open()) {
              assertTrue(journal.nextOrdinal() >= end, "ordinals in use");
              assertTrue(journal.nextOrdinal() < end + FILE_BYTES, "ordinals far away");
              Map<Long, String> read = Batches.readAll(journal, 0);
              read.forEach((ordinal, body) -> assertEquals(written.get(ordinal), body));
              Set<Long> missing = new TreeSet<>(written.keySet());
              missing.removeAll(read.keySet());
              for (Batch batch : batches) {
                long at = Position.offset(batch.position());
                boolean hit =
                    file.equals(Batches.file(dir, batch))
                        && offset >= at + CHRONICLE_HEADER
                        && offset < at + RecordCodec.JOURNAL_HEAD_BYTES + batch.sectionBytes();
                if (hit) {
                  for (long lost = batch.firstOrdinal(); lost < batch.endOrdinal(); lost++) {
                    missing.remove(lost);
                  }
                }
              }
              assertEquals(Set.of(), missing);
              Batch more = Batches.of("more");
              journal.append(more);
              assertEquals(
                  Map.of(more.firstOrdinal(), "more"),
                  Batches.readAll(journal, more.firstOrdinal()));
              read.put(more.firstOrdinal(), "more");
              journal.close();
              try (ChronicleJournal again = open()) {
                assertEquals(read, Batches.readAll(again, 0));
                assertEquals(more.endOrdinal(), again.nextOrdinal());
              }
            }
          },
          what);
      restore(files);
      flip(file, offset, bits);
    }
  }

  /** Takes back what opening and appending did to the directory. */
  private void restore(List<Path> files) throws IOException {
    for (Path file : files) {
      Path aside = file.resolveSibling(file.getFileName() + ".damaged");
      if (Files.exists(aside)) {
        Files.move(aside, file);
      }
    }
    try (DirectoryStream<Path> all = Files.newDirectoryStream(dir)) {
      for (Path file : all) {
        if (!files.contains(file)) {
          Files.delete(file);
        }
      }
    }
  }

  @Test
  void shouldReadByReferenceWhatALiveFileGotSinceItWasSearched() throws Exception {
    try (ChronicleJournal journal =
            new ChronicleJournal(dir, Batches.options(1 << 20), syncThread);
        JournalCursor cursor = journal.cursor()) {
      Batch first = Batches.of("first");
      journal.append(first);
      flip(first, CHRONICLE_HEADER + 3, 0x80);
      MessageView view = new MessageView();
      assertTrue(cursor.next(view, 1));
      MessageRef ref = Batches.ref(view);
      assertTrue(cursor.read(ref, view), "its file is mapped from now on, as far as it has data");
      String body = "x".repeat(20_000);
      // Sooner or later one begins inside of what was mapped, and ends beyond.
      for (int i = 1; i < 30; i++) {
        journal.append(Batches.of(body));
        assertTrue(cursor.next(view, i + 1));
        ref = Batches.ref(view);
        assertTrue(cursor.read(ref, view), "message " + i);
        assertEquals(body, Batches.text(view));
      }
    }
  }

  @Test
  void shouldReadByReferenceFromADamagedFile() throws Exception {
    write();
    List<MessageRef> refs = new ArrayList<>();
    MessageView view = new MessageView();
    try (ChronicleJournal journal = open();
        JournalCursor cursor = journal.cursor()) {
      while (cursor.next(view, journal.nextOrdinal())) {
        refs.add(Batches.ref(view));
      }
    }
    flip(batches.get(0), CHRONICLE_HEADER + 3, 0x80);
    flip(batches.get(2), 60, 1);
    Files.delete(Batches.file(dir, batches.get(BATCHES - 1)));
    try (ChronicleJournal journal = open();
        JournalCursor cursor = journal.cursor()) {
      assertTrue(cursor.read(refs.get(0), view));
      assertEquals(written.get(0L), Batches.text(view));
      assertFalse(cursor.read(refs.get(3), view));
      assertFalse(cursor.read(refs.get(refs.size() - 1), view));
      assertTrue(cursor.read(refs.get(1), view));
    }
  }
}
