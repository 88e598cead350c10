package io.holdfast.storage.inspect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whatever is damaged, those who look at a directory see what a broker makes of it: export is what
 * it delivers, summary its depths, verify says so, and a repaired copy delivers the same. Looking
 * changes nothing.
 *
 * <p>More: {@code -Dholdfast.agreement.images=5000 -Dholdfast.agreement.seed=...}.
 */
class DirectoryAgreementTest {
  private static final int IMAGES = Integer.getInteger("holdfast.agreement.images", 60);
  private static final long FILE_BYTES = 24 << 10;
  private static final int BATCHES = 60;
  private static final String TOPIC = "t";

  /** Has all, and has finished some. */
  private static final String OLD = "old";

  /** Was made when half of the messages were there. */
  private static final String LATE = "late";

  @TempDir Path dir;
  private final SyncThread syncThread = new SyncThread(3_600_000);
  private final StorageOptions options = Batches.options(FILE_BYTES);
  private final List<Batch> batches = new ArrayList<>();
  private final Map<Long, String> bodies = new TreeMap<>();
  private Path original;
  private Path image;
  private long lateFrom;

  @BeforeEach
  void write() throws IOException {
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

  private static Metadata metadata() {
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

  private ChronicleBackend backend(DataDir data, ChronicleJournal journal, String channel)
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

  @AfterEach
  void stop() {
    syncThread.close();
  }

  // ---------------------------------------------------------------- what is damaged

  @Test
  void shouldAgreeOnWhatIsIntact() throws Exception {
    copyImage();
    Seen seen = look();
    assertEquals(List.of(), seen.defects);
    assertEquals(lateFrom, seen.begins);
    Map<Long, String> late = seen.exported.get(LATE);
    assertTrue(late.keySet().stream().allMatch(ordinal -> ordinal >= lateFrom));
    assertAgreed("intact", seen);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1", // magic
    "2, 3", // format version
    "3, 1", // type
    "5, 16", // checksum
    "8, 64", // record length, far too long
    "11, 1", // record length, by one
    "12, 64", // count
    "15, 2", // count
    "16, 64", // ordinal, huge
    "16, 128", // ordinal, negative
    "22, 1", // ordinal
    "30, 1", // time
    "33, 1", // deferral
    "43, 4", // length of the first body
    "60, 128", // body
    "-4, 8", // excerpt's length, a little off
    "-3, 4", // excerpt's length, by a kilobyte
    "-2, 255", // excerpt's length, beyond what follows
    "-1, 32", // excerpt's length, beyond the file
    "-1, 64", // "metadata" bit
    "-1, 128", // "not complete" bit
  })
  void shouldAgreeOnDamagedRecords(int offset, int bits) throws Exception {
    copyImage();
    for (int batch : new int[] {0, 17, 41, BATCHES - 1}) {
      Batch hit = batches.get(batch);
      flip(journalFile(hit), Position.offset(hit.position()) + offset, bits);
    }
    Seen seen = look();
    assertFalse(seen.defects.isEmpty(), "verify says nothing");
    assertAgreed(offset + " ^ " + bits, seen);
  }

  /** A file's first page, and what the broker's start makes of it. */
  @ParameterizedTest
  @ValueSource(strings = {"byte", "page"})
  void shouldAgreeOnDamagedFileHeads(String what) throws Exception {
    copyImage();
    for (Path file : List.of(journalFile(batches.get(0)), journalFile(batches.get(30)))) {
      if (what.equals("byte")) {
        flip(file, 9, 0x10);
      } else {
        overwrite(file, 0, new byte[512]);
      }
    }
    Seen seen = look();
    assertFalse(seen.defects.isEmpty(), "verify says nothing");
    assertAgreed(what, seen);
    Seen afterwards = look();
    assertEquals(seen.exported, afterwards.exported, "the broker has put files aside");
    assertAgreed(what + " again", afterwards);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cut off",
        "cut off at the end",
        "emptied",
        "gone",
        "newest gone",
        "strangers",
        "ledger head",
        "ledger record",
        "ledger emptied",
        "ledger gone",
        "metadata",
        "no metadata"
      })
  void shouldAgreeOnDamagedFiles(String what) throws Exception {
    copyImage();
    damage(what);
    assertAgreed(what, look());
  }

  private void damage(String what) throws IOException {
    Path topic = image.resolve("topics").resolve(TOPIC);
    Path first = journalFile(batches.get(0));
    Path newest = journalFile(batches.get(BATCHES - 1));
    List<Path> ledger = files(topic.resolve("channels").resolve(OLD));
    switch (what) {
      case "cut off" -> cut(first, Position.offset(batches.get(5).position()) + 100);
      case "cut off at the end" ->
          cut(newest, Position.offset(batches.get(BATCHES - 1).position()) + 50);
      case "emptied" -> cut(first, 0);
      case "gone" -> Files.delete(first);
      case "newest gone" -> Files.delete(newest);
      case "strangers" -> {
        Files.writeString(topic.resolve("journal/20380101-000000.cq4"), "garbage ".repeat(99));
        Files.createDirectory(topic.resolve("journal/20380101-000001.cq4"));
        Files.writeString(topic.resolve("channels/old/19700101-000000.cq4"), "garbage");
        Files.writeString(topic.resolve("README"), "not ours");
      }
      case "ledger head" -> overwrite(ledger.get(0), 0, new byte[512]);
      case "ledger record" -> {
        byte[] bytes = Files.readAllBytes(ledger.get(0));
        flip(ledger.get(0), indexOf(bytes, new byte[] {0x48, 0x4c, 1, 4}) + 9, 0x10);
      }
      case "ledger emptied" -> {
        for (Path file : ledger) {
          cut(file, 0);
        }
      }
      case "ledger gone" -> {
        for (Path file : ledger) {
          Files.delete(file);
        }
      }
      case "metadata" -> flip(image.resolve("meta.json"), 60, 0x10);
      case "no metadata" -> Files.delete(image.resolve("meta.json"));
      default -> throw new IllegalArgumentException(what);
    }
  }

  /** As {@code DamagedImageTest}: bits, zeros and cuts anywhere in journal and ledgers. */
  @Test
  void shouldAgreeWhateverIsDamaged() throws Exception {
    long seed = Long.getLong("holdfast.agreement.seed", System.nanoTime());
    for (int i = 0; i < IMAGES; i++) {
      Random random = new Random(new SplittableRandom(seed + i).nextLong());
      copyImage();
      String what = "seed " + (seed + i) + " (with images=1): " + damage(random);
      assertAgreed(what, look());
    }
  }

  private String damage(Random random) throws IOException {
    List<Path> files = new ArrayList<>(files(image.resolve("topics/t/journal")));
    if (random.nextInt(4) == 0) {
      files = new ArrayList<>(files(image.resolve("topics/t/channels/old")));
      files.addAll(files(image.resolve("topics/t/channels/late")));
    }
    Path file = files.get(random.nextInt(files.size()));
    long dataEnd = DurableFiles.dataEnd(file);
    // The head of a file is where the most can go wrong.
    long at = random.nextInt(4) == 0 ? random.nextInt(1024) : random.nextLong(dataEnd);
    String place = image.relativize(file) + ":" + at + " ";
    switch (random.nextInt(10)) {
      case 0 -> {
        cut(file, at);
        return place + "cut off";
      }
      case 1 -> {
        byte[] zeros = new byte[1 + random.nextInt(4096)];
        overwrite(file, at, zeros);
        return place + zeros.length + " zeros";
      }
      default -> {
        int bits = random.nextBoolean() ? 1 << random.nextInt(8) : 1 + random.nextInt(255);
        flip(file, at, bits);
        return place + "^ " + bits;
      }
    }
  }

  // ---------------------------------------------------------------- what the metadata means

  /** Its ephemeral channels had everything, or they took nothing away: the broker decides. */
  @Test
  void shouldAgreeOnATopicThatOnlyEphemeralChannelsHad() throws Exception {
    for (long handedOver : new long[] {TopicRecovery.NOTHING_KEPT, 10}) {
      copyImage();
      DurableFiles.deleteTree(image.resolve("topics/t/channels/old"));
      DurableFiles.deleteTree(image.resolve("topics/t/channels/late"));
      try (DataDir data = DataDir.open(image)) {
        data.writeMetadata(
            new Metadata(
                DataFormat.FIRST,
                7,
                List.of(new Metadata.TopicEntry(TOPIC, 3, false, handedOver, List.of()))));
        data.markClean();
      }
      Seen seen = look();
      assertEquals(handedOver < 0 ? 0 : bodies.size() - handedOver, seen.topicDepth);
      assertAgreed("handed over " + handedOver, seen);
    }
  }

  /** What a power cut made the broker skip is no message, and no defect. */
  @Test
  void shouldAgreeOnWhatAPowerCutMadeItSkip() throws Exception {
    copyImage();
    for (int cuts = 0; cuts < 3; cuts++) {
      Files.writeString(image.resolve("holdfast.lock"), "4711\nanother boot\n");
      try (DataDir data = DataDir.open(image)) {
        assertTrue(data.mayHaveLostPower());
        try (OpenedTopic topic = new OpenedTopic(data, TOPIC, options, syncThread)) {
          topic.publish("after cut " + cuts);
          data.writeMetadata(topic.metadata(metadata()));
        }
        data.markClean();
      }
      Seen seen = look();
      assertEquals(List.of(), seen.defects.stream().filter(d -> !d.harmless()).toList());
      assertTrue(seen.exported.get(OLD).containsValue("after cut " + cuts));
      assertAgreed("after cut " + cuts, seen);
    }
  }

  /** Dead letters, redriven ones, a rewind; and one that lacks its end. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldAgreeOnDeadLettersAndARewind(boolean whole) throws Exception {
    copyImage();
    final long first = batches.get(12).firstOrdinal();
    try (DataDir data = DataDir.open(image);
        ChronicleJournal journal =
            new ChronicleJournal(data.journalDir(TOPIC), options, syncThread)) {
      ChronicleBackend late = backend(data, journal, LATE);
      makeDead(late, List.copyOf(late.takeHeld()));
      late.close();
      ChronicleBackend old = backend(data, journal, OLD);
      List<HeldMessage> dead = makeDead(old, List.copyOf(old.takeHeld()));
      assertTrue(dead.stream().anyMatch(message -> message.ref().ordinal() < first));
      old.rewind(
          first,
          journal.relocationsFrom(first),
          dead.stream().filter(message -> message.ref().ordinal() < first).toList());
      old.close();
      data.markClean();
    }
    if (!whole) {
      List<Path> ledger = files(image.resolve("topics/t/channels/old"));
      Path newest = ledger.get(ledger.size() - 1);
      byte[] end = {0x48, 0x4c, 2, 7};
      overwrite(newest, indexOf(Files.readAllBytes(newest), end) - 4, new byte[64]);
    }
    Seen seen = look();
    if (whole) {
      assertEquals(List.of(), seen.defects);
    }
    boolean hasAll =
        bodies.keySet().stream().allMatch(o -> o < first || seen.exported.get(OLD).containsKey(o));
    assertEquals(whole, hasAll);
    assertAgreed(whole ? "rewound" : "not rewound", seen);
  }

  /** All that is held is dead, but for one that was redriven. */
  private static List<HeldMessage> makeDead(ChronicleBackend channel, List<HeldMessage> held)
      throws IOException {
    List<HeldMessage> dead = new ArrayList<>();
    for (HeldMessage message : held) {
      dead.add(HeldMessage.dead(message.ref(), 77, HeldMessage.Mark.DEAD_ATTEMPTS));
    }
    channel.hold(dead);
    HeldMessage redriven = dead.remove(dead.size() - 1);
    redriven.ref().redrive();
    channel.hold(List.of(new HeldMessage(redriven.ref(), 0)));
    return dead;
  }

  // ---------------------------------------------------------------- looking and opening

  /** What those who only look see. */
  private static final class Seen {
    private final Map<String, Map<Long, String>> exported = new TreeMap<>();
    private final Map<String, Long> unfinished = new TreeMap<>();
    private final List<Defect> defects = new ArrayList<>();
    private long topicDepth;
    private long begins;
    private Map<String, Map<Long, String>> mended;
  }

  private Seen look() throws Exception {
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

  private void assertAgreed(String what, Seen seen) throws IOException {
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

  private Path journalFile(Batch batch) {
    return Batches.file(image.resolve("topics/t/journal"), batch);
  }

  private static List<Path> files(Path of) throws IOException {
    try (Stream<Path> all = Files.list(of)) {
      return all.filter(f -> f.toString().endsWith(".cq4")).sorted().toList();
    }
  }

  private static int indexOf(byte[] in, byte[] what) {
    for (int i = 0; i + what.length <= in.length; i++) {
      if (java.util.Arrays.equals(in, i, i + what.length, what, 0, what.length)) {
        return i;
      }
    }
    throw new AssertionError("not found");
  }

  private static void flip(Path file, long at, int bits) throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(at);
      int value = bytes.read();
      bytes.seek(at);
      bytes.write(value ^ bits);
    }
  }

  private static void overwrite(Path file, long at, byte[] with) throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(at);
      bytes.write(with);
    }
  }

  private static void cut(Path file, long bytes) throws IOException {
    try (RandomAccessFile to = new RandomAccessFile(file.toFile(), "rw")) {
      to.setLength(bytes);
    }
  }

  /** Name, size, time and content of every file. */
  private Map<String, String> fingerprints() throws IOException {
    Map<String, String> prints = new HashMap<>();
    try (Stream<Path> all = Files.walk(image)) {
      for (Path file : all.toList()) {
        String print = Files.getLastModifiedTime(file).toString();
        if (Files.isRegularFile(file)) {
          print += " " + Files.size(file) + " " + java.util.Arrays.hashCode(data(file));
        }
        prints.put(file.toString(), print);
      }
    }
    return prints;
  }

  private void copyImage() throws IOException {
    DurableFiles.deleteTree(image);
    try (Stream<Path> all = Files.walk(original)) {
      for (Path from : all.toList()) {
        Path to = image.resolve(original.relativize(from).toString());
        if (Files.isDirectory(from)) {
          Files.createDirectories(to);
        } else {
          Files.write(to, data(from));
          cut(to, Files.size(from));
        }
      }
    }
  }

  /** Files are sparse: only the data. */
  private static byte[] data(Path file) throws IOException {
    byte[] data = new byte[(int) DurableFiles.dataEnd(file)];
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      in.readFully(data);
    }
    return data;
  }
}
