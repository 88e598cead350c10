package io.holdfast.storage.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.log.SizeRollCycle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files in a log's directory that are not the log's. */
class StrayFilesTest {
  @TempDir Path dir;

  private final SyncThread syncThread = new SyncThread(3_600_000);

  @AfterEach
  void close() {
    syncThread.close();
  }

  private ChronicleJournal open() throws Exception {
    return new ChronicleJournal(dir, Batches.options(1 << 20), syncThread);
  }

  private void append(String body) throws Exception {
    try (ChronicleJournal journal = open()) {
      journal.append(Batches.of(body));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "99999999-999999.cq4",
        "99991231-235959.cq4",
        "20380119-031407.cq4",
        "20300101-000000.cq4",
        "00000000-000000.cq4",
        "19700101-000009.cq4",
        "19700101-000000.cq4",
        "zz.cq4",
        ".cq4",
        "19700101-000001.cq4.bak.cq4"
      })
  void shouldLeaveGoodFilesAsTheyAre(String name) throws Exception {
    append("a");
    Path good = dir.resolve(SizeRollCycle.fileName(1));
    for (String content : new String[] {"", "what somebody put here"}) {
      Files.writeString(dir.resolve(name), content);
      append("b");
      assertTrue(Files.exists(good), "not renamed");
    }
    Files.deleteIfExists(dir.resolve(name));
    Files.createDirectory(dir.resolve(name));
    append("c");
    try (ChronicleJournal journal = open()) {
      assertEquals(Map.of(0L, "a", 1L, "b", 2L, "b", 3L, "c"), Batches.readAll(journal, 0));
      assertTrue(Files.exists(good));
    }
  }

  @Test
  void shouldGoOnThoughAStrayComesWhileItRuns() throws Exception {
    try (ChronicleJournal journal = open()) {
      journal.append(Batches.of("a"));
      Files.writeString(dir.resolve("99999999-999999.cq4"), "x");
      journal.append(Batches.of("b"));
      journal.closeIdle();
      journal.append(Batches.of("c"));
      assertEquals(Map.of(0L, "a", 1L, "b", 2L, "c"), Batches.readAll(journal, 0));
    }
  }
}
