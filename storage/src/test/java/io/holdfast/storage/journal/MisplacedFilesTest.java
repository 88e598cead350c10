package io.holdfast.storage.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.StrayFiles;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.log.SizeRollCycle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whole journal files that somebody copied to a number that is not theirs. */
class MisplacedFilesTest {
  /** Each start begins a file. */
  private static final int STARTS = 6;

  @TempDir Path dir;

  private final SyncThread syncThread = new SyncThread(3_600_000);
  private final Map<Long, String> written = new TreeMap<>();

  @AfterEach
  void close() {
    syncThread.close();
  }

  private ChronicleJournal open() throws Exception {
    return new ChronicleJournal(dir, Batches.options(1 << 20), syncThread);
  }

  private void append(ChronicleJournal journal, String... bodies) throws Exception {
    Batch batch = Batches.of(bodies);
    journal.append(batch);
    for (int i = 0; i < bodies.length; i++) {
      written.put(batch.firstOrdinal() + i, bodies[i]);
    }
  }

  private void start(int times) throws Exception {
    for (int i = 0; i < times; i++) {
      try (ChronicleJournal journal = open()) {
        append(journal, "a" + i, "b" + i);
        append(journal, "c" + i);
      }
    }
  }

  private Path file(int cycle) {
    return dir.resolve(SizeRollCycle.fileName(cycle));
  }

  private List<String> strays() throws Exception {
    try (Stream<Path> files = Files.list(dir)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.contains(StrayFiles.SUFFIX))
          .toList();
    }
  }

  private void shouldHaveEverythingOnce(int putAside) throws Exception {
    for (int i = 0; i < 2; i++) {
      try (ChronicleJournal journal = open()) {
        assertEquals(written, Batches.readAll(journal, 0));
        assertEquals(written.size(), journal.nextOrdinal());
        append(journal, "after");
        assertEquals(written, Batches.readAll(journal, 0));
      }
    }
    assertEquals(putAside, strays().size(), strays()::toString);
  }

  /** Makes a copy that is younger by the clock of the file system, as any that somebody makes. */
  private static void copyLater(Path from, Path to) throws IOException {
    do {
      Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
    } while (changed(to).compareTo(changed(from)) <= 0);
  }

  private static FileTime changed(Path file) throws IOException {
    return (FileTime) Files.getAttribute(file, "unix:ctime");
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 9",
    "1, 1, 2",
    "1, 1, 5000",
    "6, 1, 7",
    "6, 1, 9",
    "6, 3, 9",
    "6, 5, 7",
    "6, 6, 7",
    "6, 6, 100",
    "6, 2, 0"
  })
  void shouldPutACopyAside(int files, int original, int copy) throws Exception {
    start(files);
    copyLater(file(original), file(copy));
    Map<Path, String> seen = JournalView.misplaced(dir);
    assertEquals(List.of(file(copy)), List.copyOf(seen.keySet()));
    assertEquals(written.size(), new JournalView(dir).nextOrdinal());
    shouldHaveEverythingOnce(1);
    assertTrue(Files.exists(file(original)));
    assertFalse(Files.exists(file(copy)) && copy > files + 2, "the copy");
  }

  @Test
  void shouldPutAsideAFileOfLongAgo() throws Exception {
    start(STARTS);
    Path old = dir.resolve("old");
    Files.move(file(2), old);
    Files.delete(file(1));
    for (long ordinal = 0; ordinal < 6; ordinal++) {
      written.remove(ordinal);
    }
    Files.move(old, file(50));
    try (ChronicleJournal journal = open()) {
      assertEquals(STARTS * 3, journal.nextOrdinal());
      assertEquals(written, Batches.readAll(journal, 6));
      assertEquals(6, journal.firstOrdinal());
    }
  }

  @Test
  void shouldKeepTheNewestOfSeveralInPlaceOfOlderOnes() throws Exception {
    start(STARTS);
    for (int cycle = 1; cycle < STARTS; cycle++) {
      Files.delete(file(cycle));
    }
    copyLater(file(STARTS), file(2));
    try (ChronicleJournal journal = open()) {
      assertEquals(STARTS * 3, journal.nextOrdinal());
      assertTrue(Files.exists(file(STARTS)), "what ledgers refer to");
      assertFalse(Files.exists(file(2)));
    }
  }

  @Test
  void shouldNotWriteToWhatSomebodyPutWhereTheNextFileGoes() throws Exception {
    start(1);
    try (ChronicleJournal journal = open()) {
      append(journal, "x".repeat(90_000));
      copyLater(file(1), file(3));
      for (int i = 0; i < 12; i++) {
        append(journal, "y".repeat(90_000));
      }
      assertTrue(journal.diskFiles() > 2);
      assertEquals(written, Batches.readAll(journal, 0));
    }
    shouldHaveEverythingOnce(1);
  }

  @Test
  void shouldLeaveAloneWhatIsInOrder() throws Exception {
    start(2);
    try (ChronicleJournal journal = open()) {
      // A record without messages keeps the count; what comes next has the same ordinal.
      journal.leaveRelocations();
    }
    start(1);
    shouldHaveEverythingOnce(0);
  }
}
