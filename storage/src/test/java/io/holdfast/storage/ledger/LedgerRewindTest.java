package io.holdfast.storage.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.log.CycleFile;
import io.holdfast.storage.log.ExcerptLog;
import io.holdfast.storage.log.ExcerptReader;
import io.holdfast.storage.log.SizeRollCycle;
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
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A rewind in the ledger is there as a whole or not at all, wherever it is cut off. */
class LedgerRewindTest {
  /** Coprime to the alignment of records, so that it meets them everywhere. */
  private static final int CUT_STEP = 7;

  @TempDir Path root;
  private final SyncThread syncThread = new SyncThread(3_600_000);
  private Path dir;
  private Ledger ledger;

  @BeforeEach
  void open() throws IOException {
    dir = Files.createDirectory(root.resolve("ledger"));
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

  private static HeldMessage dead(long ordinal) {
    MessageRef ref = new MessageRef(ordinal, 4, 8, 1, 3);
    return HeldMessage.dead(ref, 77, HeldMessage.Mark.DEAD_ATTEMPTS);
  }

  /** Floor 100 and 110 to 149 finished, 105 held, 120 was delivered. */
  private void writeOld() throws IOException {
    ledger.beginAt(90);
    Iterator<HeldMessage> none = Collections.emptyIterator();
    ledger.checkpoint(new FinishedSet(100), 200, none, null);
    ledger.removeOldFiles();
    ledger.finish(ranges(110, 150));
    ledger.hold(List.of(new HeldMessage(new MessageRef(105, 4, 8, 1, 2), 0)));
  }

  /** From 60 on all again, but for 70 to 79; 50 is dead. */
  private void rewind(Ledger of) throws IOException {
    FinishedSet finished = new FinishedSet(50);
    finished.add(51, 60);
    finished.add(70, 80);
    // Another segment, so that there are more records.
    finished.add(1 << 20, (1 << 20) + 5);
    of.rewind(finished, 2 << 20, List.of(dead(50)).iterator(), 60);
  }

  private static String text(LedgerState state) {
    StringBuilder text = new StringBuilder();
    for (long ordinal = 0; ordinal < 210; ordinal++) {
      text.append(state.isFinished(ordinal) ? 'f' : (char) ('0' + state.attempts(ordinal)));
    }
    state.held().forEach(held -> text.append(' ').append(held.ref().ordinal()).append(held.mark()));
    return text.append(' ').append(state.isFinished((1 << 20) + 2)).toString();
  }

  private static LedgerState replay(Path dir, SyncThread syncThread) throws IOException {
    try (Ledger opened = new Ledger(dir, syncThread)) {
      return opened.replay();
    }
  }

  private void reopen() throws IOException {
    ledger.close();
    ledger = new Ledger(dir, syncThread);
    ledger.replay();
  }

  private static List<Long> positions(Path dir) throws IOException {
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

  private static void copy(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.filter(f -> f.toString().endsWith(SizeRollCycle.SUFFIX)).toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }

  private static void clear(Path dir) throws IOException {
    try (Stream<Path> files = Files.list(dir)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
  }

  private static Path file(Path dir, long position) {
    return dir.resolve(SizeRollCycle.fileName(Position.cycle(position)));
  }

  @Test
  void shouldTakeThePlaceOfAllThatWasSaid() throws IOException {
    writeOld();
    AtomicInteger told = new AtomicInteger();
    ledger.onFormat2(told::incrementAndGet);
    assertEquals(0, told.get());
    rewind(ledger);
    assertEquals(1, told.get());
    ledger.finish(ranges(60, 65));
    ledger.deliver(ranges(65, 66));
    for (int i = 0; i < 3; i++) {
      LedgerState state = replay(dir, syncThread);
      assertEquals(50, state.floor());
      assertEquals(60, state.begin());
      assertEquals(2 << 20, state.endOrdinal());
      assertTrue(state.held(50).isDead());
      assertEquals(1, state.attempts(65));
      assertTrue(state.isFinished(59) && state.isFinished(64) && state.isFinished(75));
      for (long unfinished : new long[] {50, 65, 69, 80, 105, 120, 149, 199}) {
        assertFalse(state.isFinished(unfinished), "finished: " + unfinished);
      }
      assertEquals(0, state.attempts(105));
      if (i == 0) {
        ledger.removeOldFiles();
      } else {
        // A later checkpoint adds to it.
        reopen();
        ledger.checkpoint(state.finished(), 2 << 20, state.held().iterator(), state.delivered());
        ledger.removeOldFiles();
      }
    }
  }

  @Test
  void shouldRewindAgainAndAgain() throws IOException {
    writeOld();
    for (int i = 0; i < 4; i++) {
      rewind(ledger);
      ledger.finish(ranges(60 + i, 61 + i));
      if (i % 2 == 0) {
        reopen();
      }
      LedgerState state = replay(dir, syncThread);
      for (int j = 0; j < 4; j++) {
        assertEquals(i == j, state.isFinished(60 + j));
      }
    }
  }

  /** What a kill or a power cut can leave of the new file: any beginning of it. */
  @Test
  void shouldBeWholeOrNothingWhereverItIsCutOff() throws IOException {
    writeOld();
    final String before = text(replay(dir, syncThread));
    rewind(ledger);
    final String after = text(replay(dir, syncThread));
    ledger.finish(ranges(60, 65));
    final String later = text(replay(dir, syncThread));
    assertNotEquals(before, after);
    ledger.close();
    List<Long> positions = positions(dir);
    long lastRecord = positions.get(positions.size() - 1);
    int newCycle = Position.cycle(lastRecord);
    long newFirst = positions.stream().filter(p -> Position.cycle(p) == newCycle).findFirst().get();
    Path image = Files.createDirectory(root.resolve("image"));
    int begin = Position.offset(newFirst) - 4;
    int end = Position.offset(lastRecord) + 40;
    int news = 0;
    for (int cut = begin; cut < end; cut += CUT_STEP) {
      clear(image);
      copy(dir, image);
      try (RandomAccessFile bytes = new RandomAccessFile(file(image, newFirst).toFile(), "rw")) {
        bytes.seek(cut);
        bytes.write(new byte[end + 64 - cut]);
      }
      String found = text(replay(image, syncThread));
      boolean isOld = found.equals(before);
      assertTrue(isOld || found.equals(after) || found.equals(later), cut + ": " + found);
      assertTrue(!isOld || news == 0, "the longer it is the more is there");
      news += isOld ? 0 : 1;
    }
    assertTrue(news > 0 && news < (end - begin) / CUT_STEP);
  }

  /** A power cut can take any pages of a file and leave later ones. */
  @Test
  void shouldCountForNothingWhenAnyOfItsRecordsIsMissing() throws IOException {
    writeOld();
    final String before = text(replay(dir, syncThread));
    rewind(ledger);
    final String after = text(replay(dir, syncThread));
    ledger.close();
    List<Long> positions = positions(dir);
    int newCycle = Position.cycle(positions.get(positions.size() - 1));
    List<Long> news = positions.stream().filter(p -> Position.cycle(p) == newCycle).toList();
    assertTrue(news.size() >= 5);
    Path image = Files.createDirectory(root.resolve("image"));
    int all = 1 << news.size();
    for (int missing = 1; missing < all; missing += missing < all / 2 ? missing : 3) {
      clear(image);
      copy(dir, image);
      try (RandomAccessFile bytes = new RandomAccessFile(file(image, news.get(0)).toFile(), "rw")) {
        for (int i = 0; i < news.size(); i++) {
          if ((missing & 1 << i) != 0) {
            bytes.seek(Position.offset(news.get(i)) + 5L);
            bytes.write(bytes.read() ^ 0x55);
          }
        }
      }
      try (Ledger opened = new Ledger(image, syncThread)) {
        assertEquals(before, text(opened.replay()), "missing " + missing);
        // It goes on with the old position, also in what it records from now on.
        opened.finish(ranges(100, 105));
        assertTrue(replay(image, syncThread).isFinished(149));
        assertEquals(105, replay(image, syncThread).floor());
        if (missing % 3 == 0) {
          rewind(opened);
          assertEquals(after, text(replay(image, syncThread)), "missing " + missing);
        } else {
          LedgerState state = replay(image, syncThread);
          opened.checkpoint(state.finished(), 200, state.held().iterator(), state.delivered());
          opened.removeOldFiles();
          assertEquals(105, replay(image, syncThread).floor());
        }
      }
    }
  }

  @Test
  void shouldTakeWhatIsLeftOfADamagedRewindWhereNothingElseIs() throws IOException {
    writeOld();
    rewind(ledger);
    ledger.removeOldFiles();
    ledger.finish(ranges(90, 95));
    ledger.close();
    long begin = positions(dir).get(0);
    Path image = Files.createDirectory(root.resolve("image"));
    for (long damaged : positions(dir)) {
      clear(image);
      copy(dir, image);
      try (RandomAccessFile bytes = new RandomAccessFile(file(image, damaged).toFile(), "rw")) {
        bytes.seek(Position.offset(damaged) + 5L);
        bytes.write(bytes.read() ^ 0x55);
      }
      LedgerState state = replay(image, syncThread);
      assertEquals(damaged == begin ? 0 : 50, state.floor());
      for (long unfinished : new long[] {50, 69, 80, 105, 120, 149}) {
        assertFalse(state.isFinished(unfinished), damaged + " finished: " + unfinished);
      }
    }
  }

  /** Somebody copies an old file to a later number: what it finished was rewound since. */
  @Test
  void shouldNotHeedFilesFromBeforeTheRewind() throws IOException {
    writeOld();
    Path old = Files.createDirectory(root.resolve("old"));
    copy(dir, old);
    long inOld = positions(dir).get(0);
    ledger = new Ledger(dir, syncThread);
    ledger.replay();
    rewind(ledger);
    ledger.removeOldFiles();
    ledger.finish(ranges(60, 62));
    ledger.close();
    String expected = text(replay(dir, syncThread));
    List<Long> positions = positions(dir);
    long last = positions.get(positions.size() - 1);
    for (int cycle : new int[] {Position.cycle(inOld), Position.cycle(last) + 1}) {
      Files.copy(file(old, inOld), dir.resolve(SizeRollCycle.fileName(cycle)));
    }
    assertEquals(expected, text(replay(dir, syncThread)));
  }

  @Test
  void shouldChangeNothingWhenItCannotBeWritten() throws IOException {
    writeOld();
    final String before = text(replay(dir, syncThread));
    Iterator<HeldMessage> failing =
        new Iterator<>() {
          @Override
          public boolean hasNext() {
            return true;
          }

          @Override
          public HeldMessage next() {
            throw new IllegalStateException("no room, say");
          }
        };
    FinishedSet finished = new FinishedSet(50);
    assertThrows(IllegalStateException.class, () -> ledger.rewind(finished, 2 << 20, failing, 60));
    assertEquals(before, text(replay(dir, syncThread)));
    ledger.finish(ranges(150, 151));
    LedgerState state = replay(dir, syncThread);
    assertTrue(state.isFinished(150));
    ledger.checkpoint(state.finished(), 200, state.held().iterator(), null);
    ledger.removeOldFiles();
    assertEquals(90, replay(dir, syncThread).begin());
    assertTrue(replay(dir, syncThread).isFinished(150));
    ledger.finish(ranges(151, 152));
    assertTrue(replay(dir, syncThread).isFinished(151));
  }

  /** Each record of a generation is a fact in whatever order the records of it come. */
  @Test
  void shouldHearMarkedRecordsInAnyOrderAndTwice() {
    List<java.util.function.Consumer<LedgerState>> facts = new ArrayList<>();
    Random random = new Random(7);
    for (int ordinal = 0; ordinal < 40; ordinal++) {
      long of = ordinal;
      facts.add(state -> state.deliver(of, of + 1));
      int lives = 0;
      for (int step = random.nextInt(6); step > 0; step--) {
        int packed = lives << 20 | 1 + random.nextInt(3);
        MessageRef ref = new MessageRef(of, 4, 8, 1, packed);
        facts.add(state -> state.hold(new HeldMessage(ref, 0)));
        facts.add(state -> state.hold(HeldMessage.dead(ref, 9, HeldMessage.Mark.DEAD_ATTEMPTS)));
        if (random.nextInt(3) > 0) {
          lives++;
          MessageRef again = new MessageRef(of, 4, 8, 1, lives << 20);
          facts.add(state -> state.hold(new HeldMessage(again, 0)));
        }
      }
      if (random.nextInt(5) == 0) {
        facts.add(state -> state.finish(of, of + 1));
      }
    }
    LedgerState inOrder = new LedgerState(0);
    facts.forEach(fact -> fact.accept(inOrder));
    for (int seed = 0; seed < 200; seed++) {
      List<java.util.function.Consumer<LedgerState>> shuffled = new ArrayList<>(facts);
      shuffled.addAll(facts.subList(0, seed % facts.size()));
      Collections.shuffle(shuffled, new Random(seed));
      LedgerState state = new LedgerState(0);
      shuffled.forEach(fact -> fact.accept(state));
      assertEquals(text(inOrder), text(state), "seed " + seed);
      inOrder
          .held()
          .forEach(
              held ->
                  assertEquals(
                      held.ref().packedAttempts(),
                      state.held(held.ref().ordinal()).ref().packedAttempts()));
    }
  }
}
