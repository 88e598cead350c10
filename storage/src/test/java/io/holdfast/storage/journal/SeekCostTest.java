package io.holdfast.storage.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.FaultyDisk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.log.SizeRollCycle;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How much of a large journal is read to find a place in it, and that it is the right place. */
class SeekCostTest {
  /** Of which a file takes some 4200. */
  private static final int MESSAGES = 26_000;

  private static final int BODY_BYTES = 80;
  private static final long FILE_BYTES = 512 << 10;

  /** Chronicle's index has two arrays in a file, as 16384 records have one. */
  private static final long LARGE_FILE_BYTES = 2 << 20;

  private static final int SMALL_BODY_BYTES = 16;
  private static final int IN_LARGE_FILE = 32_000;

  /** A window of 8 KiB for each place that is asked, which are 2 log n, and what is read on. */
  private static final long BYTES = 400_000;

  private static final Path NOTE = Path.of("relocations");

  @TempDir Path dir;

  private final AtomicLong nowNs = new AtomicLong();
  private FaultyDisk disk = new FaultyDisk();
  private SyncThread syncThread;
  private ChronicleJournal journal;
  private long fileBytes = FILE_BYTES;
  private int bodyBytes = BODY_BYTES;

  @BeforeEach
  void open() throws IOException {
    disk = new FaultyDisk();
    syncThread = new SyncThread(3_600_000, disk);
    journal =
        new ChronicleJournal(
            dir,
            new StorageOptions(fileBytes, Batches.MAX_RECORD_BYTES, false, 0, nowNs::get),
            syncThread);
  }

  @AfterEach
  void close() {
    journal.close();
    syncThread.close();
  }

  private void reopen() throws IOException {
    close();
    open();
  }

  /** Message n at time 10 n. */
  private void fill(int from, int to) throws IOException {
    for (int i = from; i < to; i++) {
      nowNs.set(10L * i);
      journal.append(Batches.of("x".repeat(bodyBytes)));
    }
  }

  private MessageRef relocate(long ordinal) throws IOException {
    MessageView view = new MessageView();
    try (JournalCursor cursor = journal.cursor()) {
      cursor.moveTo(ordinal);
      assertTrue(cursor.next(view, ordinal + 1));
      return journal.relocate(view);
    }
  }

  private static void assertPlaces(Collection<MessageRef> expected, Collection<MessageRef> found) {
    assertEquals(places(expected), places(found));
  }

  private static List<String> places(Collection<MessageRef> relocations) {
    return relocations.stream()
        .map(place -> place.ordinal() + " at " + place.batchPosition())
        .toList();
  }

  private long firstFrom(long ordinal) throws IOException {
    MessageView view = new MessageView();
    try (JournalCursor cursor = journal.cursor()) {
      cursor.moveTo(ordinal);
      return cursor.next(view, journal.nextOrdinal()) ? view.ordinal() : -1;
    }
  }

  private void removeFiles(int count) throws IOException {
    for (int i = 0; i < count; i++) {
      int second = journal.oldestFile() + 1;
      assertEquals(1, journal.removeBelow(Long.MAX_VALUE, second, Retention.NONE));
    }
  }

  private long bytesFor(Lookup lookup) throws IOException {
    long before = disk.bytesRead.get();
    lookup.run();
    return disk.bytesRead.get() - before;
  }

  private void largeFiles() throws IOException {
    fileBytes = LARGE_FILE_BYTES;
    bodyBytes = SMALL_BODY_BYTES;
    reopen();
  }

  /** Also near the end of a file, where reading up to it would cost most. */
  private void assertFound(int at) throws IOException {
    long bytes =
        bytesFor(
            () -> {
              assertEquals(at, journal.ordinalAt(10L * at));
              assertEquals(at + 1, journal.ordinalAt(10L * at + 1));
            });
    assertTrue(bytes <= 2 * BYTES, bytes + " bytes read for the time of " + at);
    bytes = bytesFor(() -> assertEquals(at, firstFrom(at)));
    assertTrue(bytes <= BYTES, bytes + " bytes read for message " + at);
  }

  private interface Lookup {
    void run() throws IOException;
  }

  @Test
  void noFileIsReadThroughToFindATimeOrAMessage() throws IOException {
    largeFiles();
    fill(0, 2 * IN_LARGE_FILE);
    assertFound(IN_LARGE_FILE - 1_000);
    reopen();
    assertTrue(journal.diskFiles() > 1, journal.diskFiles() + " files");
    for (int i = 1; i < 2 * IN_LARGE_FILE - 1; i += 3_001) {
      assertFound(i);
    }
  }

  @Test
  void aFileThatIsBeingWrittenIsNotReadThrough() throws IOException {
    largeFiles();
    fill(0, IN_LARGE_FILE);
    assertEquals(1, journal.diskFiles());
    for (int i = IN_LARGE_FILE - 2; i > 0; i -= 3_001) {
      assertFound(i);
    }
    assertEquals(IN_LARGE_FILE, journal.ordinalAt(10L * IN_LARGE_FILE));
  }

  /** Whatever is in the index: what is found is right, if not as soon. */
  @Test
  void anIndexThatIsDamagedLeadsNobodyAstray() throws IOException {
    fill(0, 4_000);
    journal.close();
    Path file = dir.resolve(SizeRollCycle.fileName(1));
    long[] values;
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "r")) {
      values = new long[64];
      bytes.seek(firstArray(bytes));
      for (int i = 0; i < values.length; i++) {
        values[i] = Long.reverseBytes(bytes.readLong());
      }
    }
    assertTrue(values[1] > values[0] && values[0] > 0, "an array of the index");
    List<long[]> damages = new ArrayList<>();
    // Nothing, everything the same, out of order, far away, into the middle of records.
    damages.add(new long[64]);
    damages.add(shifted(values, 0, 0));
    damages.add(shifted(values, 1, 4));
    damages.add(shifted(values, 1, 1 << 18));
    damages.add(shifted(values, -1, 1L << 40));
    for (long[] damaged : damages) {
      try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
        bytes.seek(firstArray(bytes));
        for (long value : damaged) {
          bytes.writeLong(Long.reverseBytes(value));
        }
      }
      reopen();
      for (int i = 0; i < 4_000; i += 199) {
        assertEquals(i, journal.ordinalAt(10L * i));
        assertEquals(i, firstFrom(i));
      }
    }
  }

  private static long[] shifted(long[] values, int sign, long by) {
    long[] shifted = new long[values.length];
    for (int i = 0; i < values.length; i++) {
      shifted[i] = sign * values[i] + by;
    }
    return shifted;
  }

  /** Where the values of the first array with excerpts are. */
  private static long firstArray(RandomAccessFile file) throws IOException {
    byte[] begin = new byte[64 << 10];
    file.seek(0);
    file.readFully(begin);
    byte[] name = {(byte) 0xb9, 5, 'i', 'n', 'd', 'e', 'x'};
    for (int at = 0; at < begin.length - name.length; at++) {
      if (Arrays.equals(begin, at, at + name.length, name, 0, name.length)) {
        int code = at + name.length;
        while (begin[code] != (byte) 0x8d) {
          code++;
        }
        return code + 1L + 2 * Long.BYTES;
      }
    }
    throw new AssertionError("no index");
  }

  @Test
  void whatIsNotedOfRelocationsIsNotLookedForAgain() throws IOException {
    fill(0, MESSAGES / 2);
    MessageRef first = relocate(3);
    MessageRef second = relocate(4);
    fill(MESSAGES / 2, MESSAGES);
    removeFiles(1);
    assertPlaces(List.of(first, second), journal.relocationsFrom(0));
    journal.noteRelocations();
    reopen();
    long bytes =
        bytesFor(
            () -> {
              assertEquals(3, journal.oldestOrdinal());
              assertPlaces(List.of(first, second), journal.relocationsFrom(0));
            });
    assertTrue(bytes <= BYTES, bytes + " bytes read with a note");

    Files.delete(dir.resolve(NOTE));
    reopen();
    bytes = bytesFor(() -> assertEquals(3, journal.oldestOrdinal()));
    assertTrue(bytes > 2 * BYTES, bytes + " bytes read without");
    bytes = bytesFor(() -> assertEquals(2, journal.relocationsFrom(0).size()));
    assertTrue(bytes <= BYTES, bytes + " bytes read the second time");
    journal.noteRelocations();
    reopen();
    bytes = bytesFor(() -> assertEquals(2, journal.relocationsFrom(0).size()));
    assertTrue(bytes <= BYTES, bytes + " bytes read with the new note");
  }

  /** As after a kill: the note is older than the newest files. */
  @Test
  void relocationsThatTheNoteDoesNotKnowYetAreFound() throws IOException {
    fill(0, MESSAGES);
    journal.noteRelocations();
    assertTrue(Files.exists(dir.resolve(NOTE)));
    List<MessageRef> relocations = new ArrayList<>(List.of(relocate(1), relocate(2)));
    reopen();
    relocations.add(relocate(3));
    fill(MESSAGES, MESSAGES + 10_000);
    relocations.add(relocate(4));
    removeFiles(1);
    assertPlaces(relocations, journal.relocationsFrom(0));
    reopen();
    assertPlaces(relocations, journal.relocationsFrom(0));
    reopen();
    journal.noteRelocations();
    reopen();
    assertPlaces(relocations, journal.relocationsFrom(0));
    // The newest place counts.
    MessageView view = new MessageView();
    try (JournalCursor cursor = journal.cursor()) {
      assertTrue(cursor.read(relocations.get(0), view));
      relocations.set(0, journal.relocate(view));
    }
    assertPlaces(relocations, journal.relocationsFrom(0));
  }

  /** Of files lost with power the numbers are given out again. */
  @Test
  void aNoteOfFilesThatAreGoneIsNotBelieved() throws IOException {
    fill(0, MESSAGES);
    journal.noteRelocations();
    journal.close();
    int lost = 0;
    for (int cycle = 20; cycle > 3; cycle--) {
      lost += Files.deleteIfExists(dir.resolve(SizeRollCycle.fileName(cycle))) ? 1 : 0;
    }
    assertTrue(lost > 1, lost + " files lost");
    open();
    assertFalse(Files.exists(dir.resolve(NOTE)));
    MessageRef moved = relocate(1);
    reopen();
    fill(MESSAGES, MESSAGES + 10_000);
    removeFiles(1);
    assertPlaces(List.of(moved), journal.relocationsFrom(0));
  }

  @Test
  void aDamagedNoteIsNotUsed() throws IOException {
    fill(0, MESSAGES / 2);
    MessageRef moved = relocate(3);
    fill(MESSAGES / 2, MESSAGES);
    removeFiles(1);
    journal.noteRelocations();
    String text = Files.readString(dir.resolve(NOTE));
    for (String damaged :
        List.of("", text.substring(0, text.length() / 2), text.replace(" 1\n", " 2\n"), "x\n")) {
      Files.writeString(dir.resolve(NOTE), damaged);
      reopen();
      assertPlaces(List.of(moved), journal.relocationsFrom(0));
    }
  }
}
