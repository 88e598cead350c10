package io.holdfast.storage.topic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.StorageOptions;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RestartTest {
  private static final int RESTARTS = 20;

  @TempDir Path dir;

  /** Each restart once made the mapping a quarter larger, until the broker did not start. */
  @Test
  void shouldKeepFilesOfTheSameSizeOverManyRestarts() throws Exception {
    StorageOptions options = new StorageOptions(1 << 20, 1 << 20, false, 0);
    long largest = 0;
    try (SyncThread sync = new SyncThread(1000)) {
      for (int i = 0; i < RESTARTS; i++) {
        try (ChronicleJournal journal = new ChronicleJournal(dir, options, sync)) {
          assertEquals(i, journal.nextOrdinal());
          ByteBuffer section = ByteBuffer.allocate(5).putInt(1).put((byte) 'x').flip();
          journal.append(new Batch(section, 1, 0));
        }
        long bytes = largestFile();
        assertTrue(largest == 0 || bytes == largest, bytes + " after " + largest);
        largest = bytes;
      }
    }
  }

  private long largestFile() throws Exception {
    try (Stream<Path> files = Files.list(dir)) {
      return files
          .filter(file -> file.toString().endsWith(".cq4"))
          .mapToLong(file -> file.toFile().length())
          .max()
          .orElseThrow();
    }
  }
}
