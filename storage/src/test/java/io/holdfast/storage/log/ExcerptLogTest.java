package io.holdfast.storage.log;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.record.RecordFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ExcerptLogTest {
  @TempDir Path dir;

  private static final long BLOCK_BYTES = 4 << 20;
  private static final int INDEX_ARRAY_EXCERPTS = 16 * SizeRollCycle.INDEX_COUNT;

  private ExcerptLog open() throws Exception {
    return new ExcerptLog(dir, Disk.LOCAL, BLOCK_BYTES, 1 << 20, CycleFile.Clearing.RARELY_FORCED);
  }

  private static long append(ExcerptLog log, String text) throws Exception {
    return log.append(
        ByteBuffer.allocate(0), ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  private static String text(ExcerptReader reader, int offset, int length) {
    byte[] bytes = new byte[length];
    reader.view().get(offset, bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static String text(ExcerptReader reader) {
    return text(reader, reader.offset(), reader.length());
  }

  @Test
  void shouldReadInOrderAcrossRolls() throws Exception {
    try (ExcerptLog log = open();
        ExcerptReader reader = log.reader(null)) {
      assertFalse(reader.next());
      for (int i = 0; i < 30; i++) {
        append(log, "message " + i);
        if (i % 10 == 9) {
          log.roll();
        }
      }
      for (int i = 0; i < 30; i++) {
        assertTrue(reader.next());
        assertEquals("message " + i, text(reader));
      }
      assertFalse(reader.next());
      append(log, "later");
      assertTrue(reader.next());
      assertEquals("later", text(reader));
      assertEquals(4, log.cycles().size());
    }
  }

  private static List<ByteBuffer> records(String... texts) {
    return Stream.of(texts).map(t -> ByteBuffer.wrap(t.getBytes(StandardCharsets.UTF_8))).toList();
  }

  private static byte[] beginOf(Path file) throws IOException {
    byte[] all = Files.readAllBytes(file);
    int end = all.length;
    while (all[end - 1] == 0) {
      end--;
    }
    return Arrays.copyOf(all, end);
  }

  /** What is made without Chronicle is, to the byte, what Chronicle makes. */
  @Test
  void shouldMakeTheFileThatChronicleMakes() throws Exception {
    String[] texts = {"the first of the records", "second"};
    try (ExcerptLog log = open();
        ExcerptReader reader = log.reader(null)) {
      // Lengths of nobody else's: the first one is Chronicle's.
      log.appendFile(records("another first of records", "2ndone"));
      log.closeIdle();
      Awaitility.await("idle").untilAsserted(() -> assertEquals(List.of(), openFiles()));
      log.appendFile(records(texts));
      assertEquals(List.of(), openFiles());
      assertEquals(List.of(1, 2), List.copyOf(log.cycles()));
      log.force();
      append(log, texts[0]);
      append(log, texts[1]);
      assertEquals(List.of(1, 2, 3), List.copyOf(log.cycles()));
      assertArrayEquals(beginOf(log.file(3)), beginOf(log.file(2)));
      assertTrue(DurableFiles.allocatedBytes(log.file(2)) <= 20 << 10, "is small");
      log.roll();
      log.appendFile(records("3rd first of the records", "Second"));
      append(log, "end");
      List<String> read = new ArrayList<>();
      while (reader.next()) {
        read.add(text(reader));
      }
      List<String> wanted =
          List.of(
              "another first of records",
              "2ndone",
              texts[0],
              texts[1],
              texts[0],
              texts[1],
              "3rd first of the records",
              "Second",
              "end");
      assertEquals(wanted, read);
    }
    try (ExcerptLog log = open();
        ExcerptReader reader = log.reader(null)) {
      int count = 0;
      while (reader.next()) {
        count++;
      }
      assertEquals(9, count);
    }
  }

  /** Descriptors of files of the log, removed ones too. */
  private List<String> openFiles() throws IOException {
    List<String> open = new ArrayList<>();
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path descriptor : descriptors) {
        try {
          String file = Files.readSymbolicLink(descriptor).toString();
          if (file.startsWith(dir.toString())) {
            open.add(file);
          }
        } catch (NoSuchFileException closedMeanwhile) {
          // The one that lists the directory, say.
        }
      }
    }
    return open;
  }

  @Test
  void shouldKeepNoFileOpenThatIsIdleOrClosed() throws Exception {
    try (ExcerptLog log = open()) {
      for (int i = 0; i < 3; i++) {
        append(log, "before");
        log.roll();
        append(log, "after");
        log.closeIdle();
        Awaitility.await("idle").untilAsserted(() -> assertEquals(List.of(), openFiles()));
      }
      append(log, "more");
      assertFalse(openFiles().isEmpty());
    }
    Awaitility.await("closed").untilAsserted(() -> assertEquals(List.of(), openFiles()));
  }

  @Test
  void shouldFindAnExcerptByThePositionAppendGave() throws Exception {
    try (ExcerptLog log = open();
        ExcerptReader reader = log.reader(null)) {
      append(log, "a");
      long inFirst = append(log, "first file");
      log.roll();
      long inSecond = append(log, "second");
      assertEquals("second", text(reader, reader.attachTo(inSecond, 0), 6));
      assertEquals("first file", text(reader, reader.attachTo(inFirst, 0), 10));
    }
  }

  @Test
  void shouldContinueInANewFileAfterReopening() throws Exception {
    try (ExcerptLog log = open()) {
      append(log, "before");
    }
    Files.createFile(dir.resolve(SizeRollCycle.fileName(2)));
    Files.write(dir.resolve("metadata.cq4t"), new byte[100]);
    try (ExcerptLog log = open();
        ExcerptReader reader = log.reader(null)) {
      assertEquals(1, log.cycles().size());
      append(log, "after");
      assertEquals(2, log.cycles().size());
      assertTrue(reader.next());
      assertEquals("before", text(reader));
      assertTrue(reader.next());
      assertEquals("after", text(reader));
    }
  }

  @Test
  void shouldReopenClosedFilesOnDemand() throws Exception {
    try (ExcerptLog log = open()) {
      append(log, "one");
      ExcerptReader reader = log.reader(null);
      assertTrue(reader.next());
      log.closeIdle();
      reader.close();
      append(log, "two");
      assertEquals(1, log.cycles().size());
      assertTrue(reader.next());
      assertEquals("one", text(reader));
      assertTrue(reader.next());
      assertEquals("two", text(reader));
      reader.close();
    }
  }

  @Test
  void shouldUnmapFilesThatAReaderHasLeft() throws Exception {
    try (ExcerptLog log = open();
        ExcerptReader reader = log.reader(RecordFormat.JOURNAL)) {
      for (int i = 0; i < 5; i++) {
        append(log, "x".repeat(100));
        log.roll();
        while (reader.next()) {
          assertEquals(100, reader.length());
        }
      }
      Path oldest = log.file(1);
      log.deleteCycle(1);
      // Its blocks come back only with the last mapping, and nobody waits for a garbage collection.
      Awaitility.await()
          .until(
              () ->
                  Files.readAllLines(Path.of("/proc/self/maps"), StandardCharsets.ISO_8859_1)
                      .stream()
                      .noneMatch(mapping -> mapping.contains(oldest.toString())));
    }
  }

  @Test
  void shouldLeaveSuccessorsFilesAloneOnceClosed() throws Exception {
    ExcerptLog old = open();
    append(old, "one");
    old.roll();
    append(old, "two");
    old.close();
    // The topic was deleted and created again: the same directory, other files.
    Files.delete(old.file(1));
    Files.delete(old.file(2));
    try (ExcerptLog successor = open()) {
      append(successor, "new");
      old.deleteCycle(1);
      assertTrue(Files.exists(successor.file(1)));
    }
  }

  @Test
  void shouldForceAndDeleteFiles() throws Exception {
    try (ExcerptLog log = open();
        ExcerptReader reader = log.reader(null)) {
      append(log, "one");
      log.roll();
      append(log, "two");
      log.force();
      assertTrue(log.diskBytes() > 0);
      log.deleteCycle(log.firstCycle());
      assertTrue(reader.next());
      assertEquals("two", text(reader));
    }
  }

  /**
   * Bodies through the mapping and by call, in any order, past several of Chronicle's index arrays:
   * what is cleared ahead of one append must not be what another one wrote.
   */
  @ParameterizedTest
  @EnumSource
  void shouldKeepSmallAndLargeRecordsApart(CycleFile.Clearing clearing) throws Exception {
    final int records = 60_000;
    final int largest = 300_000;
    final int seed = 4711;
    Random random = new Random(seed);
    ByteBuffer direct = ByteBuffer.allocateDirect(largest);
    try (ExcerptLog log = new ExcerptLog(dir, Disk.LOCAL, 256 << 20, 1 << 20, clearing);
        ExcerptReader reader = log.reader(null)) {
      List<Integer> lengths = new ArrayList<>();
      List<Long> positions = new ArrayList<>();
      for (int i = 0; i < records; i++) {
        // Chronicle lays an index array behind each of these: it may be behind a large body, too.
        boolean beforeIndexArray = i % INDEX_ARRAY_EXCERPTS == 0;
        int bound = beforeIndexArray || random.nextInt(100) == 0 ? largest : 300;
        int length = beforeIndexArray ? largest : 8 + random.nextInt(bound - 8);
        lengths.add(length);
        direct.clear();
        for (int at = 0; at < length; at++) {
          direct.put((byte) (i + at));
        }
        ByteBuffer head = ByteBuffer.allocateDirect(Integer.BYTES).putInt(i).flip();
        positions.add(log.append(head, direct.flip()));
      }
      for (int i = 0; i < records; i++) {
        assertTrue(reader.next(), "record " + i);
        int length = lengths.get(i);
        assertEquals(Integer.BYTES + length, reader.length());
        assertEquals(i, reader.view().getInt(reader.offset()));
        for (int at = 0; at < length; at++) {
          byte found = reader.view().get(reader.offset() + Integer.BYTES + at);
          assertEquals((byte) (i + at), found);
        }
      }
      assertFalse(reader.next());
      for (int i = 0; i < records; i += 7) {
        reader.moveTo(positions.get(i));
        assertTrue(reader.next());
        assertEquals(i, reader.view().getInt(reader.offset()));
      }
    }
  }

  @Test
  void shouldGiveBackWhatAFileThatIsLeftDoesNotNeed() throws Exception {
    try (ExcerptLog log = open()) {
      for (int i = 0; i < 50; i++) {
        append(log, "x".repeat(1000));
      }
      long end = log.fileBytes();
      Path file = log.file(log.currentCycle());
      assertTrue(DurableFiles.allocatedBytes(file) > end + CycleFile.SLACK_BYTES + 4096);
      // As housekeeping does it with an idle one: its descriptor is closed, too.
      log.closeIdle();
      log.roll();
      assertTrue(DurableFiles.allocatedBytes(file) <= end + CycleFile.SLACK_BYTES + 4096);
    }
  }

  @Test
  void shouldRefuseARecordLargerThanTheMappingIsGoodFor() throws Exception {
    try (ExcerptLog log = open();
        ExcerptReader reader = log.reader(null)) {
      append(log, "before");
      ByteBuffer nothing = ByteBuffer.allocate(0);
      ByteBuffer huge = ByteBuffer.allocateDirect((int) BLOCK_BYTES);
      assertThrows(IOException.class, () -> log.append(nothing, huge));
      append(log, "after");
      assertTrue(reader.next());
      assertTrue(reader.next());
      assertEquals("after", text(reader));
      assertEquals(1, log.cycles().size());
    }
  }
}
