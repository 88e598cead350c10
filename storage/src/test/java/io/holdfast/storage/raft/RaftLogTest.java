package io.holdfast.storage.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.LastStop;
import io.holdfast.storage.files.NoSpaceException;
import io.holdfast.storage.files.SyncFailedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an engine expects of a log's storage, and what ours adds. */
class RaftLogTest {
  @TempDir Path home;
  private Path dir;

  @BeforeEach
  void makeDirectory() throws IOException {
    dir = Files.createDirectory(home.resolve("log"));
  }

  private static void assertHas(RaftLog log, List<RaftEntry> expected) throws IOException {
    for (RaftEntry entry : expected) {
      assertEquals(entry, log.read(entry.index()));
      assertEquals(entry.term(), log.termAt(entry.index()));
    }
  }

  private static void assertRange(RaftLog log, long first, long last) throws IOException {
    assertEquals(first, log.firstIndex());
    assertEquals(last, log.lastIndex());
    assertNull(log.read(first - 1));
    assertNull(log.read(last + 1));
    assertEquals(0, log.termAt(first - 1));
    assertEquals(0, log.termAt(last + 1));
  }

  @Test
  void shouldBeginEmpty() throws Exception {
    try (RaftLog log = RaftLogs.create(dir)) {
      assertRange(log, 1, 0);
      assertNull(log.read(100));
      assertEquals(0, log.doubtfulTo());
    }
    try (RaftLog log = RaftLogs.open(dir, LastStop.CLEAN)) {
      assertRange(log, 1, 0);
    }
  }

  @Test
  void shouldKeepEntriesOfSeveralTermsAcrossReopening() throws Exception {
    List<RaftEntry> expected = new ArrayList<>();
    try (RaftLog log = RaftLogs.create(dir)) {
      for (int term = 1; term <= 30; term++) {
        List<RaftEntry> entries = RaftLogs.entries(expected.size() + 1, 20, term, 250);
        log.append(entries);
        log.force();
        expected.addAll(entries);
      }
      assertHas(log, expected);
      assertTrue(log.bytes() > 30 * 20 * 250);
    }
    try (RaftLog log = RaftLogs.open(dir, LastStop.CLEAN)) {
      assertRange(log, 1, expected.size());
      assertHas(log, expected);
      assertTrue(RaftLogs.files(dir).size() > 3, "it rolls");
    }
  }

  @Test
  void shouldBeginAnywhereAfterReset() throws Exception {
    try (RaftLog log = RaftLogs.create(dir)) {
      log.reset(100);
      assertRange(log, 100, 99);
      List<RaftEntry> entries = RaftLogs.entries(100, 2, 1, 10);
      log.append(entries);
      log.force();
      assertRange(log, 100, 101);
      assertHas(log, entries);
    }
  }

  @Test
  void shouldKeepOneEntryOverAResetAsTheEngineDoesIt() throws Exception {
    try (RaftLog log = RaftLogs.create(dir)) {
      List<RaftEntry> entries = RaftLogs.entries(1, 10, 1, 10);
      log.append(entries);
      RaftEntry fifth = log.read(5);
      log.reset(5);
      assertRange(log, 5, 4);
      log.append(List.of(fifth));
      log.force();
      assertRange(log, 5, 5);
      assertHas(log, List.of(fifth));
    }
    try (RaftLog log = RaftLogs.open(dir, LastStop.CLEAN)) {
      assertRange(log, 5, 5);
    }
  }

  @Test
  void shouldTruncatePrefix() throws Exception {
    List<RaftEntry> entries = RaftLogs.entries(1, 1000, 1, 250);
    try (RaftLog log = RaftLogs.create(dir)) {
      log.append(entries);
      int files = RaftLogs.files(dir).size();
      long bytes = log.bytes();
      log.truncatePrefix(501);
      assertRange(log, 501, 1000);
      assertHas(log, entries.subList(500, 1000));
      assertTrue(RaftLogs.files(dir).size() <= files / 2 + 3, "whole files go");
      assertTrue(log.bytes() < bytes * 2 / 3);
      log.truncatePrefix(3);
      assertRange(log, 501, 1000);
    }
    try (RaftLog log = RaftLogs.open(dir, LastStop.CLEAN)) {
      assertRange(log, 501, 1000);
      assertHas(log, entries.subList(500, 1000));
      log.truncatePrefix(1001);
      assertRange(log, 1001, 1000);
      log.append(RaftLogs.entries(1001, 1, 1, 1));
      assertRange(log, 1001, 1001);
    }
  }

  @Test
  void shouldKeepWhatABeginningNeeds() throws Exception {
    RaftLogs.create(dir).close();
    for (int i = 0; i < 4; i++) {
      // Each start goes on in a new file, and the first one says where the log begins.
      try (RaftLog log = RaftLogs.open(dir, LastStop.CLEAN)) {
        assertRange(log, 1, i);
        log.append(RaftLogs.entries(i + 1, 1, 1, 10));
      }
    }
  }

  @Test
  void shouldTruncateSuffix() throws Exception {
    List<RaftEntry> entries = RaftLogs.entries(1, 10, 1, 10);
    try (RaftLog log = RaftLogs.create(dir)) {
      log.append(entries);
      log.truncateSuffix(5);
      assertRange(log, 1, 5);
      assertHas(log, entries.subList(0, 5));
      log.truncateSuffix(7);
      assertRange(log, 1, 5);
      assertThrows(IllegalArgumentException.class, () -> log.truncateSuffix(-1));
    }
    try (RaftLog log = RaftLogs.open(dir, LastStop.CLEAN)) {
      assertRange(log, 1, 5);
      assertHas(log, entries.subList(0, 5));
      log.truncateSuffix(0);
      assertRange(log, 1, 0);
      log.append(RaftLogs.entries(1, 3, 2, 10));
      assertRange(log, 1, 3);
    }
  }

  @Test
  void shouldReplaceWhatIsThereAlready() throws Exception {
    List<RaftEntry> old = RaftLogs.entries(1, 300, 1, 250);
    List<RaftEntry> others = RaftLogs.entries(200, 20, 2, 250);
    try (RaftLog log = RaftLogs.create(dir)) {
      log.append(old);
      log.force();
      for (long index = 1; index <= 300; index++) {
        // A reader that would go on into what is void.
        assertNotNull(log.read(index));
        if (index == 210) {
          log.append(others);
          assertRange(log, 1, 219);
          assertHas(log, others);
          break;
        }
      }
      assertHas(log, old.subList(0, 199));
      log.force();
    }
    try (RaftLog log = RaftLogs.open(dir, LastStop.CLEAN)) {
      assertRange(log, 1, 219);
      assertHas(log, old.subList(0, 199));
      assertHas(log, others);
    }
  }

  @Test
  void shouldRefuseWhatDoesNotFollow() throws Exception {
    try (RaftLog log = RaftLogs.create(dir)) {
      log.append(RaftLogs.entries(1, 3, 2, 10));
      log.truncatePrefix(2);
      for (List<RaftEntry> wrong :
          List.of(
              RaftLogs.entries(5, 1, 2, 10),
              RaftLogs.entries(1, 1, 2, 10),
              RaftLogs.entries(4, 1, 1, 10),
              List.of(
                  RaftLogs.entries(4, 1, 2, 10).get(0), RaftLogs.entries(6, 1, 2, 10).get(0)))) {
        assertThrows(IllegalArgumentException.class, () -> log.append(wrong));
      }
      List<RaftEntry> large = RaftLogs.entries(4, 1, 2, RaftLogs.SMALL_FILES.maxEntryBytes() + 1);
      assertThrows(IOException.class, () -> log.append(large));
      assertRange(log, 2, 3);
      log.append(RaftLogs.entries(4, 1, 2, RaftLogs.SMALL_FILES.maxEntryBytes()));
      log.force();
      assertRange(log, 2, 4);
    }
  }

  @Test
  void shouldTakeBytesOfAnyBuffer() throws Exception {
    byte[] array = new byte[40_000];
    for (int at = 0; at < array.length; at++) {
      array[at] = (byte) (at * 31);
    }
    ByteBuffer direct = ByteBuffer.allocateDirect(array.length).put(array).flip();
    List<RaftEntry> entries =
        List.of(
            new RaftEntry(1, 1, ByteBuffer.wrap(array)),
            new RaftEntry(2, 1, ByteBuffer.wrap(array, 100, 300)),
            new RaftEntry(3, 1, ByteBuffer.wrap(array, 100, 300).slice()),
            new RaftEntry(4, 1, ByteBuffer.wrap(array, 7, 30_000).asReadOnlyBuffer()),
            new RaftEntry(5, 1, direct),
            new RaftEntry(6, 1, direct.slice(9, 20_000).asReadOnlyBuffer()),
            new RaftEntry(7, 1, ByteBuffer.allocate(0)));
    try (RaftLog log = RaftLogs.create(dir)) {
      log.append(entries);
      log.force();
      assertHas(log, entries);
      assertEquals(300, entries.get(1).bytes().remaining(), "they stay as they are");
    }
    try (RaftLog log = RaftLogs.open(dir, LastStop.CLEAN)) {
      assertHas(log, entries);
    }
  }

  @Test
  void shouldTakeTheLargestPublish() throws Exception {
    RaftLogOptions options = new RaftLogOptions(1 << 20, (5 << 20) + (64 << 10));
    List<RaftEntry> entries = RaftLogs.entries(1, 3, 1, options.maxEntryBytes());
    try (RaftLog log = RaftLog.create(dir, Disk.LOCAL, options)) {
      log.append(entries);
      log.force();
      assertHas(log, entries);
    }
    try (RaftLog log = RaftLog.open(dir, Disk.LOCAL, options, LastStop.PROCESS_DIED, 1)) {
      assertHas(log, entries);
    }
  }

  @Test
  void shouldKeepWhatWasAppendedWhenTheProcessDies() throws Exception {
    List<RaftEntry> entries = RaftLogs.entries(1, 50, 1, 100);
    RaftLog dead = RaftLogs.create(dir);
    dead.append(entries.subList(0, 30));
    dead.force();
    dead.append(entries.subList(30, 50));
    try (RaftLog log = RaftLogs.open(dir, LastStop.PROCESS_DIED)) {
      assertRange(log, 1, 50);
      assertHas(log, entries);
    } finally {
      dead.abandon();
    }
  }

  /** Replicators of slow followers read while the engine appends, cuts and forgets. */
  @Test
  void shouldBeReadByManyThreadsWhileItChanges() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(3);
    AtomicBoolean stop = new AtomicBoolean();
    List<Future<Long>> readers = new ArrayList<>();
    try (RaftLog log = RaftLogs.create(dir)) {
      for (int i = 0; i < 3; i++) {
        readers.add(
            threads.submit(
                () -> {
                  long reads = 0;
                  while (!stop.get()) {
                    long last = log.lastIndex();
                    for (long index = log.firstIndex(); index <= last; index++) {
                      RaftEntry entry = log.read(index);
                      if (entry != null) {
                        assertEquals(
                            RaftModel.bytes(index, entry.term(), 250, false), entry.bytes());
                        reads++;
                      }
                    }
                  }
                  return reads;
                }));
      }
      for (long term = 1; term <= 60; term++) {
        long from = Math.max(log.firstIndex(), log.lastIndex() - term % 5);
        log.append(RaftLogs.entries(from, 40, term, 250));
        if (term % 20 == 0) {
          log.truncatePrefix(log.lastIndex() - 100);
        }
        log.force();
      }
      stop.set(true);
      for (Future<Long> reader : readers) {
        reader.get(60, TimeUnit.SECONDS);
      }
      assertNotNull(log.read(log.lastIndex()));
    } finally {
      stop.set(true);
      threads.shutdownNow();
    }
  }

  @Test
  void shouldFinishAResetThatACrashInterrupted() throws Exception {
    Path old = home.resolve("old");
    try (RaftLog log = RaftLogs.create(dir)) {
      log.append(RaftLogs.entries(1, 300, 1, 250));
      log.force();
      RaftLogs.copy(dir, old);
      log.reset(50);
    }
    for (Path file : RaftLogs.files(old)) {
      if (file.toString().endsWith(".cq4")) {
        Files.move(file, dir.resolve(file.getFileName()));
      }
    }
    try (RaftLog log = RaftLogs.open(dir, LastStop.PROCESS_DIED)) {
      assertRange(log, 50, 49);
      long files =
          RaftLogs.files(dir).stream().filter(file -> file.toString().endsWith(".cq4")).count();
      assertEquals(1, files);
    }
  }

  /** The machine's disk, as full or broken as a test wants it. */
  private static final class SometimesDisk extends Disk {
    private boolean full;
    private boolean broken;

    @Override
    public void createFile(Path file) throws IOException {
      if (full) {
        throw new NoSpaceException("no space left on device: " + file);
      }
      super.createFile(file);
    }

    @Override
    public void force(Path file, boolean withSize) throws IOException {
      if (broken) {
        throw new IOException("Input/output error");
      }
      super.force(file, withSize);
    }
  }

  @Test
  void shouldGoOnWhenThereIsRoomAgain() throws Exception {
    SometimesDisk disk = new SometimesDisk();
    List<RaftEntry> entries = RaftLogs.entries(1, 500, 1, 250);
    try (RaftLog log = RaftLog.create(dir, disk, RaftLogs.SMALL_FILES)) {
      disk.full = true;
      assertThrows(NoSpaceException.class, () -> log.append(entries));
      long last = log.lastIndex();
      assertTrue(last > 0 && last < 500, "up to " + last);
      log.force();
      assertHas(log, entries.subList(0, (int) last));
      disk.full = false;
      log.append(entries.subList((int) last, 500));
      log.force();
    }
    try (RaftLog log = RaftLogs.open(dir, LastStop.CLEAN)) {
      assertRange(log, 1, 500);
      assertHas(log, entries);
    }
  }

  @Test
  void shouldTakeTheRoomThatIsMadeForIt() throws Exception {
    SometimesDisk disk = new SometimesDisk();
    List<RaftEntry> entries = RaftLogs.entries(1, 500, 1, 250);
    try (RaftLog log = RaftLog.create(dir, disk, RaftLogs.SMALL_FILES)) {
      disk.full = true;
      int[] asked = {0};
      log.whenFull(
          full -> {
            assertTrue(NoSpaceException.isCauseOf(full), full.toString());
            disk.full = false;
            return ++asked[0] == 1;
          });
      log.append(entries);
      log.force();
      assertEquals(1, asked[0]);
      assertHas(log, entries);
      disk.full = true;
      assertThrows(
          NoSpaceException.class, () -> log.append(RaftLogs.entries(501, 500, 1, 250)), "no more");
    }
  }

  @Test
  void shouldPromiseNothingAfterARefusedForceUntilItIsOpenedAgain() throws Exception {
    SometimesDisk disk = new SometimesDisk();
    List<RaftEntry> entries = RaftLogs.entries(1, 3, 1, 250);
    try (RaftLog log = RaftLog.create(dir, disk, RaftLogs.SMALL_FILES)) {
      log.append(entries);
      disk.broken = true;
      assertThrows(SyncFailedException.class, log::force);
      disk.broken = false;
      assertThrows(IOException.class, log::force);
      assertThrows(IOException.class, () -> log.append(RaftLogs.entries(4, 1, 1, 1)));
      assertThrows(IOException.class, () -> log.read(1));
    }
    disk.broken = true;
    assertThrows(
        IOException.class,
        () -> RaftLog.open(dir, disk, RaftLogs.SMALL_FILES, LastStop.PROCESS_DIED, 1));
    disk.broken = false;
    try (RaftLog log = RaftLog.open(dir, disk, RaftLogs.SMALL_FILES, LastStop.PROCESS_DIED, 1)) {
      assertHas(log, entries);
    }
  }

  @Test
  void shouldCloseItsFilesWhileIdle() throws Exception {
    List<RaftEntry> entries = RaftLogs.entries(1, 10, 1, 250);
    try (RaftLog log = RaftLogs.create(dir)) {
      log.append(entries.subList(0, 5));
      log.force();
      assertHas(log, entries.subList(0, 5));
      log.closeIdle();
      assertHas(log, entries.subList(0, 5));
      log.append(entries.subList(5, 10));
      log.force();
      assertHas(log, entries);
    }
    RaftLog closed = RaftLogs.open(dir, LastStop.CLEAN);
    closed.close();
    closed.close();
    assertThrows(IOException.class, () -> closed.read(1));
    assertThrows(IOException.class, () -> closed.append(entries));
  }

  @Test
  void shouldTellAFirstUseFromALogThatIsGone() throws Exception {
    Path gone = home.resolve("gone");
    assertThrows(NoSuchFileException.class, () -> RaftLogs.open(gone, LastStop.CLEAN));
    assertThrows(NoSuchFileException.class, () -> RaftLogs.open(dir, LastStop.MACHINE_STOPPED));
    assertFalse(Files.exists(gone));
    RaftLogs.create(dir).close();
    assertThrows(IOException.class, () -> RaftLogs.create(dir));
    for (Path file : RaftLogs.files(dir)) {
      if (file.toString().endsWith(".cq4")) {
        Files.delete(file);
      }
    }
    assertThrows(NoSuchFileException.class, () -> RaftLogs.open(dir, LastStop.MACHINE_STOPPED));
  }

  /** Three groups of 512 MiB have millions of entries; the heap has 256 MB. */
  @Test
  void shouldKeepFewPositionsInMemory() throws Exception {
    RaftLogOptions options = new RaftLogOptions(4 << 20, 64 << 10);
    int count = 40_000;
    try (RaftLog log = RaftLog.create(dir, Disk.LOCAL, options)) {
      for (int from = 1; from <= count; from += 1000) {
        log.append(RaftLogs.entries(from, 1000, 1, 250));
      }
      log.force();
      long bound = log.bytes() / RaftLogState.STEP_BYTES + 10;
      assertTrue(log.indexSize() <= bound, log.indexSize() + " of " + bound);
      assertTrue(log.indexSize() > 100);
      for (int index = count; index > 0; index -= 997) {
        assertEquals(index, log.read(index).index());
      }
      log.truncatePrefix(count - 500);
      assertTrue(log.indexSize() < 10, "what went is forgotten");
    }
    try (RaftLog log = RaftLog.open(dir, Disk.LOCAL, options, LastStop.CLEAN, 1)) {
      assertTrue(log.indexSize() < 10, "indexSize " + log.indexSize());
      assertRange(log, count - 500, count);
    }
  }

  /** The leader commits by its followers: its snapshot may be ahead of its own log. */
  @Test
  void shouldGoOnBehindASnapshotThatIsAhead() throws Exception {
    try (RaftLog log = RaftLogs.create(dir)) {
      log.append(RaftLogs.entries(1, 300, 1, 250));
      log.truncatePrefix(1000);
      assertRange(log, 1000, 999);
      assertTrue(RaftLogs.files(dir).size() <= 3, RaftLogs.files(dir).toString());
    }
    try (RaftLog log = RaftLogs.open(dir, LastStop.CLEAN)) {
      assertRange(log, 1000, 999);
      List<RaftEntry> more = RaftLogs.entries(1000, 5, 4, 250);
      log.append(more);
      log.truncateSuffix(1002);
      log.force();
      assertRange(log, 1000, 1002);
      assertHas(log, more.subList(0, 3));
    }
    try (RaftLog log = RaftLogs.open(dir, LastStop.PROCESS_DIED)) {
      assertRange(log, 1000, 1002);
    }
  }
}
