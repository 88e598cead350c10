package io.holdfast.storage.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a ledger records comes back, and its files go when they are not needed any more. */
class LedgerTest {
  /** Refuses new files, or forces, while it is told to. */
  private static final class RefusingDisk extends Disk {
    private boolean files;
    private boolean forces;

    @Override
    public void createFile(Path file) throws IOException {
      if (files) {
        throw new IOException("no new file");
      }
      super.createFile(file);
    }

    @Override
    public void force(Path file, boolean withSize) throws IOException {
      if (forces) {
        throw new IOException("no force");
      }
      super.force(file, withSize);
    }
  }

  @TempDir Path dir;
  private final RefusingDisk disk = new RefusingDisk();
  private final SyncThread syncThread = SyncThread.stepped(disk);
  private Ledger ledger;

  @BeforeEach
  void open() throws IOException {
    ledger = new Ledger(dir, syncThread);
    ledger.beginAt(7);
    checkpoint();
  }

  @AfterEach
  void close() {
    disk.files = false;
    disk.forces = false;
    ledger.close();
  }

  private static OrdinalRanges ranges(long from, long to) {
    OrdinalRanges ranges = new OrdinalRanges();
    ranges.add(from, to);
    return ranges;
  }

  private static HeldMessage held(long ordinal, int attempts) {
    return new HeldMessage(new MessageRef(ordinal, 4, 8, 1, attempts), 77);
  }

  /** Floor 10, 12 finished, end 100. */
  private void checkpoint(HeldMessage... held) throws IOException {
    FinishedSet finished = new FinishedSet(10);
    finished.add(12, 13);
    ledger.checkpoint(finished, 100, List.of(held).iterator(), null);
  }

  private LedgerState reopen() throws IOException {
    ledger.close();
    ledger = new Ledger(dir, syncThread);
    return ledger.replay();
  }

  @Test
  void shouldRememberWhereTheChannelBegan() throws IOException {
    assertEquals(7, reopen().begin());
    checkpoint();
    assertEquals(7, reopen().begin());
  }

  @Test
  void shouldRememberFinishesDeliveriesAndWhatIsHeld() throws IOException {
    ledger.finish(ranges(20, 30));
    ledger.deliver(ranges(30, 31));
    ledger.hold(List.of(held(40, 3)));
    LedgerState state = reopen();
    assertTrue(state.isFinished(12) && state.isFinished(29));
    assertFalse(state.isFinished(11) || state.isFinished(30));
    assertEquals(1, state.attempts(30));
    assertEquals(3, state.attempts(40));
    assertEquals(77, state.held(40).dueMs());
    assertEquals(100, state.endOrdinal());
  }

  /** A new channel, and one that has finished everything: a file of its own, and none is open. */
  @Test
  void shouldSumUpAFloorInASmallFile() throws IOException {
    for (int floor = 100; floor < 103; floor++) {
      ledger.closeIdle();
      ledger.checkpoint(new FinishedSet(floor), floor + 5, List.<HeldMessage>of().iterator(), null);
      ledger.removeOldFiles();
      assertEquals(1, ledger.diskFiles());
      assertFalse(ledger.isDirty());
    }
    assertTrue(ledger.diskBytes() <= 20 << 10, ledger.diskBytes() + " bytes");
    ledger.finish(ranges(102, 104));
    assertEquals(2, ledger.diskFiles());
    assertTrue(ledger.isDirty());
    LedgerState state = reopen();
    assertFalse(ledger.isIncomplete());
    assertEquals(104, state.floor());
    assertEquals(107, state.endOrdinal());
    assertEquals(7, state.begin());
    // What was summed up last is all that the next one needs.
    ledger.checkpoint(new FinishedSet(110), 110, List.<HeldMessage>of().iterator(), null);
    ledger.removeOldFiles();
    state = reopen();
    assertEquals(110, state.floor());
    assertEquals(7, state.begin());
  }

  @Test
  void shouldHaveWhatItHadWhenASmallFileCannotBeMade() throws IOException {
    ledger.closeIdle();
    ledger.checkpoint(new FinishedSet(20), 25, List.<HeldMessage>of().iterator(), null);
    disk.files = true;
    assertThrows(
        IOException.class,
        () -> ledger.checkpoint(new FinishedSet(21), 25, List.<HeldMessage>of().iterator(), null));
    disk.files = false;
    assertTrue(ledger.isBehind());
    ledger.finish(ranges(20, 22));
    assertEquals(22, reopen().floor());
    assertFalse(ledger.isIncomplete());
  }

  @Test
  void shouldForgetWhatIsHeldBelowWhatWasEmptied() throws IOException {
    ledger.hold(List.of(held(40, 3), held(50, 2)));
    ledger.empty(45);
    LedgerState state = reopen();
    assertEquals(45, state.floor());
    assertEquals(null, state.held(40));
    assertEquals(2, state.attempts(50));
  }

  /** As many as fit in one record, and some more. */
  @Test
  void shouldRecordMoreThanFitInOneRecord() throws IOException {
    int count = LedgerCodec.MAX_ENTRIES + 3;
    List<HeldMessage> many = new ArrayList<>();
    OrdinalRanges odd = new OrdinalRanges();
    for (int i = 0; i < count; i++) {
      many.add(held(1000 + 2L * i, 1));
      odd.add(1001 + 2L * i, 1002 + 2L * i);
    }
    ledger.hold(many);
    ledger.finish(odd);
    LedgerState state = reopen();
    assertEquals(count, state.held().size());
    assertTrue(state.isFinished(1001 + 2L * (count - 1)));
    assertFalse(state.isFinished(1000 + 2L * (count - 1)));
  }

  @Test
  void shouldBeDirtyUntilACheckpoint() throws IOException {
    assertFalse(ledger.isDirty());
    ledger.finish(ranges(20, 30));
    assertTrue(ledger.isDirty());
    assertFalse(ledger.wantsCheckpoint());
    checkpoint();
    assertFalse(ledger.isDirty());
  }

  @Test
  void shouldWantACheckpointWhenThereAreManyFiles() throws IOException {
    for (int i = 0; i < 8; i++) {
      assertFalse(ledger.wantsCheckpoint());
      reopen();
      ledger.finish(ranges(20 + i, 21 + i));
    }
    assertTrue(ledger.wantsCheckpoint());
    checkpoint();
    ledger.removeOldFiles();
    assertEquals(1, ledger.diskFiles());
    assertFalse(ledger.wantsCheckpoint());
  }

  @Test
  void shouldKeepOldFilesUntilTheCheckpointIsOnDisk() throws IOException {
    checkpoint(held(40, 3));
    assertEquals(2, ledger.diskFiles());
    disk.forces = true;
    assertThrows(IOException.class, () -> ledger.removeOldFiles());
    assertEquals(2, ledger.diskFiles());
    disk.forces = false;
    ledger.removeOldFiles();
    assertEquals(1, ledger.diskFiles());
    assertEquals(3, reopen().attempts(40));
  }

  @Test
  void shouldKeepWhatItKnewWhenACheckpointBreaksOff() throws IOException {
    ledger.finish(ranges(20, 30));
    Iterator<HeldMessage> breaks =
        new Iterator<>() {
          @Override
          public boolean hasNext() {
            return true;
          }

          @Override
          public HeldMessage next() {
            throw new IllegalStateException("breaks off");
          }
        };
    FinishedSet finished = new FinishedSet(30);
    assertThrows(IllegalStateException.class, () -> ledger.checkpoint(finished, 100, breaks, null));
    assertEquals(1, ledger.diskFiles());
    assertTrue(ledger.isDirty());
    LedgerState state = reopen();
    assertEquals(10, state.floor());
    assertTrue(state.isFinished(29));
  }

  @Test
  void shouldBeBehindFromARecordThatFailedToTheNextCheckpoint() throws IOException {
    reopen();
    disk.files = true;
    assertThrows(IOException.class, () -> ledger.finish(ranges(20, 30)));
    assertTrue(ledger.isBehind() && ledger.wantsCheckpoint() && ledger.isDirty());
    disk.files = false;
    ledger.finish(ranges(30, 40));
    assertTrue(ledger.isBehind());
    checkpoint();
    assertFalse(ledger.isBehind());
  }

  private void cutAll(long to) throws IOException {
    try (Stream<Path> entries = Files.list(dir)) {
      for (Path file : entries.filter(f -> f.toString().endsWith(".cq4")).toList()) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          channel.truncate(to);
        }
      }
    }
  }

  /** Whatever could not be written before: without a begin what there is would pass for damaged. */
  @Test
  void shouldBeginWithTheFirstRecordThatCanBeWritten() throws IOException {
    ledger.close();
    Path other = Files.createDirectory(dir.resolve("other"));
    ledger = new Ledger(other, syncThread);
    ledger.beginAt(3);
    ledger.beginWithFirstRecord(new FinishedSet(3), 50);
    assertFalse(ledger.isDirty() || ledger.hasFiles());
    disk.files = true;
    assertThrows(IOException.class, () -> ledger.finish(ranges(5, 6)));
    assertThrows(IOException.class, this::checkpoint);
    disk.files = false;
    ledger.finish(ranges(7, 8));
    assertTrue(ledger.isBehind());
    ledger.close();
    ledger = new Ledger(other, syncThread);
    LedgerState state = ledger.replay();
    assertFalse(ledger.isIncomplete());
    assertEquals(3, state.floor());
    assertEquals(3, state.begin());
    assertEquals(50, state.endOrdinal());
    assertTrue(state.isFinished(7));
    assertFalse(state.isFinished(5));
  }

  /** Memory knows what the file held, whether it is being written, closed or of an earlier run. */
  @ParameterizedTest
  @ValueSource(strings = {"open", "closed", "found"})
  void shouldWantACheckpointWhenAFileWasCutOff(String state) throws IOException {
    ledger.finish(ranges(20, 30));
    if (state.equals("closed")) {
      ledger.closeIdle();
    } else if (state.equals("found")) {
      reopen();
    }
    assertFalse(ledger.wantsCheckpoint());
    cutAll(100);
    // It is looked at once a millisecond at most.
    Awaitility.await().atMost(Duration.ofSeconds(60)).until(ledger::wantsCheckpoint);
    assertTrue(ledger.isDirty());
    checkpoint();
    ledger.removeOldFiles();
    assertFalse(ledger.wantsCheckpoint() || ledger.isDirty());
    assertTrue(reopen().isFinished(12));
    assertEquals(7, ledger.replay().begin());
  }

  @Test
  void shouldGoOnAfterItWasClosedWhileIdle() throws IOException {
    ledger.finish(ranges(20, 30));
    ledger.closeIdle();
    ledger.finish(ranges(30, 40));
    assertTrue(reopen().isFinished(39));
  }
}
