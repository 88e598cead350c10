package io.holdfast.storage.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.FaultyDisk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Blocks that the disk cannot read, and files that somebody cut off, at start and while running.
 */
class UnreadableBlockTest {
  private static final int MESSAGES = 300;
  private static final int BODY_BYTES = 1000;

  @TempDir Path dir;

  private final FaultyDisk disk = new FaultyDisk();
  private final SyncThread syncThread = new SyncThread(3_600_000, disk);
  private final List<Batch> batches = new ArrayList<>();
  private final Map<Long, String> written = new TreeMap<>();

  @AfterEach
  void close() {
    syncThread.close();
  }

  private ChronicleJournal open() throws IOException {
    return new ChronicleJournal(dir, Batches.options(1 << 20), syncThread);
  }

  private void append(ChronicleJournal journal, int messages) throws IOException {
    for (int i = 0; i < messages; i++) {
      String body = (batches.size() + "-").repeat(BODY_BYTES).substring(0, BODY_BYTES);
      Batch batch = Batches.of(body);
      journal.append(batch);
      batches.add(batch);
      written.put(batch.firstOrdinal(), body);
    }
  }

  private Path file() {
    return Batches.file(dir, batches.get(0));
  }

  private static long end(Batch batch) {
    return Position.offset(batch.position())
        + (long) RecordCodec.JOURNAL_HEAD_BYTES
        + batch.sectionBytes();
  }

  /** Those of which a byte is between two offsets, with the length before them. */
  private List<Long> touching(long from, long to) {
    return batches.stream()
        .filter(b -> Position.offset(b.position()) < to && end(b) > from)
        .map(Batch::firstOrdinal)
        .toList();
  }

  private Map<Long, String> without(List<Long> lost) {
    Map<Long, String> rest = new TreeMap<>(written);
    lost.forEach(rest::remove);
    return rest;
  }

  /** Whatever is in the block: Chronicle's header and index arrays, or messages. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 20, 21, 40, 60})
  void shouldLoseOnlyWhatIsInABlockThatCannotBeRead(int block) throws Exception {
    try (ChronicleJournal journal = open()) {
      append(journal, MESSAGES);
    }
    long offset = (long) block * FaultyDisk.BLOCK_BYTES;
    disk.breakBlock(file(), offset);
    List<Long> lost = touching(offset, offset + FaultyDisk.BLOCK_BYTES);
    assertTrue(lost.size() <= 6, "lost " + lost);
    try (ChronicleJournal journal = open();
        JournalCursor cursor = journal.cursor()) {
      assertEquals(MESSAGES, journal.nextOrdinal());
      assertEquals(without(lost), Batches.readAll(journal, 0));
      MessageView view = new MessageView();
      while (cursor.next(view, journal.nextOrdinal())) {}
      assertEquals(lost.size(), cursor.unreadable());
      for (Batch batch : batches) {
        long ordinal = batch.firstOrdinal();
        int body = batch.sectionOffset() + Integer.BYTES;
        MessageRef ref = new MessageRef(ordinal, batch.position(), body, BODY_BYTES, 0);
        assertEquals(!lost.contains(ordinal), cursor.read(ref, view), "message " + ordinal);
      }
      append(journal, 1);
      assertEquals(MESSAGES + 1, journal.nextOrdinal());
    }
  }

  @Test
  void shouldGiveNoOrdinalTwiceWhenTheEndCannotBeRead() throws Exception {
    try (ChronicleJournal journal = open()) {
      append(journal, MESSAGES);
    }
    int lastBlocks = 5;
    long end = end(batches.get(MESSAGES - 1)) / FaultyDisk.BLOCK_BYTES * FaultyDisk.BLOCK_BYTES;
    long from = end - (long) (lastBlocks - 1) * FaultyDisk.BLOCK_BYTES;
    for (long offset = from; offset <= end; offset += FaultyDisk.BLOCK_BYTES) {
      disk.breakBlock(file(), offset);
    }
    List<Long> lost = touching(from, end + FaultyDisk.BLOCK_BYTES);
    try (ChronicleJournal journal = open()) {
      assertEquals(MESSAGES, journal.nextOrdinal());
      assertEquals(without(lost), Batches.readAll(journal, 0));
    }
  }

  @Test
  void shouldGoOnWhenAFileIsCutOffBelowItsReaders() throws Exception {
    try (ChronicleJournal journal = open();
        JournalCursor cursor = journal.cursor()) {
      append(journal, MESSAGES);
      MessageView view = new MessageView();
      assertTrue(cursor.next(view, MESSAGES));
      MessageRef last = Batches.ref(view);
      long to = 100_000;
      try (FileChannel file = FileChannel.open(file(), StandardOpenOption.WRITE)) {
        file.truncate(to);
      }
      cursor.release();
      List<Long> lost = touching(to, Long.MAX_VALUE);
      Map<Long, String> read = new TreeMap<>();
      cursor.moveTo(0);
      while (cursor.next(view, MESSAGES)) {
        read.put(view.ordinal(), Batches.text(view));
      }
      assertEquals(without(lost), read);
      assertEquals(lost.size(), cursor.unreadable());
      assertTrue(cursor.read(last, view));
      Batch gone = batches.get(MESSAGES - 1);
      MessageRef goneRef =
          new MessageRef(
              MESSAGES - 1, gone.position(), gone.sectionOffset() + Integer.BYTES, BODY_BYTES, 0);
      assertFalse(cursor.read(goneRef, view));
    }
    try (ChronicleJournal journal = open()) {
      assertEquals(MESSAGES, journal.nextOrdinal(), "Chronicle noted how many there were");
    }
  }

  @Test
  void shouldReadOnThoughItsThreadIsInterrupted() throws Exception {
    try (ChronicleJournal journal = open()) {
      append(journal, MESSAGES);
      Thread.currentThread().interrupt();
      assertEquals(written, Batches.readAll(journal, 0));
      assertTrue(Thread.interrupted());
    }
  }
}
