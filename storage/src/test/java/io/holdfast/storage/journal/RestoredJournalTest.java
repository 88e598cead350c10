package io.holdfast.storage.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A journal that is put back to an end noted before; single messages found by their ordinal. */
class RestoredJournalTest {
  private static final long MAX_BYTES_PER_FILE = 32 << 10;

  @TempDir Path dir;

  private final List<Path> forced = new ArrayList<>();
  private SyncThread sync;
  private ChronicleJournal journal;
  private final Map<Long, String> written = new TreeMap<>();

  private final class Watched extends Disk {
    @Override
    public void force(Path file, boolean withSize) throws IOException {
      forced.add(file);
      super.force(file, withSize);
    }
  }

  @BeforeEach
  void open() throws IOException {
    sync = SyncThread.stepped(new Watched());
    journal = restore(JournalEnd.EMPTY, 0, false);
  }

  @AfterEach
  void close() {
    journal.close();
    sync.close();
  }

  private ChronicleJournal restore(JournalEnd end, long next, boolean checkAll) throws IOException {
    return restore(end, next, new OrdinalRanges(), checkAll);
  }

  private ChronicleJournal restore(
      JournalEnd end, long next, OrdinalRanges skipped, boolean checkAll) throws IOException {
    return ChronicleJournal.restore(
        dir, Batches.options(MAX_BYTES_PER_FILE), sync, end, next, skipped, checkAll);
  }

  private void append(int batches) throws IOException {
    for (int i = 0; i < batches; i++) {
      String[] bodies = new String[1 + i % 3];
      for (int b = 0; b < bodies.length; b++) {
        long ordinal = journal.nextOrdinal() + b;
        bodies[b] = "message " + ordinal + "x".repeat((int) (ordinal % 400));
        written.put(ordinal, bodies[b]);
      }
      journal.append(Batches.of(bodies));
    }
  }

  private IOException refused(JournalEnd end, long next, boolean checkAll) {
    journal.close();
    return assertThrows(IOException.class, () -> restore(end, next, checkAll));
  }

  @Test
  void goesBackToAnEndAndOnFromThere() throws Exception {
    append(150);
    JournalEnd end = journal.end();
    long next = journal.nextOrdinal();
    append(200);
    journal.close();
    journal = restore(end, next, true);
    // A power cut must not bring back what was behind the end: the next file has that again.
    assertEquals(List.of(journal.file(end.file())), forced);
    assertEquals(next, journal.nextOrdinal());
    assertEquals(end, journal.end());
    written.keySet().removeIf(ordinal -> ordinal >= next);
    append(40);
    assertEquals(written, Batches.readAll(journal, 0));
    // Once more, behind what was appended by two processes.
    JournalEnd second = journal.end();
    long secondNext = journal.nextOrdinal();
    append(3);
    journal.close();
    journal = restore(second, secondNext, true);
    written.keySet().removeIf(ordinal -> ordinal >= secondNext);
    assertEquals(written, Batches.readAll(journal, 0));
  }

  @Test
  void goesBackToNothing() throws Exception {
    append(100);
    journal.close();
    journal = restore(JournalEnd.EMPTY, 0, true);
    assertEquals(0, journal.nextOrdinal());
    assertEquals(0, journal.diskFiles());
  }

  @Test
  void otherLinksKeepWhatIsBeforeTheEnd(@TempDir Path links) throws Exception {
    append(5);
    JournalEnd end = journal.end();
    long next = journal.nextOrdinal();
    Path link = links.resolve("link");
    Files.createLink(link, journal.file(end.file()));
    byte[] before = Files.readAllBytes(link);
    append(5);
    journal.close();
    journal = restore(end, next, true);
    append(5);
    byte[] after = Files.readAllBytes(link);
    assertEquals(end.offset(), after.length);
    // But for Chronicle's notes at the file's head.
    int data = 16 << 10;
    assertEquals(
        ByteBuffer.wrap(before, data, after.length - data),
        ByteBuffer.wrap(after, data, after.length - data));
  }

  @Test
  void ordinalsThatWereSkippedAreNoGap() throws Exception {
    append(5);
    OrdinalRanges skipped = new OrdinalRanges();
    skipped.add(journal.nextOrdinal(), journal.nextOrdinal() + 100);
    journal.skip(skipped);
    append(5);
    JournalEnd end = journal.end();
    long next = journal.nextOrdinal();
    journal.close();
    assertThrows(IOException.class, () -> restore(end, next, true));
    journal = restore(end, next, skipped, true);
    assertEquals(written, Batches.readAll(journal, 0));
  }

  @Test
  void anotherCountIsAnError() throws Exception {
    append(5);
    JournalEnd end = journal.end();
    long next = journal.nextOrdinal();
    String refusal = refused(end, next + 1, false).getMessage();
    assertTrue(refusal.contains(end.offset() + ": message " + next), refusal);
  }

  @Test
  void aShorterFileIsAnError() throws Exception {
    append(5);
    JournalEnd end = journal.end();
    Path file = journal.file(end.file());
    journal.close();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(end.offset() - 1);
    }
    String refusal = refused(end, 10, false).getMessage();
    assertEquals(
        file + ":" + (end.offset() - 1) + ": the file ends here, not at " + end.offset(), refusal);
  }

  @Test
  void aMissingFileIsAnError() throws Exception {
    append(5);
    JournalEnd end = journal.end();
    Path file = journal.file(end.file());
    journal.close();
    Files.delete(file);
    assertTrue(refused(end, 10, false).getMessage().contains("is gone"));
  }

  @Test
  void damageBeforeTheEndIsAnErrorThatNamesThePlace() throws Exception {
    append(150);
    JournalEnd end = journal.end();
    long next = journal.nextOrdinal();
    MessageRef first = journal.find(0);
    MessageRef last = journal.find(next - 1);
    Path old = journal.file(first.file());
    Path newest = journal.file(last.file());
    journal.close();
    flip(old, first.bodyOffset());
    // It is not in the newest file: found when all are read, or when somebody wants it.
    restore(end, next, false).close();
    String refusal = refused(end, next, true).getMessage();
    assertTrue(
        refusal.contains(old + ":" + Position.offset(first.batchPosition()) + ": checksum"),
        refusal);
    flip(old, first.bodyOffset());
    flip(newest, last.bodyOffset());
    refusal = refused(end, next, false).getMessage();
    assertTrue(
        refusal.contains(newest + ":" + Position.offset(last.batchPosition()) + ": checksum"),
        refusal);
  }

  @Test
  void anEndInTheMiddleOfARecordIsAnError() throws Exception {
    append(5);
    JournalEnd end = journal.end();
    JournalEnd early = new JournalEnd(end.file(), end.offset() - 3);
    String refusal = refused(early, journal.nextOrdinal(), false).getMessage();
    assertTrue(refusal.contains(journal.file(end.file()).toString()), refusal);
  }

  private static void flip(Path file, int offset) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer one = ByteBuffer.allocate(1);
      channel.read(one, offset);
      one.put(0, (byte) (one.get(0) ^ 0x40));
      channel.write(one.flip(), offset);
    }
  }

  @Test
  void onlyItsOwnerForcesIt() throws Exception {
    append(1);
    sync.pass(true, true);
    assertEquals(List.of(), forced);
    assertTrue(journal.whenDurable(null));
    journal.force();
    assertEquals(List.of(journal.file(1)), forced);
    append(1);
    forced.clear();
    journal.close();
    sync.pass(true, true);
    assertEquals(List.of(), forced);
  }

  @Test
  void takesMoreThanMayWaitForADiskElsewhere() throws Exception {
    journal.close();
    StorageOptions large = new StorageOptions(64 << 20, 1 << 20, false, 0);
    journal =
        ChronicleJournal.restore(dir, large, sync, JournalEnd.EMPTY, 0, new OrdinalRanges(), false);
    int count = 200_000;
    ByteBuffer section = ByteBuffer.allocateDirect(count * 5);
    for (int i = 0; i < count; i++) {
      section.putInt(1).put((byte) 'x');
    }
    section.flip();
    while (journal.nextOrdinal() <= GroupCommit.MAX_UNFORCED + count) {
      journal.append(new Batch(section.duplicate(), count, 0));
    }
    sync.pass(true, true);
    assertEquals(List.of(), forced);
  }

  @Test
  void findsEachMessage() throws Exception {
    append(300);
    assertTrue(journal.diskFiles() > 3);
    try (JournalCursor cursor = journal.cursor()) {
      MessageView view = new MessageView();
      for (Map.Entry<Long, String> message : written.entrySet()) {
        MessageRef found = journal.find(message.getKey());
        assertEquals(message.getKey(), found.ordinal());
        assertTrue(cursor.read(found, view));
        assertEquals(message.getValue(), Batches.text(view));
      }
    }
    assertNull(journal.find(journal.nextOrdinal()));
  }

  @Test
  void filesGoOneByOne() throws Exception {
    append(300);
    long inLast = journal.nextOrdinal() - 1;
    List<Integer> all = journal.fileNumbers();
    List<Integer> below = journal.filesBelow(inLast, Integer.MAX_VALUE);
    assertEquals(all.subList(0, all.size() - 1), below);
    assertEquals(List.of(), journal.filesBelow(0, Integer.MAX_VALUE));
    int first = below.get(0);
    assertEquals(List.of(first), journal.filesBelow(inLast, below.get(1)));
    assertEquals(List.of(), journal.filesBelow(inLast, first));
    journal.removeFile(first);
    journal.removeFile(first);
    assertEquals(all.subList(1, all.size()), journal.fileNumbers());
    assertNull(journal.find(0));
    long from = journal.firstOrdinal();
    written.keySet().removeIf(ordinal -> ordinal < from);
    assertEquals(written, Batches.readAll(journal, from));
  }

  @Test
  void anEndBehindRelocatedMessagesOnlyIsAnEnd() throws Exception {
    append(150);
    MessageRef copy = null;
    MessageView view = new MessageView();
    try (JournalCursor cursor = journal.cursor()) {
      while (!journal.endsInRelocations()) {
        assertTrue(cursor.read(journal.find(7), view));
        copy = journal.relocate(view);
      }
    }
    JournalEnd end = journal.end();
    long next = journal.nextOrdinal();
    assertEquals(end.file(), copy.file());
    for (boolean checkAll : new boolean[] {false, true}) {
      journal.close();
      journal = restore(end, next, checkAll);
      assertEquals(next, journal.nextOrdinal());
      assertEquals(written, Batches.readAll(journal, 0));
      try (JournalCursor cursor = journal.cursor()) {
        assertTrue(cursor.read(copy, view));
        assertEquals(written.get(7L), Batches.text(view));
      }
    }
    String refusal = refused(end, next + 1, false).getMessage();
    assertTrue(refusal.contains("message " + next), refusal);
    journal = restore(end, next, false);
    append(1);
    assertEquals(written, Batches.readAll(journal, 0));
  }
}
