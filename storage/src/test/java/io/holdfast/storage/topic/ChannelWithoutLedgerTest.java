package io.holdfast.storage.topic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.FaultyDisk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.Batches;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.log.SizeRollCycle;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A channel that has all of its topic needs no ledger before it has something to record. */
class ChannelWithoutLedgerTest {
  private static final boolean KNOWN = true;
  private static final boolean KEEPS_ALL = true;

  @TempDir Path dir;
  private final FaultyDisk disk = new FaultyDisk();
  private final SyncThread syncThread = new SyncThread(3_600_000, disk);
  private Path ledgerDir;
  private ChronicleJournal journal;
  private ChronicleBackend backend;

  @BeforeEach
  void start() throws IOException {
    ledgerDir = Files.createDirectory(dir.resolve("ledger"));
    journal =
        new ChronicleJournal(
            Files.createDirectory(dir.resolve("journal")), Batches.options(32 << 10), syncThread);
  }

  @AfterEach
  void stop() {
    if (backend != null) {
      backend.close();
    }
    journal.close();
    syncThread.close();
  }

  private void open(boolean known, boolean keepsAll, long first) throws IOException {
    backend =
        ChannelBackends.open(
            ledgerDir, journal, syncThread, known, keepsAll, first, -1, Long.MAX_VALUE);
    assertTrue(backend.takeHeld().size() == 0);
  }

  private void reopen(boolean known) throws IOException {
    backend.close();
    open(known, false, 0);
  }

  private void publish(String body) throws IOException {
    Batch batch = Batches.of(body);
    journal.append(batch);
    if (backend != null) {
      backend.put(batch, 0);
    }
  }

  private List<String> pollAll() throws IOException {
    MessageView view = new MessageView();
    List<String> texts = new ArrayList<>();
    while (backend.poll(view)) {
      texts.add(Batches.text(view));
    }
    return texts;
  }

  private void finish(long from, long to) throws IOException {
    OrdinalRanges ranges = new OrdinalRanges();
    ranges.add(from, to);
    backend.finish(ranges);
  }

  private void deleteAll() throws IOException {
    backend.close();
    try (Stream<Path> files = Files.list(ledgerDir)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
  }

  private long files() throws IOException {
    try (Stream<Path> files = Files.list(ledgerDir)) {
      return files.count();
    }
  }

  @Test
  void shouldMakeItWithTheFirstMessage() throws Exception {
    open(!KNOWN, KEEPS_ALL, 0);
    assertEquals(0, files());
    publish("a");
    publish("b");
    assertEquals(1, files());
    assertEquals(0, disk.forces.get());
    // A power cut may take it.
    deleteAll();
    // As after a crash before the metadata says more than that everything is kept.
    reopen(!KNOWN);
    assertEquals(List.of("a", "b"), pollAll());
    finish(0, 1);
    reopen(!KNOWN);
    assertEquals(List.of("b"), pollAll());
  }

  /** Without waiting for the disk: the same is found without it. */
  @Test
  void shouldMakeItAtOnceWhereThereAreMessages() throws Exception {
    publish("a");
    int forces = disk.forces.get();
    open(!KNOWN, KEEPS_ALL, 0);
    assertEquals(1, files());
    assertEquals(forces, disk.forces.get());
    deleteAll();
    reopen(!KNOWN);
    assertEquals(List.of("a"), pollAll());
  }

  /** Stopped and started, however often. */
  @Test
  void shouldNeedNoneWhileThereAreNoMessages() throws Exception {
    open(!KNOWN, KEEPS_ALL, 0);
    for (int i = 0; i < 3; i++) {
      backend.checkpoint(Collections.emptyIterator());
      reopen(KNOWN);
    }
    assertEquals(0, files());
  }

  /** With the oldest file of the journal its messages are lost, and that is to be noticed. */
  @Test
  void shouldCountMessagesThatWereLostBeforeAnythingBecameOfThem() throws Exception {
    open(!KNOWN, KEEPS_ALL, 0);
    String large = "x".repeat(20 << 10);
    for (int i = 0; i < 4; i++) {
      publish(large);
    }
    backend.close();
    journal.close();
    Files.delete(dir.resolve("journal").resolve(SizeRollCycle.fileName(1)));
    journal = new ChronicleJournal(dir.resolve("journal"), Batches.options(32 << 10), syncThread);
    open(KNOWN, false, 0);
    int left = pollAll().size();
    assertTrue(left > 0 && left < 4, left + " left");
    assertEquals(4 - left, backend.unreadable());
  }

  @Test
  void shouldSayAtOnceWhereAChannelBeginsThatNobodyRemembers() throws Exception {
    open(!KNOWN, !KEEPS_ALL, 0);
    assertEquals(1, files());
    backend.close();
    publish("a");
    // Where a channel begins that has no ledger.
    open(!KNOWN, false, journal.nextOrdinal());
    assertEquals(List.of("a"), pollAll());
  }

  @Test
  void shouldSayAtOnceThatAChannelDoesNotHaveAll() throws Exception {
    publish("before");
    open(!KNOWN, KEEPS_ALL, journal.nextOrdinal());
    assertEquals(1, files());
    publish("after");
    reopen(KNOWN);
    assertEquals(List.of("after"), pollAll());
  }

  /** What it said counts again, perhaps, when the disk can read it again: better said anew. */
  @Test
  void shouldSayAtOnceWhatItDecidedOfADamagedLedger() throws Exception {
    open(!KNOWN, !KEEPS_ALL, 0);
    backend.close();
    Path file = ledgerDir.resolve(SizeRollCycle.fileName(1));
    byte[] content = Files.readAllBytes(file);
    for (int at = 0; at < content.length - 4; at++) {
      if (content[at] == 'H' && content[at + 1] == 'L') {
        content[at + 4] ^= 0x55;
      }
    }
    Files.write(file, content);
    open(KNOWN, KEEPS_ALL, 0);
    assertEquals(2, files());
  }

  /** Of a rewind that stands alone in the ledger any part would count. */
  @Test
  void shouldSayWhereItBeginsBeforeARewind() throws Exception {
    open(!KNOWN, KEEPS_ALL, 0);
    publish("a");
    publish("b");
    publish("c");
    int forces = disk.forces.get();
    backend.rewind(2, List.of(), List.of());
    assertTrue(disk.forces.get() > forces, "what was before the rewind is not forced");
    try (Stream<Path> all = Files.list(ledgerDir)) {
      Files.delete(all.sorted().reduce((first, next) -> next).orElseThrow());
    }
    reopen(KNOWN);
    assertEquals(List.of("a", "b", "c"), pollAll());
  }

  /**
   * What was finished meanwhile is in memory only; that the rest works again makes it no better.
   */
  @Test
  void shouldStayBehindUntilACheckpointWhenTheFirstRecordFailed() throws Exception {
    open(!KNOWN, KEEPS_ALL, 0);
    Files.delete(ledgerDir);
    assertThrows(IOException.class, () -> publish("a"));
    assertThrows(IOException.class, () -> publish("b"));
    assertThrows(IOException.class, () -> finish(0, 1));
    Files.createDirectory(ledgerDir);
    finish(1, 2);
    assertTrue(backend.isBehind());
    backend.checkpoint(Collections.emptyIterator());
    assertFalse(backend.isBehind());
    reopen(KNOWN);
    assertEquals(List.of(), pollAll());
  }
}
