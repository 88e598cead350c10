package io.holdfast.storage.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.Batches;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.ledger.Ledger;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A directory that was copied without the holes of its files gets them back. */
class FileHolesTest {
  private static final int MESSAGES = 20;

  @TempDir Path dir;

  private final Map<Long, String> written = new TreeMap<>();

  private void append(ChronicleJournal journal, Ledger ledger) throws IOException {
    for (int i = 0; i < MESSAGES; i++) {
      // Zeros within a record are no hole.
      String body = i == MESSAGES / 2 ? "\0".repeat(90_000) : "m" + i;
      Batch batch = Batches.of(body);
      journal.append(batch);
      written.put(batch.firstOrdinal(), body);
      OrdinalRanges finished = new OrdinalRanges();
      finished.add(batch.firstOrdinal());
      ledger.finish(finished);
    }
  }

  private List<Path> files() throws IOException {
    List<Path> files = new ArrayList<>();
    try (Stream<Path> all = Files.walk(dir)) {
      all.filter(file -> file.toString().endsWith(SizeRollCycle.SUFFIX)).forEach(files::add);
    }
    return files;
  }

  private static long allocated(List<Path> files) throws IOException {
    long bytes = 0;
    for (Path file : files) {
      bytes += DurableFiles.allocatedBytes(file);
    }
    return bytes;
  }

  @Test
  void shouldGiveBackWhatACopyFilled() throws Exception {
    Path journalDir = Files.createDirectory(dir.resolve("journal"));
    Path ledgerDir = Files.createDirectory(dir.resolve("ledger"));
    StorageOptions options = new StorageOptions(4 << 20, 100_000, false, 0);
    FileTime old = FileTime.fromMillis(1_000_000_000_000L);
    for (int start = 0; start < 2; start++) {
      try (SyncThread sync = new SyncThread(3_600_000);
          ChronicleJournal journal = new ChronicleJournal(journalDir, options, sync);
          Ledger ledger = new Ledger(ledgerDir, sync)) {
        ledger.replay();
        append(journal, ledger);
      }
    }
    List<Path> files = files();
    long before = allocated(files);
    for (Path file : files) {
      Files.write(file, Files.readAllBytes(file));
      Files.setLastModifiedTime(file, old);
    }
    long filled = allocated(files);
    assumeTrue(filled > 8 * before, "the file system has no holes");
    try (SyncThread sync = new SyncThread(3_600_000);
        ChronicleJournal journal = new ChronicleJournal(journalDir, options, sync);
        Ledger ledger = new Ledger(ledgerDir, sync)) {
      LedgerState state = ledger.replay();
      append(journal, ledger);
      journal.giveBackHoles();
      ledger.giveBackHoles();
      append(journal, ledger);
      long after = allocated(files);
      // A run of 64 KiB that a record ends in stays.
      assertTrue(after <= before + files.size() * (64L << 10), before + " before, " + after);
      assertEquals(written, Batches.readAll(journal, 0));
      assertEquals(2 * MESSAGES, state.floor());
      assertEquals(old, Files.getLastModifiedTime(files.get(0)));
    }
    try (SyncThread sync = new SyncThread(3_600_000);
        ChronicleJournal journal = new ChronicleJournal(journalDir, options, sync)) {
      assertEquals(written, Batches.readAll(journal, 0));
    }
  }
}
