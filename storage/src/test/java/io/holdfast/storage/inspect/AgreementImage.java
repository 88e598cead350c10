package io.holdfast.storage.inspect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.Batches;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.topic.ChannelBackends;
import io.holdfast.storage.topic.ChronicleBackend;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.storage.topic.DataFormat;
import io.holdfast.storage.topic.Metadata;
import io.holdfast.storage.topic.TopicRecovery;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A directory with a topic of two channels, and an image of it that a test damages: what those who
 * look at the image see is compared with what a broker makes of it.
 */
final class AgreementImage implements AutoCloseable {
  static final String TOPIC = "t";
  static final int BATCHES = 60;

  /** Has all, and has finished some. */
  static final String OLD = "old";

  /** Was made when half of the messages were there. */
  static final String LATE = "late";

  private static final long FILE_BYTES = 24 << 10;

  final SyncThread syncThread = new SyncThread(3_600_000);
  final StorageOptions options = Batches.options(FILE_BYTES);
  final List<Batch> batches = new ArrayList<>();
  final Map<Long, String> bodies = new TreeMap<>();
  final Path image;

  /** The first ordinal of the later channel. */
  long lateFrom;

  private final Path dir;
  private final Path original;

  /**
   * Writes the original.
   *
   * @param dir an empty directory, for this and the image
   */
  AgreementImage(Path dir) throws IOException {
    this.dir = dir;
    original = Files.createDirectory(dir.resolve("original"));
    image = dir.resolve("image");
    try (DataDir data = DataDir.open(original)) {
      data.createTopic(TOPIC);
      data.createChannel(TOPIC, OLD);
      data.createChannel(TOPIC, LATE);
      try (ChronicleJournal journal =
          new ChronicleJournal(data.journalDir(TOPIC), options, syncThread)) {
        ChronicleBackend old = backend(data, journal, OLD);
        ChronicleBackend late = null;
        for (int i = 0; i < BATCHES; i++) {
          if (i == BATCHES / 2) {
            lateFrom = journal.nextOrdinal();
            late = backend(data, journal, LATE);
          }
          publish(i, journal, old, late);
        }
        consume(old);
        consume(late);
        old.close();
        late.close();
        assertTrue(journal.files().size() >= 3);
      }
      data.writeMetadata(metadata());
      data.markClean();
    }
  }

  static Metadata metadata() {
    return new Metadata(
        DataFormat.FIRST,
        7,
        List.of(
            new Metadata.TopicEntry(
                TOPIC,
                3,
                false,
                TopicRecovery.NOTHING_KEPT,
                List.of(
                    new Metadata.ChannelEntry(LATE, false),
                    new Metadata.ChannelEntry(OLD, false)))));
  }

  ChronicleBackend backend(DataDir data, ChronicleJournal journal, String channel)
      throws IOException {
    return ChannelBackends.open(
        data.channelDir(TOPIC, channel),
        journal,
        syncThread,
        false,
        journal.nextOrdinal(),
        TopicRecovery.NOTHING_KEPT);
  }

  private void publish(
      int number, ChronicleJournal journal, ChronicleBackend old, ChronicleBackend late)
      throws IOException {
    List<String> texts = new ArrayList<>();
    for (int m = 0; m <= number % 3; m++) {
      texts.add(number + "/" + m + "-".repeat(number * 37 % 1200));
    }
    Batch batch = Batches.of(number % 11 == 5 ? 3_600_000 : 0, texts);
    journal.append(batch);
    batches.add(batch);
    for (int m = 0; m < texts.size(); m++) {
      bodies.put(batch.firstOrdinal() + m, texts.get(m));
    }
    old.put(batch, 0);
    if (late != null) {
      late.put(batch, 0);
    }
  }

  /** Finishes most of the first half, requeues some, with a checkpoint in between. */
  private static void consume(ChronicleBackend channel) throws IOException {
    MessageView view = new MessageView();
    OrdinalRanges one = new OrdinalRanges();
    List<HeldMessage> held = new ArrayList<>();
    long count = channel.depth() / 2;
    for (int i = 0; i < count; i++) {
      assertTrue(channel.poll(view));
      one.clear();
      one.add(view.ordinal());
      channel.deliver(one);
      if (i % 4 != 2) {
        channel.finish(one);
      } else if (i % 8 == 2) {
        MessageRef at = Batches.ref(view);
        MessageRef again =
            new MessageRef(at.ordinal(), at.batchPosition(), at.bodyOffset(), at.bodyLength(), 2);
        held.add(new HeldMessage(again, i % 16 == 2 ? 0 : 4_000_000_000_000L));
        channel.hold(List.of(held.get(held.size() - 1)));
      }
      if (i == count / 2) {
        channel.checkpoint(held.iterator());
      }
    }
  }

  @Override
  public void close() {
    syncThread.close();
  }

  // ---------------------------------------------------------------- looking and opening

  /** What those who only look see. */
  static final class Seen {
    final Map<String, Map<Long, String>> exported = new TreeMap<>();
    final Map<String, Long> unfinished = new TreeMap<>();
    final List<Defect> defects = new ArrayList<>();
    long topicDepth;
    long begins;
    Map<String, Map<Long, String>> mended;
  }

  /** What those who only look see of the image, which stays as it is. */
  Seen look() throws Exception {
    Map<String, String> before = fingerprints();
    Seen seen = new Seen();
    DataDirView view = DataDirView.open(image);
    DataDirCheck check = new DataDirCheck(view, seen.defects::add, count -> {});
    check.checkMetadata();
    check.checkTopic(TOPIC);
    try (TopicView topic = view.topic(TOPIC)) {
      seen.topicDepth = topic.depth();
      for (ChannelView channel : topic.channels()) {
        seen.unfinished.put(channel.name(), channel.unfinished());
        seen.exported.put(channel.name(), export(channel));
        if (channel.name().equals(LATE)) {
          seen.begins = channel.state().begin();
        }
      }
    }
    Path target = Files.createTempDirectory(dir, "mended");
    try (DataDirRepair repair =
        new DataDirRepair(view, target, Defect.Listener.NONE, count -> {})) {
      repair.copyTopic(TOPIC);
      repair.finish();
    }
    assertEquals(before, fingerprints(), "looking has changed something");
    seen.mended = deliveries(target, new Seen());
    DurableFiles.deleteTree(target);
    return seen;
  }

  private static Map<Long, String> export(ChannelView channel) throws IOException {
    Map<Long, String> exported = new TreeMap<>();
    try (ChannelMessages messages = channel.messages(unreadable -> {})) {
      while (messages.next()) {
        MessageView message = messages.message();
        assertTrue(
            exported.put(message.ordinal(), Batches.text(message)) == null,
            "twice " + message.ordinal());
      }
    }
    return exported;
  }

  private Map<String, Map<Long, String>> deliveries(Path root, Seen figures) throws IOException {
    Map<String, Map<Long, String>> delivered = new TreeMap<>();
    try (DataDir data = DataDir.open(root);
        OpenedTopic topic = new OpenedTopic(data, TOPIC, options, syncThread)) {
      figures.topicDepth = topic.depth();
      for (String channel : data.channels(TOPIC)) {
        figures.unfinished.put(channel, topic.unfinished(channel));
      }
      for (String channel : data.channels(TOPIC)) {
        delivered.put(channel, topic.drain(channel));
      }
      data.markClean();
    }
    return delivered;
  }

  /** Opens the image as a broker does, and compares. */
  void assertAgreed(String what, Seen seen) throws IOException {
    Seen broker = new Seen();
    Map<String, Map<Long, String>> delivered = deliveries(image, broker);
    for (String channel : delivered.keySet()) {
      String where = what + ": " + channel;
      Map<Long, String> messages = delivered.get(channel);
      assertEquals(messages.keySet(), seen.exported.get(channel).keySet(), where + " export");
      assertEquals(messages, seen.exported.get(channel), where + " export");
      assertEquals(messages.keySet(), seen.mended.get(channel).keySet(), where + " repaired copy");
      assertEquals(messages, seen.mended.get(channel), where + " repaired copy");
    }
    assertEquals(broker.topicDepth, seen.topicDepth, what + ": depth of the topic");
    assertEquals(broker.unfinished, seen.unfinished, what + ": depths of the channels");
    boolean lost =
        broker.unfinished.entrySet().stream()
            .anyMatch(e -> delivered.get(e.getKey()).size() < e.getValue());
    if (lost) {
      assertTrue(seen.defects.stream().anyMatch(d -> !d.harmless()), what + ": verify is content");
    }
  }

  // ---------------------------------------------------------------- files

  /** The file of the image that a batch is in. */
  Path journalFile(Batch batch) {
    return Batches.file(image.resolve("topics/t/journal"), batch);
  }

  /** Name, size, time and content of every file. */
  private Map<String, String> fingerprints() throws IOException {
    Map<String, String> prints = new HashMap<>();
    try (Stream<Path> all = Files.walk(image)) {
      for (Path file : all.toList()) {
        String print = Files.getLastModifiedTime(file).toString();
        if (Files.isRegularFile(file)) {
          print += " " + Files.size(file) + " " + Arrays.hashCode(DamagedFiles.data(file));
        }
        prints.put(file.toString(), print);
      }
    }
    return prints;
  }

  /** The image is as the original again. */
  void copy() throws IOException {
    DurableFiles.deleteTree(image);
    try (Stream<Path> all = Files.walk(original)) {
      for (Path from : all.toList()) {
        Path to = image.resolve(original.relativize(from).toString());
        if (Files.isDirectory(from)) {
          Files.createDirectories(to);
        } else {
          Files.write(to, DamagedFiles.data(from));
          DamagedFiles.cut(to, Files.size(from));
        }
      }
    }
  }
}
