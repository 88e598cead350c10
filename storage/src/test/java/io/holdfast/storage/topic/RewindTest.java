package io.holdfast.storage.topic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.Batches;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.journal.Retention;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A channel that is put to another position has exactly what is there from it on. */
class RewindTest {
  private static final long FILE_BYTES = 32 << 10;
  private static final long HOUR_MS = 3_600_000;

  @TempDir Path dir;
  private final SyncThread syncThread = new SyncThread(3_600_000);
  private final MessageView view = new MessageView();
  private Path journalDir;
  private Path ledgerDir;
  private ChronicleJournal journal;
  private ChronicleBackend backend;
  private List<HeldMessage> held;
  private OrdinalRanges skipped = new OrdinalRanges();

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

  private void open() throws IOException {
    journal = new ChronicleJournal(journalDir, Batches.options(FILE_BYTES), syncThread);
    journal.skip(skipped);
    backend =
        ChannelBackends.open(ledgerDir, journal, syncThread, false, journal.firstOrdinal(), -1);
    held = new ArrayList<>(backend.takeHeld());
  }

  private void close() {
    backend.close();
    journal.close();
  }

  private void restart() throws IOException {
    close();
    open();
  }

  private void publish(int count) throws IOException {
    for (int i = 0; i < count; i++) {
      Batch batch = Batches.of(journal.nextOrdinal() + "-".repeat(800));
      journal.append(batch);
      backend.put(batch, 0);
    }
  }

  private List<MessageRef> poll(int count) throws IOException {
    List<MessageRef> refs = new ArrayList<>();
    while (refs.size() < count && backend.poll(view)) {
      refs.add(
          new MessageRef(
              view.ordinal(), view.batchPosition(), view.bodyOffset(), view.bodyLength(), 1));
    }
    return refs;
  }

  private void finish(long from, long to) throws IOException {
    OrdinalRanges ranges = new OrdinalRanges();
    ranges.add(from, to);
    backend.finish(ranges);
  }

  private void relocate(MessageRef... refs) throws IOException {
    List<HeldMessage> relocated = new ArrayList<>();
    try (JournalCursor cursor = journal.cursor()) {
      for (MessageRef ref : refs) {
        assertTrue(cursor.read(ref, view));
        ref.relocateTo(journal.relocate(view));
        relocated.add(new HeldMessage(ref, 0));
      }
    }
    journal.force();
    backend.relocate(relocated);
    backend.force();
    backend.relocationsForced();
  }

  private int removeFiles() throws IOException {
    return journal.removeBelow(backend.neededFrom(), backend.pinnedFile(), Retention.NONE);
  }

  private void rewind(long first, HeldMessage... staying) throws IOException {
    held = new ArrayList<>(backend.rewind(first, journal.relocationsFrom(first), List.of(staying)));
    backend.force();
    backend.removeOldFiles();
  }

  /** All that is unfinished and not dead, read as the broker reads it; nothing is changed. */
  private List<Long> unfinished() throws IOException {
    TreeSet<Long> ordinals = new TreeSet<>();
    for (HeldMessage message : held) {
      assertTrue(backend.read(message.ref(), view));
      assertTrue(Batches.text(view).startsWith(message.ref().ordinal() + "-"));
      if (!message.isDead()) {
        assertEquals(0, message.ref().packedAttempts());
        assertTrue(ordinals.add(message.ref().ordinal()));
      }
    }
    long depth = backend.depth();
    long polled = 0;
    while (backend.poll(view)) {
      assertTrue(Batches.text(view).startsWith(view.ordinal() + "-"));
      assertEquals(0, view.attempts());
      assertTrue(ordinals.add(view.ordinal()), "twice: " + view.ordinal());
      polled++;
    }
    assertEquals(depth, polled);
    return List.copyOf(ordinals);
  }

  private void assertUnfinished(LongStream ordinals) throws IOException {
    List<Long> expected = ordinals.boxed().toList();
    assertEquals(expected, unfinished());
    restart();
    assertEquals(expected, unfinished());
    // What was polled is still unfinished.
    restart();
  }

  @Test
  void shouldHaveEverythingAgainFromAnOrdinalOn() throws IOException {
    publish(100);
    poll(80);
    finish(0, 50);
    rewind(20);
    assertEquals(20, backend.neededFrom());
    publish(10);
    assertEquals(90, backend.depth());
    assertUnfinished(LongStream.range(20, 110));
    finish(20, 30);
    rewind(10);
    assertUnfinished(LongStream.range(10, 110));
  }

  @Test
  void shouldGoForwardAndToTheEnd() throws IOException {
    publish(100);
    poll(10);
    rewind(60);
    assertUnfinished(LongStream.range(60, 100));
    rewind(100);
    assertTrue(backend.isCaughtUp());
    publish(3);
    assertUnfinished(LongStream.range(100, 103));
    assertTrue(removeFiles() > 0);
    assertUnfinished(LongStream.range(100, 103));
  }

  @Test
  void shouldKeepDeadLettersThatAreOlder() throws IOException {
    publish(100);
    List<MessageRef> refs = poll(100);
    HeldMessage dead = HeldMessage.dead(refs.get(5), 123, HeldMessage.Mark.DEAD_ATTEMPTS);
    backend.hold(List.of(dead, HeldMessage.dead(refs.get(50), 9, HeldMessage.Mark.DEAD_ATTEMPTS)));
    finish(0, 5);
    rewind(40, dead);
    for (int i = 0; i < 2; i++) {
      assertEquals(1, held.size());
      assertEquals(HeldMessage.Mark.DEAD_ATTEMPTS, held.get(0).mark());
      assertEquals(123, held.get(0).dueMs());
      assertEquals(5, backend.neededFrom());
      assertUnfinished(LongStream.range(40, 100));
    }
    rewind(0);
    assertTrue(held.isEmpty());
    assertUnfinished(LongStream.range(0, 100));
  }

  @Test
  void shouldHaveCopiesWhoseOwnRecordIsGone() throws IOException {
    publish(200);
    List<MessageRef> refs = poll(200);
    finish(0, 7);
    finish(8, 21);
    finish(22, 150);
    // 7 and 21 pin no file any more; those from 150 on are in place.
    relocate(refs.get(7), refs.get(21));
    assertTrue(removeFiles() > 0);
    assertTrue(journal.firstOrdinal() > 21);
    assertEquals(7, journal.oldestOrdinal());
    long first = journal.firstOrdinal();
    finish(7, 8);
    rewind(0);
    LongStream inPlace = LongStream.range(first, 200);
    assertEquals(
        150, backend.neededFrom() + 150 - first, "relocated messages need no record of their own");
    assertUnfinished(LongStream.concat(LongStream.of(7, 21), inPlace));
    assertEquals(2, held.size());
    // Its file stays while it is needed.
    finish(22, 200);
    publish(100);
    finish(200, 300);
    removeFiles();
    rewind(10);
    first = journal.firstOrdinal();
    assertUnfinished(LongStream.concat(LongStream.of(21), LongStream.range(first, 300)));
    rewind(22);
    assertTrue(held.isEmpty());
    finish(first, 300);
    assertTrue(removeFiles() > 0);
  }

  @Test
  void shouldLeaveDeferredWhatIsNotDue() throws IOException {
    Batch deferred = Batches.of(HOUR_MS, List.of("0" + "-".repeat(800)));
    journal.append(deferred);
    MessageRef ref =
        new MessageRef(
            0,
            deferred.position(),
            deferred.sectionOffset() + Integer.BYTES,
            (int) deferred.bodyBytes(),
            0);
    HeldMessage notDue = HeldMessage.after(ref, HOUR_MS, System.currentTimeMillis());
    backend.putHeld(deferred, List.of(notDue));
    publish(100);
    rewind(0, notDue);
    assertEquals(1, held.size());
    assertTrue(held.get(0).remainingMs(System.currentTimeMillis()) > HOUR_MS / 2);
    assertEquals(100, backend.depth());
    restart();
    assertTrue(held.get(0).remainingMs(System.currentTimeMillis()) > HOUR_MS / 2);
    assertEquals(100, backend.depth());
    // Finished here; its relocation says when it is due.
    relocate(held.get(0).ref());
    finish(0, 90);
    assertTrue(removeFiles() > 0);
    rewind(0);
    assertEquals(1, held.size());
    assertTrue(held.get(0).remainingMs(System.currentTimeMillis()) > HOUR_MS / 2);
  }

  @Test
  void shouldLeaveOutOrdinalsThatNoMessageHas() throws IOException {
    publish(10);
    skipped.add(10, 1000);
    restart();
    publish(10);
    poll(20);
    finish(0, 10);
    finish(1000, 1010);
    rewind(5);
    assertEquals(15, backend.depth());
    assertUnfinished(LongStream.concat(LongStream.range(5, 10), LongStream.range(1000, 1010)));
  }

  @Test
  void shouldBeginANewChannelAtAPosition() throws IOException {
    publish(200);
    List<MessageRef> refs = poll(200);
    finish(0, 7);
    finish(8, 150);
    relocate(refs.get(7));
    assertTrue(removeFiles() > 0);
    long first = journal.firstOrdinal();
    Path other = Files.createDirectory(dir.resolve("other"));
    for (long from : new long[] {0, 7, 8, 160}) {
      Path at = Files.createDirectory(other.resolve("" + from));
      ChronicleBackend made =
          ChannelBackends.openFrom(
              at, journal, syncThread, from, journal.relocationsFrom(from), -1);
      for (int i = 0; i < 2; i++) {
        assertEquals(from <= 7 ? 1 : 0, made.takeHeld().size());
        assertEquals(200 - Math.max(first, from), made.depth());
        made.close();
        made = ChannelBackends.open(at, journal, syncThread, true, 0, -1);
        made.onFormat2(() -> assertFalse(true, "1.0 knows all of it"));
      }
      made.close();
    }
  }

  @Test
  void shouldTakeOutWhatWasDeliveredOnce() throws IOException {
    publish(100);
    poll(60);
    OrdinalRanges once = new OrdinalRanges();
    once.add(0, 10);
    once.add(20, 22);
    once.add(40, 41);
    backend.deliver(once);
    finish(3, 5);
    assertTrue(backend.takeDelivered(100).isEmpty(), "none before this process started");
    restart();
    List<MessageRef> taken = new ArrayList<>(backend.takeDelivered(6));
    assertEquals(6, taken.size());
    List<MessageRef> more = backend.takeDelivered(100);
    assertEquals(5, more.size());
    taken.addAll(more);
    assertTrue(backend.takeDelivered(100).isEmpty());
    assertEquals(
        List.of(0L, 1L, 2L, 5L, 6L, 7L, 8L, 9L, 20L, 21L, 40L),
        taken.stream().map(MessageRef::ordinal).toList());
    for (MessageRef ref : taken) {
      assertEquals(1, ref.packedAttempts());
      assertTrue(backend.read(ref, view));
      assertTrue(Batches.text(view).startsWith(ref.ordinal() + "-"));
    }
    assertEquals(100 - 2 - 11, backend.depth());
    backend.hold(
        taken.stream()
            .map(ref -> HeldMessage.dead(ref, 9, HeldMessage.Mark.DEAD_ATTEMPTS))
            .toList());
    LongStream others =
        LongStream.range(0, 100).filter(o -> taken.stream().noneMatch(r -> r.ordinal() == o));
    assertUnfinished(others.filter(o -> o != 3 && o != 4));
    assertEquals(11, held.size());
  }
}
