package io.holdfast.broker.cluster.engine;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.LastStop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A group of one: its order, its promise over stops, kills and damage. */
class LocalGroupTest {
  @TempDir Path dir;
  private final List<LocalGroup> groups = new ArrayList<>();

  @BeforeEach
  void create() throws IOException {
    GroupDirs.files(dir.resolve("g"), LastStop.CLEAN).create();
  }

  @AfterEach
  void stopAll() {
    groups.forEach(LocalGroup::stop);
  }

  private LocalGroup group(Path at, LastStop lastStop, GroupMember member) {
    return group(GroupDirs.files(at, lastStop), member);
  }

  private LocalGroup group(GroupFiles files, GroupMember member) {
    LocalGroup made = new LocalGroup("1", "a", files, member);
    groups.add(made);
    return made;
  }

  private LocalGroup started(Path at, LastStop lastStop, GroupMember member) throws IOException {
    LocalGroup made = group(at, lastStop, member);
    made.start();
    return made;
  }

  private static List<String> propose(LocalGroup group, int from, int to) throws Exception {
    List<Told> told = new ArrayList<>();
    List<String> entries = new ArrayList<>();
    for (int i = from; i < to; i++) {
      entries.add("entry " + i);
      told.add(Told.of(group, group.status().term(), "entry " + i));
    }
    for (Told one : told) {
      assertTrue(one.isApplied(), one.get());
    }
    return entries;
  }

  @Test
  void appliesInTheOrderOfProposalsAndTellsTheIndex() throws Exception {
    RecordingMember member = new RecordingMember();
    LocalGroup group = started(dir.resolve("g"), LastStop.CLEAN, member);
    assertEquals("applied 1", Told.of(group, 1, "first").get());
    assertEquals(List.of("starts 1"), member.events());
    assertEquals("a", member.leader());
    List<String> expected = new ArrayList<>(List.of("first"));
    expected.addAll(propose(group, 0, 1000));
    assertEquals(expected, member.entries());
    GroupStatus status = group.status();
    assertEquals(GroupStatus.Role.LEADER, status.role());
    assertEquals(1001, status.applied());
    assertEquals(1001, status.committed());
    assertEquals(1001, status.last());
    assertNull(status.error());
    group.stop();
    assertEquals(List.of("starts 1", "stops 1"), member.events());
    assertEquals(GroupStatus.Role.STOPPED, group.status().role());
  }

  @Test
  void refusesWhatIsOfAnotherTermEmptyOrTooLarge() throws Exception {
    LocalGroup group = started(dir.resolve("g"), LastStop.CLEAN, new RecordingMember());
    assertEquals("refused this node does not lead in term 0", Told.of(group, 0, "x").get());
    assertEquals("refused this node does not lead in term 2", Told.of(group, 2, "x").get());
    assertTrue(Told.of(group, 1, "").get().startsWith("refused an entry of 0 bytes"));
    int max = GroupDirs.OPTIONS.maxEntryBytes() - GroupFiles.ENTRY_HEAD_BYTES;
    assertTrue(Told.of(group, 1, "x".repeat(max + 1)).get().startsWith("refused an entry of "));
    assertTrue(Told.of(group, 1, "x".repeat(max)).isApplied());
    group.stop();
    assertEquals("refused this node does not lead in term 1", Told.of(group, 1, "x").get());
  }

  @Test
  void whatWasAppliedIsThereAfterAStopAndAfterAKill() throws Exception {
    LocalGroup group = started(dir.resolve("g"), LastStop.CLEAN, new RecordingMember());
    List<String> expected = new ArrayList<>(propose(group, 0, 300));
    // What a kill leaves: nothing closed, nothing said.
    GroupDirs.copy(dir.resolve("g"), dir.resolve("killed"));
    RecordingMember killed = new RecordingMember();
    LocalGroup again = started(dir.resolve("killed"), LastStop.PROCESS_DIED, killed);
    assertEquals(expected, killed.entries());
    assertEquals(2, again.status().term());
    assertEquals("refused this node does not lead in term 1", Told.of(again, 1, "x").get());
    expected.addAll(propose(again, 300, 310));
    again.stop();
    RecordingMember stopped = new RecordingMember();
    LocalGroup third = started(dir.resolve("killed"), LastStop.CLEAN, stopped);
    assertEquals(expected, stopped.entries());
    assertEquals(3, third.status().term());
  }

  @Test
  void aSnapshotDropsTheLogBehindItAndStartsTheNextTime() throws Exception {
    LocalGroup group = started(dir.resolve("g"), LastStop.CLEAN, new RecordingMember());
    List<String> expected = new ArrayList<>(propose(group, 0, 2000));
    long before = group.status().logBytes();
    assertEquals(2000, group.snapshot().get(60, TimeUnit.SECONDS));
    assertEquals(2000, group.status().snapshot());
    assertEquals(2001, group.status().first());
    assertTrue(group.status().logBytes() < before / 2, "log of " + group.status().logBytes());
    assertEquals(2000, group.snapshot().get(60, TimeUnit.SECONDS), "nothing new");
    expected.addAll(propose(group, 2000, 2050));
    assertEquals(2050, group.snapshot().get(60, TimeUnit.SECONDS));
    expected.addAll(propose(group, 2050, 2060));
    GroupDirs.copy(dir.resolve("g"), dir.resolve("killed"));
    RecordingMember member = new RecordingMember();
    LocalGroup again = started(dir.resolve("killed"), LastStop.PROCESS_DIED, member);
    assertEquals(1, member.loads());
    assertEquals(expected, member.entries());
    assertEquals(2060, again.status().applied());
    assertEquals(2050, again.status().snapshot());
  }

  @Test
  void anUnfinishedSnapshotIsRemovedAndALostOneIsAnError() throws Exception {
    LocalGroup group = started(dir.resolve("g"), LastStop.CLEAN, new RecordingMember());
    List<String> expected = propose(group, 0, 20);
    group.snapshot().get(60, TimeUnit.SECONDS);
    group.stop();
    Path snapshots = dir.resolve("g/snapshot");
    Files.createDirectories(snapshots.resolve("unfinished/state"));
    RecordingMember member = new RecordingMember();
    started(dir.resolve("g"), LastStop.CLEAN, member).stop();
    assertEquals(expected, member.entries());
    assertFalse(Files.exists(snapshots.resolve("unfinished")));

    Path file = snapshots.resolve("20-1/state/entries");
    Files.move(file, dir.resolve("entries"));
    LocalGroup damaged = group(dir.resolve("g"), LastStop.CLEAN, new RecordingMember());
    IOException e = assertThrows(IOException.class, damaged::start);
    assertEquals("snapshot damaged: " + file + ": it is gone", e.getMessage());

    Files.delete(snapshots.resolve("20-1/files"));
    Files.delete(snapshots.resolve("20-1/state"));
    Files.delete(snapshots.resolve("20-1"));
    LocalGroup lost = group(dir.resolve("g"), LastStop.CLEAN, new RecordingMember());
    e = assertThrows(IOException.class, lost::start);
    assertTrue(e.getMessage().startsWith("snapshot missing: "), e.getMessage());
  }

  @Test
  void damageAndWhatIsMissingStopIt() throws Exception {
    started(dir.resolve("g"), LastStop.CLEAN, new RecordingMember()).stop();
    LocalGroup first = started(dir.resolve("g"), LastStop.CLEAN, new RecordingMember());
    propose(first, 0, 100);
    first.stop();
    assertThrows(
        FileAlreadyExistsException.class,
        () -> GroupDirs.files(dir.resolve("g"), LastStop.CLEAN).create());

    GroupDirs.copy(dir.resolve("g"), dir.resolve("voteless"));
    Files.delete(dir.resolve("voteless/vote"));
    LocalGroup voteless = group(dir.resolve("voteless"), LastStop.CLEAN, new RecordingMember());
    IOException e = assertThrows(IOException.class, voteless::start);
    assertTrue(e.getMessage().startsWith("vote missing: "), e.getMessage());

    GroupDirs.copy(dir.resolve("g"), dir.resolve("logless"));
    for (Path file : GroupDirs.logFiles(dir.resolve("logless"))) {
      Files.delete(file);
    }
    LocalGroup logless = group(dir.resolve("logless"), LastStop.CLEAN, new RecordingMember());
    e = assertThrows(IOException.class, logless::start);
    assertTrue(e.getMessage().startsWith("log missing: "), e.getMessage());

    GroupDirs.damage(dir.resolve("g"), "entry 50");
    LocalGroup damaged = group(dir.resolve("g"), LastStop.CLEAN, new RecordingMember());
    e = assertThrows(IOException.class, damaged::start);
    assertTrue(e.getMessage().startsWith("log damaged: "), e.getMessage());
    assertEquals("refused this node does not lead in term 2", Told.of(damaged, 2, "x").get());
  }

  @Test
  void anErrorOfTheDiskStopsItAndSaysUnknown() throws Exception {
    AtomicBoolean broken = new AtomicBoolean();
    Disk disk =
        new Disk() {
          @Override
          public void force(Path file, boolean withSize) throws IOException {
            if (broken.get()) {
              throw new IOException("the disk is broken");
            }
            super.force(file, withSize);
          }
        };
    RecordingMember member = new RecordingMember();
    GroupFiles files = new GroupFiles(dir.resolve("g"), disk, GroupDirs.OPTIONS, LastStop.CLEAN);
    LocalGroup group = group(files, member);
    group.start();
    assertTrue(Told.of(group, 1, "good").isApplied());
    broken.set(true);
    String unknown = Told.of(group, 1, "bad").get();
    assertTrue(unknown.startsWith("unknown "), unknown);
    assertTrue(unknown.endsWith("the disk is broken"), unknown);
    assertEquals("refused this node does not lead in term 1", Told.of(group, 1, "late").get());
    assertEquals(GroupStatus.Role.FAILED, group.status().role());
    String error = group.status().error();
    assertEquals(unknown, "unknown " + error);
    await().until(() -> member.events().contains("failed " + error));
    group.stop();
    assertEquals(List.of("good"), member.entries());
  }

  @Test
  void anEntryThatCannotBeAppliedStopsIt() throws Exception {
    RecordingMember member = new RecordingMember();
    member.refuse("bad");
    LocalGroup group = started(dir.resolve("g"), LastStop.CLEAN, member);
    assertTrue(Told.of(group, 1, "good").isApplied());
    assertEquals("unknown cannot do bad", Told.of(group, 1, "bad").get());
    assertEquals(GroupStatus.Role.FAILED, group.status().role());
    group.stop();
    // It is in the log: another start does not pass it over.
    RecordingMember next = new RecordingMember();
    next.refuse("bad");
    LocalGroup again = group(dir.resolve("g"), LastStop.CLEAN, next);
    IOException e = assertThrows(IOException.class, again::start);
    assertEquals("cannot do bad", e.getMessage());
    assertEquals(List.of("good"), next.entries());
  }

  @Test
  void gathersWhileAForceIsUnderWayAndRefusesBeyondItsBound() throws Exception {
    CountDownLatch goOn = new CountDownLatch(1);
    AtomicBoolean waits = new AtomicBoolean();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Disk disk =
        new Disk() {
          @Override
          public void force(Path file, boolean withSize) throws IOException {
            if (waits.get()) {
              try {
                goOn.await();
              } catch (InterruptedException e) {
                failure.set(e);
              }
            }
            super.force(file, withSize);
          }
        };
    GroupFiles files = new GroupFiles(dir.resolve("g"), disk, GroupDirs.OPTIONS, LastStop.CLEAN);
    RecordingMember member = new RecordingMember();
    LocalGroup group = group(files, member);
    group.start();
    waits.set(true);
    ByteBuffer large = ByteBuffer.allocate(128 << 10);
    List<Told> told = new ArrayList<>();
    long fit = LocalGroup.MAX_UNDER_WAY_BYTES / (large.capacity() + 64);
    for (long i = 0; i < fit; i++) {
      Told one = new Told();
      group.propose(1, large.duplicate(), one);
      told.add(one);
    }
    assertEquals("refused too much is under way", Told.of(group, 1, "x".repeat(128 << 10)).get());
    assertFalse(told.get(0).isKnown(), "not forced yet");
    waits.set(false);
    goOn.countDown();
    for (Told one : told) {
      assertTrue(one.isApplied(), one.get());
    }
    assertTrue(Told.of(group, 1, "x".repeat(128 << 10)).isApplied());
    assertNull(failure.get());
  }

  @Test
  void staysAlone() throws Exception {
    LocalGroup group = started(dir.resolve("g"), LastStop.CLEAN, new RecordingMember());
    assertThrows(ExecutionException.class, () -> group.handOver("b").get());
    assertThrows(ExecutionException.class, () -> group.changeMembers(List.of(), List.of()).get());
    group.forceAlone();
    assertTrue(Told.of(group, 1, "x").isApplied());
  }
}
