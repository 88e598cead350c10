package io.holdfast.storage.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.LastStop;
import io.holdfast.storage.raft.RaftLogs.Found;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/**
 * Damage stops the group: a log is never silently shorter than what was answered. {@code
 * -Dholdfast.damage.images=n} for more damaged logs.
 */
class RaftLogDamageTest {
  private static final int IMAGES = Integer.getInteger("holdfast.damage.images", 50);
  private static final int RECORD_HEADER = 4;

  private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  private final Level level = root.getLevel();

  @TempDir Path home;
  private Path dir;
  private final List<RaftLog> dead = new ArrayList<>();

  @BeforeEach
  void prepare() throws IOException {
    root.setLevel(Level.OFF);
    dir = Files.createDirectory(home.resolve("log"));
  }

  @AfterEach
  void speak() throws IOException {
    root.setLevel(level);
    for (RaftLog log : dead) {
      log.abandon();
    }
  }

  /** Several files, with entries that were cut and others that were forgotten. */
  private RaftModel.Entries write() throws IOException {
    try (RaftLog log = RaftLogs.create(dir)) {
      for (int from = 1; from < 300; from += 30) {
        log.append(RaftLogs.entries(from, 30, 1, 300));
        log.force();
      }
      log.append(RaftLogs.entries(250, 40, 2, 300));
      log.force();
      log.truncateSuffix(280);
      log.append(RaftLogs.entries(281, 2, 3, 9000));
      log.truncatePrefix(100);
      log.append(RaftLogs.entries(283, 5, 3, 20));
      log.force();
      return RaftModel.read(log);
    }
  }

  /** Does one thing to one file, every other time to one of its records; says what. */
  private static String damage(Path dir, List<Found> records, Random random) throws IOException {
    List<Path> files = RaftLogs.files(dir);
    Path file = files.get(random.nextInt(files.size()));
    int from = random.nextInt((int) DurableFiles.dataEnd(file));
    if (random.nextBoolean()) {
      Found record = records.get(random.nextInt(records.size()));
      file = dir.resolve(record.file().getFileName());
      from = record.offset() - RECORD_HEADER + random.nextInt(record.record().bytes());
    }
    int end = (int) DurableFiles.dataEnd(file);
    int to = Math.min(end, from + 1 + random.nextInt(random.nextBoolean() ? 64 : 20_000));
    String where = file.getFileName() + ":" + from;
    switch (random.nextInt(6)) {
      case 0, 1 -> {
        int bits = 1 << random.nextInt(8);
        RaftLogs.flip(file, from, bits);
        return "flip " + bits + " " + where;
      }
      case 2 -> {
        RaftLogs.zero(file, from, to);
        return "zero to " + to + " " + where;
      }
      case 3 -> {
        RaftLogs.truncate(file, from);
        return "truncate " + where;
      }
      case 4 -> {
        byte[] bytes = new byte[to - from];
        random.nextBytes(bytes);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          channel.write(ByteBuffer.wrap(bytes), from);
        }
        return "overwrite to " + to + " " + where;
      }
      default -> {
        Files.delete(file);
        return "delete " + where;
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldRefuseADamagedLogOrLackNothing(LastStop lastStop) throws Exception {
    RaftModel.Entries expected = write();
    List<Found> records = RaftLogs.records(dir);
    int refused = 0;
    for (int seed = 0; seed < IMAGES; seed++) {
      Path image = home.resolve("image");
      RaftLogs.copy(dir, image);
      String what = "seed " + seed + ": " + damage(image, records, new Random(seed));
      boolean markGone = !Files.exists(image.resolve(EndMark.NAME));
      try (RaftLog log = RaftLogs.open(image, lastStop)) {
        RaftModel.Entries found = RaftModel.read(log);
        boolean mayBeTorn = lastStop == LastStop.MACHINE_STOPPED && what.contains(EndMark.NAME);
        assertTrue(found.toString().equals(expected.toString()) || mayBeTorn, what);
        assertFalse(markGone, what);
      } catch (DamagedException e) {
        refused++;
        assertTrue(e.getMessage().startsWith("log damaged: " + e.file() + ":" + e.offset()), what);
        assertTrue(e.file().startsWith(image), what);
      } catch (NoSuchFileException e) {
        refused++;
        assertTrue(e.getFile().startsWith(image.toString()), what);
      }
      DurableFiles.deleteTree(image);
    }
    assertTrue(refused > IMAGES / 3, refused + " refused");
  }

  @ParameterizedTest
  @EnumSource
  void shouldRefuseEachDamagedFieldOfARecord(LastStop lastStop) throws Exception {
    write();
    Found entry = RaftLogs.entry(dir, 200);
    for (int offset = -RECORD_HEADER; offset < RaftRecord.HEAD_BYTES + 8; offset++) {
      RaftLogs.flip(entry.file(), entry.offset() + offset, 4);
      DamagedException e =
          assertThrows(DamagedException.class, () -> RaftLogs.open(dir, lastStop), "at " + offset);
      assertEquals(entry.file(), e.file());
      assertTrue(Math.abs(e.offset() - entry.offset()) < 800, e.getMessage());
      RaftLogs.flip(entry.file(), entry.offset() + offset, 4);
    }
    RaftLogs.open(dir, lastStop).close();
  }

  /** A reader finds what opening found right, and was damaged since. */
  @Test
  void shouldNotReadADamagedEntry() throws Exception {
    write();
    Found entry = RaftLogs.entry(dir, 200);
    try (RaftLog log = RaftLogs.open(dir, LastStop.CLEAN)) {
      RaftLogs.flip(entry.file(), entry.offset() + RaftRecord.HEAD_BYTES + 3, 1);
      DamagedException e = assertThrows(DamagedException.class, () -> log.read(200));
      assertEquals(entry.offset(), e.offset());
    }
  }

  /** Two batches that were forced and one that was not, left by the death of the process. */
  private void writeThreeBatches() throws IOException {
    RaftLog log = RaftLogs.create(dir);
    dead.add(log);
    log.append(RaftLogs.entries(1, 5, 1, 300));
    log.force();
    log.append(RaftLogs.entries(6, 5, 1, 300));
    log.force();
    log.append(RaftLogs.entries(11, 5, 1, 300));
  }

  /** As a power cut may leave it: what is in it was true long ago. */
  private void forgetEnd() throws IOException {
    Files.write(dir.resolve(EndMark.NAME), new byte[12]);
  }

  @Test
  void shouldRefuseATornEndWhileTheMachineWasUp() throws Exception {
    writeThreeBatches();
    for (long index : new long[] {12, 15}) {
      Found torn = RaftLogs.entry(dir, index);
      RaftLogs.flip(torn.file(), torn.offset() + 100, 1);
      DamagedException e =
          assertThrows(DamagedException.class, () -> RaftLogs.open(dir, LastStop.PROCESS_DIED));
      assertEquals(torn.file(), e.file());
      assertEquals(torn.offset(), e.offset());
      RaftLogs.flip(torn.file(), torn.offset() + 100, 1);
    }
  }

  @Test
  void shouldCutATornLastBatchAfterAPowerCutAndNotVote() throws Exception {
    writeThreeBatches();
    forgetEnd();
    Found torn = RaftLogs.entry(dir, 13);
    RaftLogs.flip(torn.file(), torn.offset() + 100, 1);
    try (RaftLog log = RaftLogs.open(dir, LastStop.MACHINE_STOPPED)) {
      assertEquals(12, log.lastIndex());
      assertNull(log.read(13));
      assertTrue(log.doubtfulTo() >= 15, "doubtful to " + log.doubtfulTo());
      assertTrue(log.doubtfulTo() <= 12 + 4 * 300 / RaftRecord.HEAD_BYTES, "" + log.doubtfulTo());
    }
    // It stays so, and what was cut does not come back.
    long doubtfulTo;
    try (RaftLog log = RaftLogs.open(dir, LastStop.CLEAN)) {
      assertEquals(12, log.lastIndex());
      doubtfulTo = log.doubtfulTo();
      log.append(RaftLogs.entries(13, 1, 1, 10));
      log.truncatePrefix(5);
      assertEquals(doubtfulTo, log.doubtfulTo(), "the leader may have had more");
    }
    try (RaftLog log = RaftLogs.open(dir, LastStop.MACHINE_STOPPED)) {
      assertEquals(doubtfulTo, log.doubtfulTo());
      log.append(RaftLogs.entries(14, (int) doubtfulTo - 13, 9, 10));
      assertEquals(0, log.doubtfulTo(), "a leader has replicated past it");
    }
    try (RaftLog log = RaftLogs.open(dir, LastStop.CLEAN)) {
      assertEquals(0, log.doubtfulTo());
      assertEquals(doubtfulTo, log.lastIndex());
    }
  }

  @Test
  void shouldVoteAgainWhenALaterLeaderHasReplicated() throws Exception {
    writeThreeBatches();
    forgetEnd();
    Found torn = RaftLogs.entry(dir, 11);
    RaftLogs.zero(torn.file(), torn.offset() - RECORD_HEADER, torn.offset() + 5 * 360);
    try (RaftLog log = RaftLogs.open(dir, LastStop.MACHINE_STOPPED)) {
      assertEquals(10, log.lastIndex());
      assertTrue(log.doubtfulTo() > 10);
      log.append(RaftLogs.entries(11, 1, 9, 0));
      assertTrue(log.doubtfulTo() > 10, "it may be a leader this node has voted for");
      log.append(RaftLogs.entries(12, 1, 10, 0));
      assertEquals(0, log.doubtfulTo(), "elected by the two others");
    }
  }

  /** A batch was written behind it, so it was on disk: this is no torn end. */
  @Test
  void shouldRefuseDamageBeforeTheLastBatchAfterAPowerCut() throws Exception {
    writeThreeBatches();
    forgetEnd();
    Found damaged = RaftLogs.entry(dir, 10);
    RaftLogs.flip(damaged.file(), damaged.offset() + 100, 1);
    DamagedException e =
        assertThrows(DamagedException.class, () -> RaftLogs.open(dir, LastStop.MACHINE_STOPPED));
    assertEquals(damaged.file(), e.file());
    assertEquals(damaged.offset(), e.offset());
  }

  /** Nothing was written behind it, but the mark of the end says that it was on disk. */
  @Test
  void shouldRefuseDamageThatTheMarkProves() throws Exception {
    RaftLog log = RaftLogs.create(dir);
    dead.add(log);
    log.append(RaftLogs.entries(1, 5, 1, 300));
    log.force();
    Found damaged = RaftLogs.entry(dir, 5);
    RaftLogs.flip(damaged.file(), damaged.offset() + 100, 1);
    assertThrows(DamagedException.class, () -> RaftLogs.open(dir, LastStop.MACHINE_STOPPED));
  }

  /** The pages with CUT and the new 50 are lost, that with the new 51 is there. */
  @Test
  void shouldNotMixTermsWhenACutIsTorn() throws Exception {
    RaftLog log = RaftLogs.create(dir);
    dead.add(log);
    List<RaftEntry> old = RaftLogs.entries(1, 51, 3, 50);
    log.append(old);
    log.force();
    log.truncateSuffix(49);
    log.append(RaftLogs.entries(50, 1, 5, 9000));
    log.append(RaftLogs.entries(51, 1, 5, 50));
    Found last = RaftLogs.entry(dir, 51);
    Found replaced = RaftLogs.entry(dir, 50);
    assertEquals(5, replaced.record().term());
    int cut = replaced.offset() - RECORD_HEADER - RaftRecord.HEAD_BYTES - RECORD_HEADER;
    RaftLogs.zero(replaced.file(), cut, last.offset() - RECORD_HEADER);
    try (RaftLog left = RaftLogs.open(dir, LastStop.MACHINE_STOPPED)) {
      assertEquals(51, left.lastIndex());
      assertEquals(old.get(49), left.read(50));
      assertEquals(old.get(50), left.read(51));
      assertTrue(left.doubtfulTo() >= 51);
    }
  }

  /** An entry that is linked to another one is not taken, whatever else is right. */
  @Test
  void shouldNotTakeAnEntryOfAnotherChain() throws Exception {
    try (RaftLog log = RaftLogs.create(dir)) {
      log.append(RaftLogs.entries(1, 2, 3, 50));
    }
    Path other = Files.createDirectory(home.resolve("other"));
    try (RaftLog log = RaftLogs.create(other)) {
      log.append(RaftLogs.entries(1, 1, 3, 51));
      log.append(RaftLogs.entries(2, 1, 3, 50));
    }
    Found ours = RaftLogs.entry(dir, 2);
    Found theirs = RaftLogs.entry(other, 2);
    byte[] record = new byte[theirs.record().bytes()];
    System.arraycopy(Files.readAllBytes(theirs.file()), theirs.offset(), record, 0, record.length);
    try (FileChannel channel = FileChannel.open(ours.file(), StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(record), ours.offset());
    }
    DamagedException e =
        assertThrows(DamagedException.class, () -> RaftLogs.open(dir, LastStop.CLEAN));
    assertTrue(e.getMessage().endsWith("the entry before 2 is another one"), e.getMessage());
  }
}
