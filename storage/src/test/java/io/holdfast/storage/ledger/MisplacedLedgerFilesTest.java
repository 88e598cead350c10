package io.holdfast.storage.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.log.LogFileNames;
import io.holdfast.storage.log.SizeRollCycle;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.OrdinalRanges;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of a ledger that somebody copied to other numbers: they say nothing that was not so. */
class MisplacedLedgerFilesTest {
  private static final int LATER = 90;
  private static final int MESSAGES = 60;

  @TempDir Path dir;
  @TempDir Path kept;

  private final SyncThread syncThread = new SyncThread(3_600_000);
  private Ledger ledger;

  /** What is held, by ordinal; only for {@link #work}. */
  private final Map<Long, HeldMessage> held = new TreeMap<>();

  private final FinishedSet finished = new FinishedSet(0);

  @BeforeEach
  void open() throws IOException {
    ledger = new Ledger(dir, syncThread);
  }

  @AfterEach
  void close() {
    ledger.close();
    syncThread.close();
  }

  private LedgerState reopen() throws IOException {
    ledger.close();
    ledger = new Ledger(dir, syncThread);
    return ledger.replay();
  }

  private static OrdinalRanges ranges(long from, long to) {
    OrdinalRanges ranges = new OrdinalRanges();
    ranges.add(from, to);
    return ranges;
  }

  private static HeldMessage held(long ordinal, int attempts, int copyIn) {
    boolean relocated = copyIn > 1;
    return new HeldMessage(
        new MessageRef(ordinal, Position.of(copyIn, 8), 8, 1, attempts, relocated),
        attempts * 100L);
  }

  private void checkpoint() throws IOException {
    ledger.checkpoint(finished, MESSAGES, held.values().iterator(), null);
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(dir)) {
      return files
          .filter(file -> LogFileNames.cycleOf(file.getFileName().toString()) >= 0)
          .sorted()
          .toList();
    }
  }

  private void copy(Path file, int number) throws IOException {
    Files.copy(file, dir.resolve(SizeRollCycle.fileName(number)));
  }

  @Test
  void shouldNotBringBackWhatWasFinishedAfterAnOlderCheckpoint() throws IOException {
    checkpoint();
    ledger.finish(ranges(0, 10));
    reopen();
    ledger.finish(ranges(10, 20));
    ledger.close();
    copy(files().get(0), LATER);
    LedgerState state = reopen();
    assertEquals(20, state.floor());
    assertFalse(state.isFinished(20));
  }

  @Test
  void shouldNotLoseAMessageToAnOlderPlaceOfIt() throws IOException {
    checkpoint();
    ledger.hold(List.of(held(3, 1, 1), held(4, 1, 2)));
    reopen();
    // Relocated again, and the file with the older place is gone.
    ledger.hold(List.of(held(3, 1, 7), held(4, 1, 7)));
    ledger.close();
    copy(files().get(0), LATER);
    LedgerState state = reopen();
    for (long ordinal : new long[] {3, 4}) {
      assertTrue(state.held(ordinal).ref().isRelocated());
      assertEquals(7, state.held(ordinal).ref().file());
    }
  }

  @Test
  void shouldNotBringBackWhatWasFinishedAfterAnOlderEmptying() throws IOException {
    checkpoint();
    ledger.empty(10);
    reopen();
    ledger.finish(ranges(15, 20));
    ledger.hold(List.of(held(12, 2, 1)));
    ledger.close();
    copy(files().get(0), LATER);
    LedgerState state = reopen();
    assertTrue(state.isFinished(17));
    assertEquals(2, state.attempts(12));
    assertEquals(10, state.floor());
  }

  @Test
  void shouldNotCountAttemptsBackOrTakeAnOlderDueTime() throws IOException {
    checkpoint();
    ledger.hold(List.of(held(3, 1, 1)));
    reopen();
    ledger.hold(List.of(held(3, 5, 1)));
    ledger.close();
    copy(files().get(0), LATER);
    LedgerState state = reopen();
    assertEquals(5, state.attempts(3));
    assertEquals(500, state.held(3).dueMs());
  }

  /** Whatever file there ever was, under whatever other number: the ledger says the same. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void shouldSayTheSameWithAnyOfItsFilesAgain(long seed) throws IOException {
    Random random = new Random(seed);
    work(random);
    LedgerState before = reopen();
    ledger.close();
    List<Path> ever;
    try (Stream<Path> files = Files.list(kept)) {
      ever = new ArrayList<>(files.sorted().toList());
    }
    ever.addAll(files());
    int lowest = LogFileNames.cycleOf(files().get(0).getFileName().toString());
    for (int i = 0; i < 3; i++) {
      copy(ever.get(random.nextInt(ever.size())), LATER + i);
    }
    if (lowest > 1) {
      copy(ever.get(random.nextInt(ever.size())), lowest - 1);
    }
    LedgerState after = reopen();
    assertEquals(before.endOrdinal(), after.endOrdinal());
    for (long ordinal = 0; ordinal < MESSAGES; ordinal++) {
      assertEquals(before.isFinished(ordinal), after.isFinished(ordinal), "finished: " + ordinal);
      assertEquals(before.attempts(ordinal), after.attempts(ordinal), "attempts: " + ordinal);
      assertEquals(text(before.held(ordinal)), text(after.held(ordinal)));
    }
  }

  private static String text(HeldMessage message) {
    return message == null
        ? "not held"
        : message.ref().ordinal()
            + " with "
            + message.ref().attempts()
            + " attempts, due "
            + message.dueMs()
            + ", in "
            + message.ref().file();
  }

  /** Some lives of a channel; each file is kept before it is removed. */
  private void work(Random random) throws IOException {
    checkpoint();
    int copyIn = 1;
    for (int step = 0; step < 120; step++) {
      long ordinal = random.nextInt(MESSAGES);
      HeldMessage known = held.get(ordinal);
      switch (random.nextInt(8)) {
        case 0, 1 -> {
          ledger.finish(ranges(ordinal, ordinal + 1));
          finished.add(ordinal, ordinal + 1);
          held.remove(ordinal);
        }
        case 2, 3, 4 -> {
          int file = known == null ? 1 : known.ref().file();
          hold(held(ordinal, known == null ? 2 : known.ref().attempts() + 1, file));
        }
        case 5 -> {
          if (known != null) {
            hold(held(ordinal, known.ref().attempts(), ++copyIn));
          }
        }
        case 6 -> reopen();
        default -> {
          if (random.nextInt(3) == 0) {
            checkpoint();
            for (Path file : files()) {
              Path copy = kept.resolve(step + "-" + file.getFileName());
              Files.copy(file, copy);
            }
            ledger.removeOldFiles();
          }
        }
      }
    }
  }

  private void hold(HeldMessage message) throws IOException {
    if (!finished.contains(message.ref().ordinal())) {
      ledger.hold(List.of(message));
      held.put(message.ref().ordinal(), message);
    }
  }
}
