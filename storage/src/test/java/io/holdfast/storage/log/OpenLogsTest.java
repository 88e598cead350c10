package io.holdfast.storage.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an open log has, and that it is given back. */
class OpenLogsTest {
  private static final int BLOCK = 4 << 20;

  @TempDir Path dir;

  private ExcerptLog open(String name) throws IOException {
    return new ExcerptLog(
        Files.createDirectories(dir.resolve(name)),
        Disk.LOCAL,
        BLOCK,
        256 << 10,
        CycleFile.Clearing.RARELY_FORCED);
  }

  private static void append(ExcerptLog log) throws IOException {
    log.append(ByteBuffer.wrap("record".getBytes(UTF_8)), ByteBuffer.allocate(0));
  }

  @Test
  void shouldCountThoseThatHaveFilesOpen() throws IOException {
    int before = OpenLogs.count();
    try (ExcerptLog log = open("a")) {
      assertEquals(before, OpenLogs.count());
      append(log);
      append(log);
      assertEquals(before + 1, OpenLogs.count());
      log.closeIdle();
      assertEquals(before, OpenLogs.count());
      append(log);
    }
    assertEquals(before, OpenLogs.count());
  }

  @Test
  void shouldAskForColdOnesToBeClosed() throws IOException {
    try (ExcerptLog cold = open("cold");
        ExcerptLog used = open("used")) {
      append(cold);
      int most = OpenLogs.count();
      AtomicInteger asked = new AtomicInteger();
      OpenLogs.Keeper keeper =
          new OpenLogs.Keeper() {
            @Override
            public int most() {
              return most;
            }

            @Override
            public void closeCold() {
              asked.incrementAndGet();
              cold.closeIdle();
            }
          };
      OpenLogs.add(keeper);
      try {
        append(used);
        assertEquals(1, asked.get());
        assertEquals(most, OpenLogs.count());
        append(used);
        assertEquals(1, asked.get());
      } finally {
        OpenLogs.remove(keeper);
      }
      append(cold);
      assertEquals(1, asked.get());
    }
  }

  @Test
  void shouldHaveOneFileAndNoListing() throws IOException {
    try (ExcerptLog log = open("a")) {
      append(log);
      try (Stream<Path> files = Files.list(log.dir())) {
        assertEquals(List.of(log.file(1)), files.toList());
      }
      assertEquals(1, mappings(log.dir()));
      log.closeIdle();
      // Chronicle takes the mapping away in a thread of its own.
      long untilNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
      while (mappings(log.dir()) > 0 && System.nanoTime() < untilNs) {
        Thread.onSpinWait();
      }
      assertEquals(0, mappings(log.dir()));
    }
  }

  private static long mappings(Path dir) throws IOException {
    try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
      return maps.filter(line -> line.contains(dir.toString())).count();
    }
  }

  @Test
  void shouldGiveBackWhatItReservedWhenItIsCold() throws IOException {
    try (ExcerptLog log = open("a")) {
      append(log);
      long open = DurableFiles.allocatedBytes(log.file(1));
      log.closeIdle();
      long cold = DurableFiles.allocatedBytes(log.file(1));
      assertTrue(cold < open && cold <= 44 << 10, cold + " of " + open + " bytes");
      // It goes on in the same file, with room for what it writes.
      for (int i = 0; i < 5000; i++) {
        append(log);
      }
      assertEquals(1, log.cycles().size());
      int read = 0;
      try (ExcerptReader reader = log.reader(null)) {
        while (reader.next()) {
          read++;
        }
      }
      assertEquals(5001, read);
    }
  }
}
