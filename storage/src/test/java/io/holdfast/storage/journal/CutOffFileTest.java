package io.holdfast.storage.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.holdfast.storage.files.SyncThread;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files cut off by somebody while the log appends to them. */
class CutOffFileTest {
  @TempDir Path dir;

  private final SyncThread syncThread = new SyncThread(3_600_000);

  @AfterEach
  void close() {
    syncThread.close();
  }

  private void cutAll(long to) throws IOException {
    try (Stream<Path> entries = Files.list(dir)) {
      for (Path file : entries.toList()) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          channel.truncate(to);
        }
      }
    }
  }

  /** What Chronicle has mapped is gone: a store into it would end this process. */
  @ParameterizedTest
  @ValueSource(longs = {0, 100, 4096, 20_000})
  void shouldGoOnInANewFile(long to) throws Exception {
    try (ChronicleJournal journal =
        new ChronicleJournal(dir, Batches.options(1 << 20), syncThread)) {
      for (String body : List.of("a", "b")) {
        for (boolean closed : new boolean[] {false, true}) {
          journal.append(Batches.of("lost with its file"));
          if (closed) {
            journal.closeIdle();
          }
          cutAll(to);
          // Longer than the time between two looks.
          Thread.sleep(3);
          Batch after = Batches.of(body);
          journal.append(after);
          assertEquals(
              Map.of(after.firstOrdinal(), body), Batches.readAll(journal, after.firstOrdinal()));
        }
      }
    }
  }

  @Test
  void shouldGoOnInANewFileSoonAfterItsFileWasRemoved() throws Exception {
    try (ChronicleJournal journal =
        new ChronicleJournal(dir, Batches.options(1 << 20), syncThread)) {
      journal.append(Batches.of("removed with its file"));
      Path removed = journal.files().keySet().iterator().next();
      Files.delete(removed);
      Awaitility.await()
          .atMost(Duration.ofMinutes(1))
          .until(
              () -> {
                journal.append(Batches.of("after"));
                return journal.diskFiles() == 2;
              });
      assertFalse(Files.exists(removed));
    }
  }

  @Test
  void shouldNotSayThatIsOnDiskWhatWasCutOff() throws Exception {
    try (ChronicleJournal journal =
        new ChronicleJournal(dir, Batches.options(1 << 20), syncThread)) {
      journal.append(Batches.of("lost with its file"));
      cutAll(0);
      IOException refused = assertThrows(IOException.class, journal::force);
      assertEquals(true, refused.getMessage().contains("cut off"), refused.getMessage());
      journal.force();
      Batch after = Batches.of("after");
      journal.append(after);
      journal.force();
      assertEquals(
          Map.of(after.firstOrdinal(), "after"), Batches.readAll(journal, after.firstOrdinal()));
    }
  }
}
