package io.holdfast.storage.topic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.FaultyDisk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batches;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.ledger.Ledger;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How much of its files the opening of a log reads and forces, holes or none. */
class StartCostTest {
  /** Per log: the header of the newest file, and its records in windows. */
  private static final int READS = 16;

  @TempDir Path dir;

  private static int readsToOpen(Path journalDir, Path ledgerDir) throws IOException {
    FaultyDisk disk = new FaultyDisk();
    try (SyncThread sync = new SyncThread(3_600_000, disk);
        ChronicleJournal journal =
            new ChronicleJournal(journalDir, Batches.options(64 << 20), sync);
        Ledger ledger = new Ledger(ledgerDir, sync)) {
      assertEquals(100, journal.nextOrdinal());
      ledger.replay();
      assertEquals(0, disk.forces.get());
      return disk.reads.get();
    }
  }

  @Test
  void shouldReadNoMoreOfACopyWithoutHoles() throws Exception {
    Path journalDir = Files.createDirectory(dir.resolve("journal"));
    Path ledgerDir = Files.createDirectory(dir.resolve("ledger"));
    try (SyncThread sync = new SyncThread(3_600_000);
        ChronicleJournal journal =
            new ChronicleJournal(journalDir, Batches.options(64 << 20), sync);
        Ledger ledger = new Ledger(ledgerDir, sync)) {
      OrdinalRanges ranges = new OrdinalRanges();
      for (int i = 0; i < 100; i++) {
        journal.append(Batches.of("x".repeat(100)));
        ranges.clear();
        ranges.add(i, i + 1);
        ledger.finish(ranges);
      }
    }
    int reads = readsToOpen(journalDir, ledgerDir);
    assertTrue(reads <= 2 * READS, reads + " reads");
    for (Path log : List.of(journalDir, ledgerDir)) {
      try (Stream<Path> files = Files.list(log)) {
        for (Path file : files.toList()) {
          // An ordinary write of every byte leaves no hole.
          Files.write(file, Files.readAllBytes(file));
        }
      }
    }
    assertEquals(reads, readsToOpen(journalDir, ledgerDir));
  }
}
