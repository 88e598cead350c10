package io.holdfast.storage.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.Disk;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CopiedFileTest {
  @TempDir Path dir;

  /** All that was opened to read, in order. */
  private final List<FileChannel> opened = new ArrayList<>();

  private ExcerptLog log;

  @BeforeEach
  void open() throws IOException {
    Disk disk =
        new Disk() {
          @Override
          public FileChannel openToRead(Path file) throws IOException {
            FileChannel channel = super.openToRead(file);
            opened.add(channel);
            return channel;
          }
        };
    log = new ExcerptLog(dir, disk, 1 << 20, 64 << 10, CycleFile.Clearing.OFTEN_FORCED);
  }

  @AfterEach
  void close() {
    log.close();
    assertEquals(0, stillOpen(), "open after the log was closed");
  }

  private long stillOpen() {
    return opened.stream().filter(Channel::isOpen).count();
  }

  private void append(String text) throws IOException {
    log.append(ByteBuffer.allocate(0), ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
  }

  /** Copies what is unforced; true when the text is in it. */
  private boolean copyHas(String text) throws IOException {
    List<FilePart> parts = log.unforced();
    ByteBuffer to = ByteBuffer.allocate(1 << 20);
    for (FilePart part : parts) {
      log.read(part, to);
    }
    log.safe(parts);
    return new String(to.array(), 0, to.position(), StandardCharsets.US_ASCII).contains(text);
  }

  @Test
  void shouldOpenFileOnceForAllCopiesOfIt() throws Exception {
    for (String text : List.of("one", "two", "three")) {
      append(text);
      assertTrue(copyHas(text), text);
    }
    assertEquals(1, opened.size());
    assertEquals(1, stillOpen());
  }

  @Test
  void shouldLeaveFileWhenLogGoesOnInAnother() throws Exception {
    append("one");
    assertTrue(copyHas("one"));
    log.roll();
    append("two");
    assertTrue(copyHas("two"));
    assertEquals(2, opened.size());
    assertEquals(1, stillOpen());
  }

  @Test
  void shouldKeepNothingOpenOfIdleLog() throws Exception {
    append("one");
    assertTrue(copyHas("one"));
    append("two");
    log.closeIdle();
    assertEquals(0, stillOpen());
    assertTrue(copyHas("two"));
    assertEquals(0, stillOpen());
    append("three");
    assertTrue(copyHas("three"));
    assertEquals(1, stillOpen());
  }

  @Test
  void shouldNotKeepRemovedFileOpen() throws Exception {
    append("one");
    assertTrue(copyHas("one"));
    int cycle = log.currentCycle();
    log.roll();
    log.deleteCycle(cycle);
    assertEquals(0, stillOpen());
  }

  @Test
  void shouldLetGoOfFileThatIsToBeUsedAgain() throws Exception {
    log.close();
    SpareFiles spares = new SpareFiles(8, 1, () -> true);
    log =
        new ExcerptLog(dir, Disk.LOCAL, 1 << 20, 64 << 10, CycleFile.Clearing.OFTEN_FORCED, spares);
    append("one");
    assertTrue(copyHas("one"));
    int cycle = log.currentCycle();
    log.roll();
    append("two");
    log.deleteCycle(cycle);
    // One that is open is removed instead.
    assertTrue(spares.bytes() > 0);
  }

  @Test
  void shouldSayWhichFileWasCutOff() throws Exception {
    append("one");
    assertTrue(copyHas("one"));
    append("two");
    Path file = log.file(log.currentCycle());
    try (RandomAccessFile cut = new RandomAccessFile(file.toFile(), "rw")) {
      cut.setLength(log.unforced().get(0).from());
    }
    IOException refused = assertThrows(IOException.class, () -> copyHas("two"));
    assertEquals(file + ": it was cut off by somebody", refused.getMessage());
  }
}
