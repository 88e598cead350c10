package io.holdfast.storage.topic;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.FaultyDisk;
import io.holdfast.storage.inspect.DataDirView;
import io.holdfast.storage.topic.Metadata.ChannelEntry;
import io.holdfast.storage.topic.Metadata.TopicEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetadataLogTest {
  @TempDir Path root;
  private Path file;
  private Path log;

  @BeforeEach
  void names() {
    file = root.resolve("meta.json");
    log = root.resolve("meta.log");
  }

  private static TopicEntry topic(String name, long idBase, String... channels) {
    List<ChannelEntry> entries =
        Arrays.stream(channels).map(channel -> new ChannelEntry(channel, false)).toList();
    return new TopicEntry(name, idBase, false, -1, entries, 0, 7, null);
  }

  private static Metadata of(long nextIdBase, TopicEntry... topics) {
    return new Metadata(DataFormat.FIRST, nextIdBase, List.of(topics));
  }

  private Metadata read() throws IOException {
    try (DataDir dir = DataDir.open(root)) {
      return dir.readMetadata();
    }
  }

  private int lines() throws IOException {
    return Files.exists(log) ? Files.readAllLines(log).size() : 0;
  }

  // ---------------------------------------------------------------- what is said

  @Test
  void shouldSayEachChangeInALineOfItsOwn() throws Exception {
    try (DataDir dir = DataDir.open(root)) {
      dir.updateMetadata(of(1, topic("a", 1)));
      byte[] whole = Files.readAllBytes(file);
      assertFalse(Files.exists(log), "the first time is a whole file");
      List<Metadata> all =
          List.of(
              of(2, topic("a", 1), topic("b", 2)),
              of(2, topic("a", 1, "c"), topic("b", 2)),
              of(2, topic("a", 1, "c", "d"), topic("b", 2, "e")),
              of(2, topic("a", 1, "d"), topic("b", 2, "e")),
              of(3, topic("b", 2, "e")),
              of(4, topic("b", 4, "e"), topic("a", 3)));
      for (int i = 0; i < all.size(); i++) {
        dir.updateMetadata(all.get(i));
        assertEquals(i + 1, lines());
        dir.updateMetadata(all.get(i));
        assertEquals(i + 1, lines(), "nothing has changed");
        assertEquals(all.get(i), dir.readMetadata());
        assertEquals(all.get(i).topics(), DataDirView.open(root).metadata().topics());
      }
      assertEquals(new String(whole, UTF_8), Files.readString(file));
      dir.writeMetadata(all.get(0));
      assertFalse(Files.exists(log));
      assertEquals(all.get(0), dir.readMetadata());
    }
  }

  @Test
  void shouldFollowAnyChanges() throws Exception {
    Random random = new Random(4711);
    List<TopicEntry> topics = new ArrayList<>();
    try (DataDir dir = DataDir.open(root)) {
      for (int write = 0; write < 300; write++) {
        for (int changes = random.nextInt(4); changes > 0; changes--) {
          change(topics, random, write);
        }
        Metadata now = new Metadata(DataFormat.FIRST, write, List.copyOf(topics));
        if (random.nextInt(20) == 0) {
          dir.writeMetadata(now);
        } else {
          dir.updateMetadata(now);
        }
        Metadata found = dir.readMetadata();
        assertEquals(sorted(now), sorted(found));
        assertEquals(now.nextIdBase(), found.nextIdBase());
      }
    }
  }

  /** Of what it is not told it says what it said; that costs nothing. */
  @Test
  void shouldFollowChangesOfSomeTopics() throws Exception {
    Random random = new Random(4712);
    List<TopicEntry> topics = new ArrayList<>();
    try (DataDir dir = DataDir.open(root)) {
      assertFalse(dir.updateMetadata(new MetadataUpdate(1)), "nothing was written yet");
      dir.updateMetadata(of(0));
      for (int write = 1; write < 300; write++) {
        Map<String, TopicEntry> before = MetadataChange.byName(topics);
        for (int changes = random.nextInt(4); changes > 0; changes--) {
          change(topics, random, write);
        }
        Metadata now = new Metadata(DataFormat.FIRST, write, List.copyOf(topics));
        Map<String, TopicEntry> found = MetadataChange.byName(topics);
        MetadataUpdate update = new MetadataUpdate(write);
        before.forEach(
            (name, topic) -> {
              if (!topic.equals(found.get(name))) {
                update.put(name, found.get(name));
              }
            });
        found.forEach(
            (name, topic) -> {
              if (!before.containsKey(name)) {
                update.put(name, topic);
              }
            });
        // Said again, and of one that never was: nothing is written of it.
        topics.stream().findFirst().ifPresent(topic -> update.put(topic.name(), topic));
        update.put("never", null);
        assertTrue(dir.updateMetadata(update));
        int lines = lines();
        assertTrue(dir.updateMetadata(update));
        dir.updateMetadata(now);
        assertEquals(lines, lines(), "there is nothing else to be written");
        assertEquals(sorted(now), sorted(dir.readMetadata()));
      }
    }
  }

  @Test
  void shouldAskForEverythingWhereSomeTopicsAreNotEnough() throws Exception {
    try (DataDir dir = DataDir.open(root)) {
      dir.updateMetadata(of(0, topic("t", 1)));
      MetadataUpdate policy = new MetadataUpdate(0);
      Map<String, String> byHand = Map.of("dead_letter", "x");
      policy.put("u", new TopicEntry("u", 5, false, -1, List.of(), 0, 1, null, byHand));
      assertFalse(dir.updateMetadata(policy), "the format is in meta.json");
      assertFalse(Files.exists(log));
    }
  }

  /** The order of channels says nothing. */
  private static Map<String, TopicEntry> sorted(Metadata metadata) {
    Map<String, TopicEntry> topics = MetadataChange.byName(metadata.topics());
    topics.replaceAll(
        (name, topic) -> {
          List<ChannelEntry> channels = new ArrayList<>(topic.channels());
          channels.sort(Comparator.comparing(ChannelEntry::name));
          return topic.withChannels(channels);
        });
    return topics;
  }

  private static void change(List<TopicEntry> topics, Random random, int write) {
    int at = random.nextInt(topics.size() + 1);
    if (at == topics.size()) {
      topics.add(topic("t" + random.nextInt(1000) + "x" + write + "x" + at, write));
    } else if (random.nextInt(4) == 0) {
      topics.remove(at);
    } else {
      TopicEntry was = topics.get(at);
      List<ChannelEntry> channels = new ArrayList<>(was.channels());
      String name = "c" + random.nextInt(5);
      if (!channels.removeIf(channel -> channel.name().equals(name)) || random.nextBoolean()) {
        channels.add(new ChannelEntry(name, random.nextBoolean(), Map.of()));
      }
      topics.set(
          at,
          random.nextInt(3) == 0
              ? new TopicEntry(was.name(), write, true, write, channels, 3, 9, null)
              : was.withChannels(channels));
    }
  }

  @Test
  void shouldWriteTheWholeFileWhenTheChangesAreAsLong() throws Exception {
    try (DataDir dir = DataDir.open(root)) {
      dir.updateMetadata(of(0));
      String big = "x".repeat(20_000);
      int most = 0;
      for (int i = 1; i < 40; i++) {
        Metadata now =
            new Metadata(
                DataFormat.NEWEST,
                i,
                List.of(
                    new TopicEntry(
                        "t", i, false, -1, List.of(), 0, 1, null, Map.of("dead_letter", big))));
        dir.updateMetadata(now);
        assertEquals(now, dir.readMetadata());
        most = Math.max(most, lines());
      }
      assertTrue(most > 10 && most < 20, most + " lines");
    }
  }

  @Test
  void shouldSayAnotherFormatInTheFileItself() throws Exception {
    try (DataDir dir = DataDir.open(root)) {
      dir.updateMetadata(of(0, topic("t", 1)));
      dir.updateMetadata(of(0, topic("t", 1, "c")));
      dir.format().needNewest();
      dir.updateMetadata(of(0, topic("t", 1, "c")));
      assertFalse(Files.exists(log));
      assertTrue(Files.readString(file).contains("\"format_version\" : 2"));
    }
  }

  /** A start that changes nothing leaves the file as it was, to the byte. */
  @Test
  void shouldNotNumberAFileAnewThatSaysTheSame() throws Exception {
    Metadata said = of(1, topic("a", 1));
    try (DataDir dir = DataDir.open(root)) {
      dir.writeMetadata(said);
    }
    String written = Files.readString(file);
    try (DataDir dir = DataDir.open(root)) {
      dir.readMetadata();
      dir.writeMetadata(said);
      assertEquals(written, Files.readString(file));
      dir.updateMetadata(of(1, topic("a", 1, "c")));
      dir.updateMetadata(said);
      dir.writeMetadata(said);
      assertNotEquals(written, Files.readString(file), "its lines counted for the old number");
      assertEquals(said, dir.readMetadata());
    }
  }

  // ---------------------------------------------------------------- what can have happened to it

  /** A power cut tears the last line only: the others were forced before it began. */
  @Test
  void shouldTakeACutLastLineForNone() throws Exception {
    Metadata before = of(2, topic("a", 1), topic("b", 2));
    Metadata after = of(2, topic("a", 1), topic("b", 2, "c"));
    try (DataDir dir = DataDir.open(root)) {
      dir.updateMetadata(of(1, topic("a", 1)));
      dir.updateMetadata(before);
      dir.updateMetadata(after);
    }
    byte[] content = Files.readAllBytes(log);
    int first = new String(content, UTF_8).indexOf('\n') + 1;
    for (int length = first; length < content.length - 1; length++) {
      Files.write(log, Arrays.copyOf(content, length));
      assertEquals(before, read(), length + " bytes");
      byte[] zeros = Arrays.copyOf(Arrays.copyOf(content, length), content.length);
      Files.write(log, zeros);
      assertEquals(before, read(), length + " bytes and zeros");
    }
    assertFalse(Files.exists(root.resolve("meta.log.damaged")));
    Files.write(log, content);
    assertEquals(after, read());
  }

  @Test
  void shouldGoOnWithoutADamagedLine() throws Exception {
    try (DataDir dir = DataDir.open(root)) {
      dir.updateMetadata(of(1, topic("a", 1)));
      dir.updateMetadata(of(2, topic("a", 1), topic("b", 2)));
      dir.updateMetadata(of(3, topic("a", 1), topic("b", 2), topic("c", 3)));
    }
    byte[] content = Files.readAllBytes(log);
    content[30] ^= 1;
    Files.write(log, content);
    String defect = DataDirView.open(root).metadataDefect().toString();
    assertTrue(defect.contains("meta.log: line 1 is damaged"), defect);
    assertEquals(of(3, topic("a", 1), topic("c", 3)), read());
    assertEquals(new String(content, UTF_8), Files.readString(root.resolve("meta.log.damaged")));
  }

  @Test
  void shouldSayThatALineIsMissing() throws Exception {
    try (DataDir dir = DataDir.open(root)) {
      dir.updateMetadata(of(1, topic("a", 1)));
      dir.updateMetadata(of(2, topic("a", 1), topic("b", 2)));
      dir.updateMetadata(of(3, topic("a", 1), topic("b", 2), topic("c", 3)));
    }
    Files.write(log, List.of(Files.readAllLines(log).get(1)));
    String defect = DataDirView.open(root).metadataDefect().toString();
    assertTrue(defect.contains("meta.log: line 1 is not there"), defect);
  }

  /** A crash between the file's replacement and the log's removal. */
  @Test
  void shouldTakeNoLineForAnotherFile() throws Exception {
    try (DataDir dir = DataDir.open(root)) {
      dir.updateMetadata(of(1, topic("a", 1)));
      dir.updateMetadata(of(2, topic("a", 1), topic("b", 2)));
      byte[] stale = Files.readAllBytes(log);
      dir.writeMetadata(of(2, topic("a", 1)));
      Files.write(log, stale);
      assertEquals(of(2, topic("a", 1)), dir.readMetadata());
    }
    // A broker of 1.0 wrote the file.
    Files.writeString(
        file,
        "{\"format_version\":1,\"next_id_base\":9,\"topics\":[{\"name\":\"x\",\"id_base\":5}]}");
    assertEquals(List.of("x"), read().topics().stream().map(TopicEntry::name).toList());
    assertNull(DataDirView.open(root).metadataDefect());
  }

  @Test
  void shouldKeepItBesideADamagedFile() throws Exception {
    try (DataDir dir = DataDir.open(root)) {
      dir.updateMetadata(of(1, topic("a", 1)));
      dir.updateMetadata(of(2, topic("a", 1), topic("b", 2)));
    }
    byte[] lines = Files.readAllBytes(log);
    Files.writeString(file, "{");
    assertEquals(of(0), read());
    assertEquals(new String(lines, UTF_8), Files.readString(root.resolve("meta.log.damaged")));
    assertFalse(Files.exists(log));
  }

  @Test
  void shouldKeepItBesideAFileThatCannotBeRead() throws Exception {
    try (DataDir dir = DataDir.open(root)) {
      dir.updateMetadata(of(1, topic("a", 1)));
      dir.updateMetadata(of(2, topic("a", 1), topic("b", 2)));
    }
    byte[] lines = Files.readAllBytes(log);
    FaultyDisk disk = new FaultyDisk();
    disk.breakBlock(file, 0);
    try (DataDir dir = DataDir.open(root, disk)) {
      assertEquals(of(0), dir.readMetadata());
    }
    assertEquals(new String(lines, UTF_8), Files.readString(root.resolve("meta.log.damaged")));
  }

  @Test
  void shouldWriteTheWholeFileAfterAWriteThatFailed() throws Exception {
    class Failing extends Disk {
      private boolean fails;

      @Override
      public void force(Path forced, boolean withSize) throws IOException {
        if (fails && forced.equals(log)) {
          throw new IOException("no force today");
        }
        super.force(forced, withSize);
      }
    }
    Failing disk = new Failing();
    try (DataDir dir = DataDir.open(root, disk)) {
      dir.updateMetadata(of(1, topic("a", 1)));
      String before = Files.readString(file);
      disk.fails = true;
      Metadata wanted = of(2, topic("a", 1), topic("b", 2));
      assertThrows(IOException.class, () -> dir.updateMetadata(wanted));
      dir.updateMetadata(wanted);
      assertNotEquals(before, Files.readString(file));
      assertFalse(Files.exists(log));
      assertEquals(wanted, dir.readMetadata());
    }
  }

  @Test
  void shouldPutAsideWhatIsNoFile() throws Exception {
    Files.createDirectories(log.resolve("x"));
    try (DataDir dir = DataDir.open(root)) {
      dir.readMetadata();
      dir.updateMetadata(of(1, topic("a", 1)));
      dir.updateMetadata(of(1, topic("a", 1, "c")));
      assertEquals(of(1, topic("a", 1, "c")), dir.readMetadata());
    }
    assertTrue(Files.exists(root.resolve("meta.log.stray")));
    Files.writeString(log, "no JSON", StandardOpenOption.APPEND);
    assertEquals(of(1, topic("a", 1, "c")), read());
  }
}
