package io.holdfast.storage.topic;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.inspect.DataDirCheck;
import io.holdfast.storage.inspect.DataDirRepair;
import io.holdfast.storage.inspect.DataDirView;
import io.holdfast.storage.inspect.Defect;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.Batches;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.journal.Retention;
import io.holdfast.storage.ledger.RelocatedMessages;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages whose own file goes because they were relocated. */
class RelocatedMessagesTest {
  private static final String TOPIC = "t";
  private static final String CHANNEL = "c";
  private static final long FILE_BYTES = 32 << 10;
  private static final int MESSAGES = 200;

  @TempDir Path root;
  private final SyncThread syncThread = new SyncThread(3_600_000);
  private DataDir dir;
  private ChronicleJournal journal;
  private ChronicleBackend backend;
  private final List<HeldMessage> held = new ArrayList<>();
  private final Map<Long, String> bodies = new TreeMap<>();

  @BeforeEach
  void start() throws IOException {
    open();
  }

  @AfterEach
  void stop() throws IOException {
    close();
    syncThread.close();
  }

  private void open() throws IOException {
    dir = DataDir.open(root);
    dir.createTopic(TOPIC);
    dir.createChannel(TOPIC, CHANNEL);
    journal = new ChronicleJournal(dir.journalDir(TOPIC), Batches.options(FILE_BYTES), syncThread);
    held.clear();
    Path ledger = dir.channelDir(TOPIC, CHANNEL);
    long first = journal.firstOrdinal();
    backend = ChannelBackends.open(ledger, journal, syncThread, true, first, -1);
    held.addAll(backend.takeHeld());
  }

  private void close() throws IOException {
    backend.close();
    journal.close();
    dir.close();
  }

  private void restart() throws IOException {
    close();
    open();
  }

  /** Publishes, and has everything delivered once. */
  private List<MessageRef> publishAndPoll(int count) throws IOException {
    List<MessageRef> refs = new ArrayList<>();
    MessageView view = new MessageView();
    for (int i = 0; i < count; i++) {
      String body = journal.nextOrdinal() + "-".repeat(800);
      Batch batch = Batches.of(body);
      journal.append(batch);
      backend.put(batch, 0);
      bodies.put(batch.firstOrdinal(), body);
      assertTrue(backend.poll(view));
      refs.add(
          new MessageRef(
              view.ordinal(), view.batchPosition(), view.bodyOffset(), view.bodyLength(), 1));
    }
    return refs;
  }

  private void finish(List<MessageRef> refs, int butEvery) throws IOException {
    OrdinalRanges ranges = new OrdinalRanges();
    for (MessageRef ref : refs) {
      if (ref.ordinal() % butEvery != 0) {
        ranges.add(ref.ordinal());
      } else {
        held.add(new HeldMessage(ref, 0));
      }
    }
    backend.finish(ranges);
    backend.hold(held);
  }

  private void relocateHeld() throws IOException {
    MessageView view = new MessageView();
    try (JournalCursor cursor = journal.cursor()) {
      for (HeldMessage message : held) {
        assertTrue(cursor.read(message.ref(), view));
        message.ref().relocateTo(journal.relocate(view));
      }
    }
    journal.force();
    backend.relocate(held);
    assertTrue(backend.hasUnforcedRelocations());
    backend.force();
    backend.relocationsForced();
    assertFalse(backend.hasUnforcedRelocations());
  }

  private int removeFiles() throws IOException {
    int removed = journal.removeBelow(backend.neededFrom(), backend.pinnedFile(), Retention.NONE);
    return removed;
  }

  private Map<Long, String> heldBodies() throws IOException {
    Map<Long, String> found = new TreeMap<>();
    MessageView view = new MessageView();
    for (HeldMessage message : held) {
      assertTrue(backend.read(message.ref(), view), "message " + message.ref().ordinal());
      assertEquals(message.ref().ordinal(), view.ordinal());
      found.put(view.ordinal(), UTF_8.decode(view.body()).toString());
    }
    return found;
  }

  private Map<Long, String> bodiesOfEvery(int step) {
    Map<Long, String> expected = new TreeMap<>(bodies);
    expected.keySet().removeIf(ordinal -> ordinal % step != 0);
    return expected;
  }

  /** 200 messages in several files; every 50th is held, relocated, and its file gone. */
  private void relocateEvery50th() throws IOException {
    finish(publishAndPoll(MESSAGES), 50);
    assertEquals(0, removeFiles(), "the first message of the first file is held");
    relocateHeld();
    assertEquals(MESSAGES, backend.neededFrom());
    assertTrue(removeFiles() > 1);
    assertEquals(bodiesOfEvery(50), heldBodies());
  }

  @Test
  void shouldReadCopiesAfterRestartsAndCarryThemOn() throws Exception {
    relocateEvery50th();
    for (int i = 0; i < 3; i++) {
      restart();
      assertEquals((long) MESSAGES * (i + 1), journal.nextOrdinal());
      assertEquals(MESSAGES / 50 * (i + 1), held.size());
      assertTrue(held.stream().allMatch(h -> h.ref().isRelocated() && h.ref().attempts() == 1));
      assertEquals(0, backend.depth(), "what is relocated is not in the backlog");
      assertEquals(bodiesOfEvery(50), heldBodies());
      int pinned = backend.pinnedFile();
      finish(publishAndPoll(MESSAGES), 50);
      relocateHeld();
      assertTrue(backend.pinnedFile() > pinned);
      assertTrue(removeFiles() > 1);
      assertEquals(bodiesOfEvery(50), heldBodies());
    }
  }

  @Test
  void shouldSumUpCopiesInACheckpoint() throws Exception {
    relocateEvery50th();
    backend.checkpoint(held.iterator());
    backend.removeOldFiles();
    restart();
    assertEquals(bodiesOfEvery(50), heldBodies());
    assertEquals(MESSAGES, backend.neededFrom());
  }

  @Test
  void shouldNotNeedACopyThatIsFinished() throws Exception {
    relocateEvery50th();
    OrdinalRanges all = new OrdinalRanges();
    all.add(0, MESSAGES);
    backend.finish(all);
    assertEquals(RelocatedMessages.NO_FILE, backend.pinnedFile());
    restart();
    assertTrue(held.isEmpty());
    assertEquals(MESSAGES, backend.neededFrom());
  }

  @Test
  void shouldKeepOriginalsUntilTheLedgerIsOnTheDisk() throws Exception {
    finish(publishAndPoll(MESSAGES), 50);
    MessageView view = new MessageView();
    try (JournalCursor cursor = journal.cursor()) {
      for (HeldMessage message : held) {
        assertTrue(cursor.read(message.ref(), view));
        message.ref().relocateTo(journal.relocate(view));
      }
    }
    backend.relocate(held);
    assertEquals(0, backend.neededFrom());
    assertEquals(0, removeFiles());
  }

  /**
   * @param firstLost where the zeros begin: before the first record, or behind the first checkpoint
   */
  @ParameterizedTest
  @ValueSource(ints = {16_600, 17_000})
  void shouldFindCopiesThatADamagedLedgerForgot(int firstLost) throws Exception {
    relocateEvery50th();
    close();
    for (Path file : files(dir.channelDir(TOPIC, CHANNEL))) {
      // All the channel ever recorded.
      try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
        bytes.seek(firstLost);
        bytes.write(new byte[(int) Math.min(100_000, bytes.length() - firstLost)]);
      }
    }
    open();
    Map<Long, String> found = heldBodies();
    MessageView view = new MessageView();
    while (backend.poll(view)) {
      found.put(view.ordinal(), UTF_8.decode(view.body()).toString());
    }
    bodiesOfEvery(50).forEach((ordinal, body) -> assertEquals(body, found.get(ordinal)));
  }

  @Test
  void shouldFindCopiesWhenTheLedgerIsGone() throws Exception {
    relocateEvery50th();
    close();
    for (Path file : files(dir.channelDir(TOPIC, CHANNEL))) {
      Files.delete(file);
    }
    for (int i = 0; i < 2; i++) {
      open();
      Map<Long, String> found = heldBodies();
      MessageView view = new MessageView();
      while (backend.poll(view)) {
        found.put(view.ordinal(), UTF_8.decode(view.body()).toString());
      }
      bodiesOfEvery(50).forEach((ordinal, body) -> assertEquals(body, found.get(ordinal)));
      close();
    }
    open();
  }

  @Test
  void shouldRememberTheDeliveryOfACopyWhoseRecordIsLost() throws Exception {
    List<MessageRef> refs = publishAndPoll(300);
    OrdinalRanges delivered = new OrdinalRanges();
    delivered.add(0, refs.size());
    backend.deliver(delivered);
    OrdinalRanges finished = new OrdinalRanges();
    MessageView view = new MessageView();
    try (JournalCursor cursor = journal.cursor()) {
      for (MessageRef ref : refs) {
        if (ref.ordinal() % 50 != 0) {
          finished.add(ref.ordinal());
        } else if (cursor.read(ref, view)) {
          journal.relocate(view);
        }
      }
    }
    backend.finish(finished);
    journal.removeBelow(journal.nextOrdinal(), Integer.MAX_VALUE, Retention.NONE);
    restart();
    assertTrue(held.size() > 0);
    held.forEach(message -> assertEquals(1, message.ref().attempts()));
  }

  @Test
  void shouldBeFoundIntactAndMended() throws Exception {
    relocateEvery50th();
    close();
    List<Defect> defects = new ArrayList<>();
    new DataDirCheck(DataDirView.open(root), defects::add, n -> {}).checkTopic(TOPIC);
    defects.removeIf(Defect::harmless);
    assertEquals(List.of(), defects);
    Path copy = Files.createDirectory(root.resolveSibling(root.getFileName() + "-copy"));
    try (DataDirRepair repair =
        new DataDirRepair(DataDirView.open(root), copy, defects::add, n -> {})) {
      repair.copyTopic(TOPIC);
      repair.finish();
    }
    Path original = root;
    root = copy;
    try {
      open();
      assertEquals(bodiesOfEvery(50), heldBodies());
      assertEquals(MESSAGES, journal.nextOrdinal());
      close();
    } finally {
      root = original;
      DurableFiles.deleteTree(copy);
      open();
    }
  }

  private static List<Path> files(Path in) throws IOException {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(in, "*.cq4")) {
      all.forEach(files::add);
    }
    return files;
  }
}
