package io.holdfast.storage.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.journal.Batches;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.Journal;
import io.holdfast.storage.journal.StorageOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SyncThreadTest {
  private static final long NEVER_MS = 3_600_000;

  @TempDir Path dir;

  /** Does no more than a disk with faults, and writes down what it was asked for. */
  private static final class FaultyDisk extends Disk {
    final List<String> calls = Collections.synchronizedList(new ArrayList<>());
    volatile boolean broken;
    volatile Error bug;
    volatile CountDownLatch hold = new CountDownLatch(0);

    @Override
    public void force(Path file, boolean withSize) throws IOException {
      calls.add("force " + file.getFileName());
      try {
        assertTrue(hold.await(30, TimeUnit.SECONDS));
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      if (bug != null) {
        throw bug;
      }
      if (broken) {
        throw new IOException("Input/output error");
      }
    }

    @Override
    public void rewrite(Path file, long end) throws IOException {
      calls.add("rewrite " + file.getFileName());
      super.rewrite(file, end);
    }

    @Override
    public void forceDirectory(Path dir) {
      calls.add("directory");
    }
  }

  private static final class Waiter implements Journal.DurabilityListener {
    final List<String> order;
    final String name;

    Waiter(List<String> order, String name) {
      this.order = order;
      this.name = name;
    }

    @Override
    public void onDurable() {
      order.add(name);
    }

    @Override
    public void onFailed(IOException e) {
      order.add(name + " " + e.getMessage());
    }
  }

  private ChronicleJournal journal(SyncThread sync, boolean synced) throws IOException {
    return new ChronicleJournal(dir, new StorageOptions(1 << 20, 100_000, synced, 0), sync);
  }

  @Test
  void shouldForceOnceForAllThatWait() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    disk.hold = new CountDownLatch(1);
    List<String> order = Collections.synchronizedList(new ArrayList<>());
    try (SyncThread sync = new SyncThread(NEVER_MS, disk);
        ChronicleJournal journal = journal(sync, true)) {
      for (int i = 0; i < 20; i++) {
        journal.append(Batches.of("m" + i));
        assertFalse(journal.whenDurable(new Waiter(order, "m" + i)));
        if (i == 0) {
          // The first one's force begins; the others gather behind it.
          Awaitility.await().until(() -> !disk.calls.isEmpty());
        }
      }
      assertEquals(List.of(), order);
      disk.hold.countDown();
      Awaitility.await().until(() -> order.size() == 20);
      for (int i = 0; i < 20; i++) {
        assertEquals("m" + i, order.get(i));
      }
      String file = "force 19700101-000001.cq4";
      assertEquals(List.of(file, "directory", file), disk.calls);
    }
  }

  @Test
  void shouldNotBelieveAForceThatIsOnlyRepeated() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    List<String> order = new ArrayList<>();
    SyncThread sync = SyncThread.stepped(disk);
    try (ChronicleJournal journal = journal(sync, true)) {
      journal.append(Batches.of("fine"));
      assertFalse(journal.whenDurable(new Waiter(order, "fine")));
      sync.pass(true, true);
      disk.broken = true;
      journal.append(Batches.of("refused"));
      assertFalse(journal.whenDurable(new Waiter(order, "refused")));
      journal.append(Batches.of("refused too"));
      assertFalse(journal.whenDurable(new Waiter(order, "too")));
      disk.calls.clear();
      sync.pass(true, true);
      assertEquals(3, order.size(), order.toString());
      assertTrue(order.get(1).startsWith("refused sync failed: "), order.toString());
      assertTrue(order.get(2).startsWith("too sync failed: "), order.toString());
      assertTrue(sync.error().startsWith("sync failed: "), sync.error());
      assertThrows(SyncFailedException.class, () -> journal.append(Batches.of("not taken")));
      disk.broken = false;
      disk.calls.clear();
      sync.pass(true, false);
      assertNull(sync.error());
      assertEquals(List.of("rewrite 19700101-000001.cq4", "force 19700101-000001.cq4"), disk.calls);
      // What follows goes to a file that the disk has not refused.
      disk.calls.clear();
      journal.append(Batches.of("after"));
      assertFalse(journal.whenDurable(new Waiter(order, "after")));
      sync.pass(true, true);
      assertEquals("after", order.get(3));
      assertEquals(List.of("force 19700101-000002.cq4", "directory"), disk.calls);
      assertEquals(
          List.of("fine", "refused", "refused too", "after"),
          List.copyOf(Batches.readAll(journal, 0).values()));
    }
    assertTrue(sync.allForced());
  }

  @Test
  void shouldAnswerWhoWaitsWhateverHappens() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    List<String> order = new ArrayList<>();
    SyncThread sync = SyncThread.stepped(disk);
    try (ChronicleJournal journal = journal(sync, true)) {
      journal.append(Batches.of("refused"));
      assertFalse(journal.whenDurable(new Waiter(order, "refused")));
      disk.bug = new OutOfMemoryError("simulated");
      sync.pass(true, true);
      assertEquals(1, order.size(), order.toString());
      assertTrue(order.get(0).startsWith("refused sync failed: "), order.toString());
      assertTrue(sync.error().endsWith("simulated"), sync.error());
      assertThrows(SyncFailedException.class, () -> journal.append(Batches.of("not taken")));
      disk.bug = null;
      disk.calls.clear();
      sync.pass(true, false);
      assertNull(sync.error());
      assertEquals("rewrite 19700101-000001.cq4", disk.calls.get(0));
      journal.append(Batches.of("after"));
      assertFalse(journal.whenDurable(new Waiter(order, "after")));
      sync.pass(true, true);
      assertEquals("after", order.get(1));
    }
  }

  @Test
  void shouldTellOfAFailureInModeWrittenWithoutAPublish() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    disk.broken = true;
    try (SyncThread sync = new SyncThread(20, disk);
        ChronicleJournal journal = journal(sync, false)) {
      journal.append(Batches.of("m"));
      assertTrue(journal.whenDurable(new Waiter(new ArrayList<>(), "m")));
      Awaitility.await().until(() -> sync.error() != null);
      assertThrows(SyncFailedException.class, () -> journal.append(Batches.of("refused")));
      disk.broken = false;
      Awaitility.await().until(() -> sync.error() == null);
      journal.append(Batches.of("again"));
    }
  }

  @Test
  void shouldForceWhatIsWrittenWhenItEnds() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    SyncThread sync = new SyncThread(NEVER_MS, disk);
    try (ChronicleJournal journal = journal(sync, false)) {
      journal.append(Batches.of("m"));
      sync.close();
      assertEquals(List.of("force 19700101-000001.cq4", "directory"), disk.calls);
    }
  }

  @Test
  void shouldGoOnAfterABug() {
    AtomicInteger calls = new AtomicInteger();
    try (SyncThread sync = new SyncThread(NEVER_MS)) {
      sync.urgent(
          () -> {
            throw new IllegalStateException("a bug");
          });
      sync.urgent(calls::incrementAndGet);
      Awaitility.await().until(() -> calls.get() == 1);
      assertNull(sync.error());
    }
  }

  @Test
  void shouldMakeTheKernelWriteAPageAgain() throws Exception {
    Path file = Files.write(dir.resolve("f"), new byte[10_000]);
    Disk.LOCAL.force(file, true);
    Files.setLastModifiedTime(file, FileTime.fromMillis(1000));
    Disk.LOCAL.rewrite(file, 10_000);
    Disk.LOCAL.force(file, true);
    // The kernel notes a change when a clean page is written to.
    assertTrue(Files.getLastModifiedTime(file).toMillis() > 1000);
    assertEquals(10_000, Files.readAllBytes(file).length);
    Disk.LOCAL.forceAll(dir);
    assertNotNull(Disk.LOCAL.bootId());
  }
}
