package io.holdfast.storage.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.SyncThread;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalSeekTest {
  private static final long FILE_BYTES = 64 << 10;

  @TempDir Path dir;
  private final AtomicLong nowNs = new AtomicLong(1_000);

  private ChronicleJournal open(SyncThread syncThread) throws IOException {
    return new ChronicleJournal(
        dir,
        new StorageOptions(FILE_BYTES, Batches.MAX_RECORD_BYTES, false, 0, nowNs::get),
        syncThread);
  }

  @Test
  void theFirstMessageAtATimeOrLaterIsFoundInAnyFile() throws IOException {
    try (SyncThread syncThread = new SyncThread(3_600_000)) {
      try (ChronicleJournal journal = open(syncThread)) {
        assertEquals(0, journal.ordinalAt(0), "an empty journal");
        for (int i = 0; i < 2_000; i++) {
          nowNs.set(1_000 + 10L * i);
          journal.append(Batches.of("x".repeat(200)));
        }
        assertTrue(journal.diskFiles() > 5, "several files: " + journal.diskFiles());
        check(journal);
      }
      try (ChronicleJournal journal = open(syncThread)) {
        check(journal);
      }
    }
  }

  private static void check(ChronicleJournal journal) throws IOException {
    for (int i = 0; i < 2_000; i += 37) {
      assertEquals(i, journal.ordinalAt(1_000 + 10L * i));
      assertEquals(i + 1, journal.ordinalAt(1_001 + 10L * i));
    }
    assertEquals(0, journal.ordinalAt(Long.MIN_VALUE));
    assertEquals(2_000, journal.ordinalAt(1_000 + 10L * 1_999 + 1));
    assertEquals(2_000, journal.ordinalAt(Long.MAX_VALUE));
  }

  @Test
  void anMpubIsFoundByItsFirstMessageAndTheCountAloneIsNone() throws IOException {
    try (SyncThread syncThread = new SyncThread(3_600_000);
        ChronicleJournal journal = open(syncThread)) {
      nowNs.set(100);
      journal.append(Batches.of("a", "b", "c"));
      nowNs.set(200);
      journal.leaveRelocations();
      nowNs.set(300);
      journal.append(Batches.of("d"));
      assertEquals(0, journal.ordinalAt(100));
      assertEquals(3, journal.ordinalAt(101));
      assertEquals(3, journal.ordinalAt(200));
      assertEquals(3, journal.ordinalAt(300));
      assertEquals(4, journal.ordinalAt(301));
    }
  }
}
