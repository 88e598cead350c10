package io.holdfast.storage.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.log.CycleFile;
import io.holdfast.storage.log.ExcerptLog;
import io.holdfast.storage.log.ExcerptReader;
import io.holdfast.storage.log.SizeRollCycle;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.record.RecordFormat;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.OrdinalRanges;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What is read from a ledger that lacks records: never a message as finished that is not, and of
 * what is left everything.
 */
class LedgerReplayTest {
  /** In the order in which {@link #writeCheckpoint} writes them. */
  private enum Part {
    BEGIN,
    FINISHED,
    DELIVERED,
    HELD,
    END
  }

  @TempDir Path dir;
  private final SyncThread syncThread = new SyncThread(3_600_000);
  private Ledger ledger;

  @BeforeEach
  void open() throws IOException {
    ledger = new Ledger(dir, syncThread);
  }

  @AfterEach
  void stop() {
    ledger.close();
    syncThread.close();
  }

  private static OrdinalRanges ranges(long from, long to) {
    OrdinalRanges ranges = new OrdinalRanges();
    ranges.add(from, to);
    return ranges;
  }

  private static HeldMessage held(long ordinal, int attempts) {
    return new HeldMessage(new MessageRef(ordinal, 4, 8, 1, attempts), 77);
  }

  /** Floor 100; 110 to 119 finished, 130 to 139 delivered, 140 held. */
  private void writeCheckpoint() throws IOException {
    FinishedSet finished = new FinishedSet(100);
    finished.add(110, 120);
    FinishedSet delivered = new FinishedSet(-1);
    delivered.add(130, 140);
    Iterator<HeldMessage> held = List.of(held(140, 3)).iterator();
    ledger.checkpoint(finished, 200, held, delivered);
    ledger.removeOldFiles();
  }

  private LedgerState reopen() throws IOException {
    ledger.close();
    ledger = new Ledger(dir, syncThread);
    return ledger.replay();
  }

  private List<Long> positions() throws IOException {
    List<Long> positions = new ArrayList<>();
    ExcerptLog log =
        new ExcerptLog(dir, Disk.LOCAL, 4 << 20, 256 << 10, CycleFile.Clearing.RARELY_FORCED);
    try (ExcerptReader reader = log.reader(RecordFormat.LEDGER)) {
      while (reader.next()) {
        positions.add(reader.position());
      }
    }
    log.close();
    return positions;
  }

  private void flip(long position, int offset) throws IOException {
    Path file = dir.resolve(SizeRollCycle.fileName(Position.cycle(position)));
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(Position.offset(position) + (long) offset);
      int value = bytes.read();
      bytes.seek(Position.offset(position) + (long) offset);
      bytes.write(value ^ 0x10);
    }
  }

  @Test
  void shouldHaveNoStateWithoutRecords() throws IOException {
    assertNull(ledger.replay());
    assertFalse(ledger.isIncomplete());
    assertFalse(ledger.hasFiles());
  }

  @Test
  void shouldReadBackAWholeCheckpointAndWhatFollows() throws IOException {
    writeCheckpoint();
    ledger.finish(ranges(100, 105));
    ledger.hold(List.of(held(150, 2)));
    LedgerState state = reopen();
    assertFalse(ledger.isIncomplete());
    assertEquals(105, state.floor());
    assertEquals(200, state.endOrdinal());
    assertTrue(state.isFinished(119));
    assertFalse(state.isFinished(120));
    assertEquals(1, state.attempts(135));
    assertEquals(3, state.attempts(140));
    assertEquals(2, state.attempts(150));
  }

  /** Each record of the only checkpoint damaged in turn; later records are whole. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4})
  void shouldKeepTheOtherRecordsOfADamagedCheckpoint(int part) throws IOException {
    writeCheckpoint();
    ledger.finish(ranges(160, 170));
    ledger.close();
    flip(positions().get(part), part == 0 || part == 4 ? 5 : RecordCodec.LEDGER_HEAD_BYTES);
    LedgerState state = reopen();
    Part damaged = Part.values()[part];
    assertTrue(ledger.isIncomplete());
    assertEquals(damaged == Part.BEGIN ? 0 : 100, state.floor());
    assertEquals(damaged != Part.FINISHED, state.isFinished(115));
    assertEquals(damaged != Part.DELIVERED ? 1 : 0, state.attempts(135));
    assertEquals(damaged != Part.HELD ? 3 : 0, state.attempts(140));
    assertTrue(state.isFinished(165));
    // Never more than was finished.
    for (long unfinished : new long[] {105, 125, 140, 159, 170}) {
      assertFalse(state.isFinished(unfinished), "finished: " + unfinished);
    }
  }

  /** A crash in the middle of a checkpoint: the files before it are still there. */
  @Test
  void shouldTakeTheOlderFilesWhenTheCheckpointHasNoEnd() throws IOException {
    writeCheckpoint();
    ledger.finish(ranges(120, 125));
    FinishedSet finished = new FinishedSet(100);
    finished.add(110, 125);
    ledger.checkpoint(finished, 210, List.of(held(140, 4)).iterator(), null);
    ledger.close();
    List<Long> positions = positions();
    flip(positions.get(positions.size() - 1), 5);
    LedgerState state = reopen();
    assertEquals(100, state.floor());
    assertTrue(state.isFinished(124));
    assertFalse(state.isFinished(125));
    assertEquals(4, state.attempts(140));
    assertEquals(210, state.endOrdinal());
    assertNull(state.held(150));
    assertNotNull(state.held(140));
  }

  @Test
  void shouldRedeliverWhatADamagedFinishSaid() throws IOException {
    writeCheckpoint();
    ledger.finish(ranges(100, 101));
    ledger.finish(ranges(102, 103));
    ledger.finish(ranges(104, 105));
    ledger.close();
    List<Long> positions = positions();
    flip(positions.get(positions.size() - 2), 4);
    LedgerState state = reopen();
    assertTrue(ledger.isIncomplete());
    assertTrue(state.isFinished(100) && state.isFinished(104));
    assertFalse(state.isFinished(102));
  }

  @Test
  void shouldSurviveFilesOfZeroLengthAndGarbage() throws IOException {
    writeCheckpoint();
    ledger.close();
    Files.createFile(dir.resolve(SizeRollCycle.fileName(90)));
    Files.writeString(dir.resolve("README"), "not ours");
    Files.createDirectory(dir.resolve(SizeRollCycle.fileName(95)));
    LedgerState state = reopen();
    assertEquals(100, state.floor());
    ledger.finish(ranges(100, 110));
    assertEquals(120, reopen().floor());
    try (Stream<Path> files = Files.list(dir)) {
      assertTrue(files.anyMatch(f -> f.endsWith("README")));
    }
  }
}
