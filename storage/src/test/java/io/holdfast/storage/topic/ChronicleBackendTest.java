package io.holdfast.storage.topic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.Batches;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.log.SizeRollCycle;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A channel's backend over a journal: depth, order, restarts, and what damage costs exactly. */
class ChronicleBackendTest {
  private static final long FILE_BYTES = 32 << 10;

  @TempDir Path dir;
  private final SyncThread syncThread = new SyncThread(3_600_000);
  private final MessageView view = new MessageView();
  private Path journalDir;
  private Path ledgerDir;
  private ChronicleJournal journal;
  private ChronicleBackend backend;

  @BeforeEach
  void start() throws IOException {
    journalDir = Files.createDirectory(dir.resolve("journal"));
    ledgerDir = Files.createDirectory(dir.resolve("ledger"));
    open();
  }

  @AfterEach
  void stop() {
    close();
    syncThread.close();
  }

  private List<HeldMessage> open() throws IOException {
    journal = new ChronicleJournal(journalDir, Batches.options(FILE_BYTES), syncThread);
    backend =
        ChannelBackends.open(ledgerDir, journal, syncThread, false, journal.firstOrdinal(), -1);
    return List.copyOf(backend.takeHeld());
  }

  private void close() {
    backend.close();
    journal.close();
  }

  private List<HeldMessage> restart() throws IOException {
    close();
    return open();
  }

  private Batch publish(int inMemory, String... bodies) throws IOException {
    Batch batch = Batches.of(bodies);
    journal.append(batch);
    backend.put(batch, inMemory);
    return batch;
  }

  private List<String> pollAll() throws IOException {
    List<String> texts = new ArrayList<>();
    while (backend.poll(view)) {
      texts.add(Batches.text(view));
    }
    return texts;
  }

  private static OrdinalRanges ranges(long... bounds) {
    OrdinalRanges ranges = new OrdinalRanges();
    for (int i = 0; i < bounds.length; i += 2) {
      ranges.add(bounds[i], bounds[i + 1]);
    }
    return ranges;
  }

  private void flip(Batch batch, int offset) throws IOException {
    try (RandomAccessFile bytes =
        new RandomAccessFile(Batches.file(journalDir, batch).toFile(), "rw")) {
      long at = Position.offset(batch.position()) + (long) offset;
      bytes.seek(at);
      int value = bytes.read();
      bytes.seek(at);
      bytes.write(value ^ 0x20);
    }
  }

  @Test
  void shouldCountOnlyWhatMemoryDidNotTake() throws IOException {
    publish(2, "a", "b");
    assertTrue(backend.isCaughtUp());
    publish(1, "c", "d", "e");
    assertFalse(backend.isCaughtUp());
    assertEquals(2, backend.depth());
    publish(0, "f");
    assertEquals(List.of("d", "e", "f"), pollAll());
    assertTrue(backend.isCaughtUp());
    assertEquals(0, backend.depth());
  }

  @Test
  void shouldHaveEverythingUnfinishedAgainAfterARestart() throws IOException {
    publish(3, "a", "b", "c");
    publish(0, "d", "e");
    assertEquals(List.of("d", "e"), pollAll());
    backend.deliver(ranges(0, 2));
    backend.finish(ranges(0, 1, 3, 4));
    assertTrue(restart().isEmpty());
    assertEquals(1, backend.neededFrom());
    assertEquals(3, backend.depth());
    assertTrue(backend.poll(view));
    assertEquals("b", Batches.text(view));
    assertEquals(1, view.attempts());
    assertEquals(List.of("c", "e"), pollAll());
    backend.finish(ranges(1, 3, 4, 5));
    restart();
    assertEquals(0, backend.depth());
    assertEquals(5, backend.neededFrom());
  }

  @Test
  void shouldGiveBackHeldMessagesAndNotPollThem() throws IOException {
    Batch batch = publish(2, "held", "ready");
    MessageRef ref =
        new MessageRef(0, batch.position(), batch.sectionOffset() + Integer.BYTES, 4, 2);
    backend.hold(List.of(new HeldMessage(ref, 123)));
    List<HeldMessage> held = restart();
    assertEquals(1, held.size());
    assertEquals(123, held.get(0).dueMs());
    assertEquals(2, held.get(0).ref().attempts());
    assertEquals(List.of("ready"), pollAll());
    assertTrue(backend.read(held.get(0).ref(), view));
    assertEquals("held", Batches.text(view));
  }

  @Test
  void shouldKeepDeadLettersWhenEmptied() throws IOException {
    Batch batch = publish(3, "gone", "dead", "gone, too");
    int bodyOf1 = batch.sectionOffset() + Integer.BYTES + 4 + Integer.BYTES;
    MessageRef ref = new MessageRef(1, batch.position(), bodyOf1, 4, 2);
    HeldMessage dead = HeldMessage.dead(ref, 123, HeldMessage.Mark.DEAD_EXPIRED);
    AtomicInteger told = new AtomicInteger();
    backend.onFormat2(told::incrementAndGet);
    assertEquals(0, told.get());
    backend.hold(List.of(dead));
    backend.hold(List.of(dead));
    assertEquals(1, told.get());
    backend.empty(List.of(dead));
    assertEquals(0, backend.depth());
    assertEquals(1, backend.neededFrom());
    for (int i = 0; i < 2; i++) {
      List<HeldMessage> held = restart();
      assertEquals(1, held.size());
      assertEquals(HeldMessage.Mark.DEAD_EXPIRED, held.get(0).mark());
      assertEquals(123, held.get(0).dueMs());
      assertTrue(backend.read(held.get(0).ref(), view));
      assertEquals("dead", Batches.text(view));
      assertEquals(0, backend.depth());
      backend.onFormat2(told::incrementAndGet);
      assertEquals(2 + i, told.get());
      backend.checkpoint(held.iterator());
      backend.removeOldFiles();
    }
    backend.empty();
    assertTrue(restart().isEmpty());
    assertEquals(3, backend.neededFrom());
  }

  @Test
  void shouldDropEverythingWhenEmptied() throws IOException {
    publish(0, "a", "b");
    backend.empty();
    assertEquals(0, backend.depth());
    assertEquals(2, backend.neededFrom());
    publish(0, "c");
    restart();
    assertEquals(List.of("c"), pollAll());
  }

  @Test
  void shouldSkipAndCountExactlyTheDamagedBatch() throws IOException {
    publish(0, "a", "b");
    Batch damaged = publish(0, "c", "d", "e");
    publish(0, "f");
    flip(damaged, RecordCodec.JOURNAL_HEAD_BYTES + Integer.BYTES);
    restart();
    assertEquals(6, backend.depth());
    assertEquals(List.of("a", "b", "f"), pollAll());
    assertEquals(3, backend.unreadable());
    assertEquals(0, backend.depth());
    assertTrue(backend.isCaughtUp());
    backend.finish(ranges(0, 2, 5, 6));
    assertEquals(6, backend.neededFrom());
    restart();
    assertEquals(0, backend.depth());
    assertEquals(0, backend.unreadable());
  }

  /** The same without a restart, where the file is still written. */
  @Test
  void shouldSkipAndCountDamageInTheFileBeingWritten() throws IOException {
    publish(0, "a", "b");
    Batch damaged = publish(0, "c", "d", "e");
    publish(0, "f");
    assertTrue(backend.poll(view));
    // Or it would go on with what it has read ahead.
    backend.closeIdle();
    flip(damaged, RecordCodec.JOURNAL_HEAD_BYTES + Integer.BYTES);
    assertEquals(List.of("b", "f"), pollAll());
    assertEquals(3, backend.unreadable());
    publish(0, "g");
    assertEquals(List.of("g"), pollAll());
    assertEquals(0, backend.depth());
  }

  /** Chronicle's length before an excerpt leads nowhere: what follows is found all the same. */
  @Test
  void shouldLoseNothingBehindADamagedHeaderInTheFileBeingWritten() throws IOException {
    for (int bit = 0; bit < 4; bit++) {
      publish(0, "a" + bit);
      Batch damaged = publish(0, "b" + bit, "c" + bit);
      publish(0, "d" + bit);
      assertTrue(backend.poll(view));
      flip(damaged, -4 + bit);
      assertEquals(List.of("b" + bit, "c" + bit, "d" + bit), pollAll(), "byte " + bit);
      publish(0, "e" + bit);
      publish(0, "f" + bit, "g" + bit);
      assertEquals(List.of("e" + bit, "f" + bit, "g" + bit), pollAll(), "byte " + bit);
      assertTrue(backend.isCaughtUp());
    }
    assertEquals(0, backend.unreadable());
  }

  @Test
  void shouldCountWhatCannotBeReadByReference() throws IOException {
    Batch batch = publish(1, "gone");
    MessageRef ref =
        new MessageRef(0, batch.position(), batch.sectionOffset() + Integer.BYTES, 4, 1);
    flip(batch, RecordCodec.JOURNAL_HEAD_BYTES + Integer.BYTES + 1);
    assertFalse(backend.read(ref, view));
    assertEquals(1, backend.unreadable());
  }

  @Test
  void shouldNotCountWhatWasFinishedBeforeTheDamage() throws IOException {
    Batch damaged = publish(0, "a", "b", "c");
    publish(0, "d");
    assertEquals(List.of("a", "b", "c", "d"), pollAll());
    backend.finish(ranges(1, 2));
    flip(damaged, RecordCodec.JOURNAL_HEAD_BYTES + Integer.BYTES);
    restart();
    assertEquals(3, backend.depth());
    assertEquals(List.of("d"), pollAll());
    assertEquals(2, backend.unreadable());
  }

  /** Without its ledger a channel has all that is in the journal. */
  @Test
  void shouldRedeliverRatherThanLoseWhenTheLedgerIsDamaged() throws IOException {
    publish(0, "a", "b");
    assertEquals(List.of("a", "b"), pollAll());
    backend.finish(ranges(0, 1));
    close();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(ledgerDir, "*.cq4")) {
      for (Path file : files) {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
          bytes.seek(0);
          bytes.write(new byte[64 << 10]);
        }
      }
    }
    open();
    assertEquals(List.of("a", "b"), pollAll());
    assertEquals(0, backend.unreadable());
  }

  /** Somebody copied the ledger's first file to a number behind the newest. */
  @Test
  void shouldDeliverExactlyWhatIsUnfinishedWithAnOlderLedgerFileAsTheNewest() throws IOException {
    publish(0, "a", "b", "c", "d", "e", "f");
    backend.finish(ranges(0, 1));
    restart();
    backend.finish(ranges(1, 2, 3, 5));
    close();
    List<Path> files;
    try (Stream<Path> all = Files.list(ledgerDir)) {
      files = all.filter(f -> f.toString().endsWith(SizeRollCycle.SUFFIX)).sorted().toList();
    }
    Files.copy(files.get(0), ledgerDir.resolve(SizeRollCycle.fileName(90)));
    open();
    assertEquals(2, backend.depth());
    assertEquals(List.of("c", "f"), pollAll());
    backend.finish(ranges(2, 3));
    restart();
    assertEquals(List.of("f"), pollAll());
  }

  @Test
  void shouldKeepFilesOfWhatTheLedgerDoesNotKnowToBeFinished() throws IOException {
    publish(0, "a", "b");
    assertEquals(List.of("a", "b"), pollAll());
    backend.finish(ranges(0, 1));
    assertEquals(1, backend.neededFrom());
    assertFalse(backend.isBehind());
    // A ledger that takes no more.
    Files.move(ledgerDir, dir.resolve("gone"));
    backend.closeIdle();
    assertThrows(IOException.class, () -> backend.finish(ranges(1, 2)));
    assertTrue(backend.isBehind());
    assertTrue(backend.wantsCheckpoint());
    assertEquals(1, backend.neededFrom());
    Files.move(dir.resolve("gone"), ledgerDir);
    backend.checkpoint(List.<HeldMessage>of().iterator());
    assertFalse(backend.isBehind());
    assertEquals(2, backend.neededFrom());
    restart();
    assertEquals(0, backend.depth());
  }

  @Test
  void shouldLeaveNothingOfACheckpointThatFailed() throws Exception {
    publish(0, "a", "b", "c");
    backend.finish(ranges(0, 1));
    List<String> before = names();
    Iterator<HeldMessage> failing =
        new Iterator<>() {
          @Override
          public boolean hasNext() {
            return true;
          }

          @Override
          public HeldMessage next() {
            throw new IllegalStateException("as a full disk would");
          }
        };
    for (int i = 0; i < 3; i++) {
      assertThrows(IllegalStateException.class, () -> backend.checkpoint(failing));
      assertEquals(before, names());
    }
    backend.finish(ranges(1, 2));
    restart();
    assertEquals(List.of("c"), pollAll());
    backend.checkpoint(List.<HeldMessage>of().iterator());
    backend.removeOldFiles();
    assertEquals(1, names().size());
    restart();
    assertEquals(List.of("c"), pollAll());
  }

  private List<String> names() throws IOException {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(ledgerDir, "*.cq4")) {
      files.forEach(file -> names.add(file.getFileName().toString()));
    }
    names.sort(null);
    return names;
  }

  @Test
  void shouldReadBacklogOfEphemeralChannelAndLetItGoUpToAnOrdinal() throws IOException {
    journal.append(Batches.of("a", "b", "c", "d", "e"));
    try (ChronicleBackend ephemeral = ChannelBackends.ephemeral(journal, 0)) {
      ephemeral.extend(journal.nextOrdinal());
      assertEquals(5, ephemeral.depth());
      assertTrue(ephemeral.poll(view));
      assertEquals("a", Batches.text(view));
      assertEquals(2, ephemeral.dropBelow(3));
      assertEquals(0, ephemeral.dropBelow(2));
      assertTrue(ephemeral.poll(view));
      assertEquals("d", Batches.text(view));
      assertEquals(0, ephemeral.neededFrom());
      ephemeral.finish(ranges(0, 1));
      assertEquals(3, ephemeral.neededFrom());
      assertEquals(1, ephemeral.dropBelow(Long.MAX_VALUE));
      assertTrue(ephemeral.isCaughtUp());
      assertEquals(0, ephemeral.unreadable());
      assertEquals(0, ephemeral.diskBytes());
      assertFalse(ephemeral.wantsCheckpoint());
    }
  }
}
