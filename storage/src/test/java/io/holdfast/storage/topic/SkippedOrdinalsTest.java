package io.holdfast.storage.topic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.Batches;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The ordinals that a start after a power cut leaves out are no messages, ever. */
class SkippedOrdinalsTest {
  private static final StorageOptions OPTIONS = new StorageOptions(64 << 20, 1 << 20, false, 0);
  private static final int STARTS = 4;
  private static final int MESSAGES = 3;

  @TempDir Path dir;
  private SyncThread syncThread;
  private ChronicleJournal journal;
  private ChronicleBackend backend;
  private Metadata.TopicEntry entry;
  private TopicRecovery recovery;

  @BeforeEach
  void start() {
    syncThread = new SyncThread(1000);
  }

  @AfterEach
  void stop() {
    close();
    syncThread.close();
  }

  private void close() {
    if (backend != null) {
      backend.close();
      backend = null;
    }
    if (journal != null) {
      journal.close();
      journal = null;
    }
  }

  /**
   * Opens topic and channel as a broker does.
   *
   * @param asOf10 the metadata file is as one of 1.0 would have written it
   * @param channel whether there is one
   */
  private void open(boolean lostPower, boolean asOf10, boolean channel) throws IOException {
    close();
    Path journalDir = made(dir.resolve("journal"));
    journal = new ChronicleJournal(journalDir, OPTIONS, syncThread);
    recovery = TopicRecovery.of(journal, entry, channel ? List.of("c") : List.of(), lostPower);
    List<Metadata.Skipped> skipped = recovery.skippedEntries();
    long skippedTo = skipped.isEmpty() ? 0 : skipped.get(skipped.size() - 1).to();
    entry =
        new Metadata.TopicEntry(
            "t", 1, false, recovery.keptFrom(), null, skippedTo, null, asOf10 ? null : skipped);
    if (channel) {
      openChannel();
    }
  }

  private void openChannel() throws IOException {
    backend =
        ChannelBackends.open(
            made(dir.resolve("channel")),
            journal,
            syncThread,
            false,
            recovery.first(),
            recovery.keptFrom());
  }

  private static Path made(Path path) throws IOException {
    return Files.createDirectories(path);
  }

  private void publish(boolean withChannel) throws IOException {
    for (int i = 0; i < MESSAGES; i++) {
      Batch batch = Batches.of("m");
      journal.append(batch);
      if (withChannel) {
        backend.put(batch, 0);
      }
    }
  }

  private int readAll() throws IOException {
    MessageView message = new MessageView();
    int count = 0;
    while (backend.poll(message)) {
      count++;
    }
    return count;
  }

  @ParameterizedTest
  @CsvSource({"false, true", "false, false", "true, true", "true, false"})
  void shouldCountNoMessageThatNeverWas(boolean asOf10, boolean withChannel) throws Exception {
    int published = 0;
    for (int i = 0; i < STARTS; i++) {
      // A cut each second time, so that there are clean starts behind messages behind a cut.
      open(i % 2 == 1, asOf10 && i < 2, withChannel);
      if (!withChannel) {
        long next = journal.nextOrdinal();
        long from = Math.max(0, recovery.keptFrom());
        assertEquals(published, next - from - journal.skipped().overlap(from, next), "kept back");
      } else {
        assertEquals(published, backend.depth());
      }
      publish(withChannel);
      published += MESSAGES;
    }
    for (int i = 0; i < 2; i++) {
      // Cuts with nothing published between them leave out one range.
      open(true, false, withChannel);
    }
    assertTrue(entry.skipped().size() == 3, () -> entry.skipped().toString());
    if (!withChannel) {
      // The first channel takes all of it over.
      openChannel();
      backend.extend(journal.nextOrdinal());
    }
    assertEquals(published, backend.depth());
    assertEquals(published, readAll());
    assertEquals(0, backend.unreadable());
    assertEquals(0, backend.depth());
  }
}
