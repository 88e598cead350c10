package io.holdfast.storage.topic;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.DirectoryLock;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.FaultyDisk;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DataDirTest {
  @TempDir Path root;

  @Test
  void shouldBeUsedByOneBrokerOnly() throws Exception {
    DataDir first = DataDir.open(root);
    IOException second = assertThrows(IOException.class, () -> DataDir.open(root));
    assertTrue(second.getMessage().contains("in use"), second.getMessage());
    assertTrue(second.getMessage().contains(root.toString()), second.getMessage());
    first.close();
    DataDir.open(root).close();
  }

  @Test
  void shouldStayLockedWithoutItsLockFile() throws Exception {
    Path file = root.resolve("holdfast.lock");
    try (DataDir first = DataDir.open(root)) {
      Files.delete(file);
      assertThrows(IOException.class, () -> DataDir.open(root));
      assertNull(first.trouble());
      assertTrue(Files.exists(file), "made anew");
      Files.delete(file);
      Files.writeString(file, "1\nanother's\n");
      assertNull(first.trouble());
      first.markClean();
    }
    try (DataDir next = DataDir.open(root)) {
      assertFalse(next.mayHaveUnforcedFiles(), "the mark is in the new one");
    }
  }

  @Test
  void shouldKeepOutWhoHoldsTheDirectoryAsNsqdDoes() throws Exception {
    try (DirectoryLock nsqd = DirectoryLock.tryLock(root)) {
      assertNotNull(nsqd);
      IOException refused = assertThrows(IOException.class, () -> DataDir.open(root));
      assertTrue(refused.getMessage().contains("in use"), refused.getMessage());
    }
    try (DataDir dir = DataDir.open(root)) {
      assertNull(DirectoryLock.tryLock(dir.root()));
    }
  }

  @Test
  void shouldNoticeThatItWasRemovedOrReplaced() throws Exception {
    Path aside = root.resolve("aside");
    Path data = Files.createDirectory(root.resolve("data"));
    try (DataDir dir = DataDir.open(data)) {
      assertNull(dir.trouble());
      for (String which : new String[] {"data", "data/topics"}) {
        Path path = root.resolve(which);
        Files.move(path, aside);
        assertTrue(dir.trouble().contains("was removed"), dir.trouble());
        Files.createDirectory(path);
        assertTrue(dir.trouble().contains("was removed"), dir.trouble());
        assertThrows(IOException.class, () -> dir.createTopic("t"));
        assertThrows(
            IOException.class, () -> dir.writeMetadata(new Metadata(DataFormat.FIRST, 5, null)));
        Files.delete(path);
        Files.move(aside, path);
        assertNull(dir.trouble());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"nsqd.dat", "nsqd.512.dat", "t.diskqueue.meta.dat", "t:c.diskqueue.000001.dat"})
  void shouldNotStartOnNsqdsData(String file) throws Exception {
    Files.createFile(root.resolve(file));
    IOException refused = assertThrows(IOException.class, () -> DataDir.open(root));
    assertTrue(refused.getMessage().contains("holdfast-tools import " + root), refused::getMessage);
    assertFalse(Files.exists(root.resolve("topics")));
    // Of an earlier version, which came up beside it.
    Files.createDirectory(root.resolve("topics"));
    DataDir.open(root).close();
  }

  @Test
  void shouldSayWhatIsWrongWithAPathThatCannotBeUsed() throws Exception {
    Path file = Files.createFile(root.resolve("file"));
    assertTrue(
        assertThrows(IOException.class, () -> DataDir.open(file))
            .getMessage()
            .contains("is not a directory"));
    assertThrows(IOException.class, () -> DataDir.open(root.resolve("missing")));
    assertFalse(Files.exists(root.resolve("missing")));
  }

  @Test
  void shouldListWhatWasCreated() throws Exception {
    try (DataDir dir = DataDir.open(root)) {
      dir.createTopic("b");
      dir.createTopic("B");
      dir.createTopic("..");
      dir.createTopic("x#ephemeral");
      dir.createChannel("B", ".");
      dir.createChannel("B", "C");
      Files.createDirectory(root.resolve("topics/Not-Ours"));
      assertEquals(List.of("..", "B", "b"), dir.topics());
      assertEquals(List.of(".", "C"), dir.channels("B"));
      assertEquals(List.of(), dir.channels("b"));
      assertEquals(List.of(), dir.channels("missing"));
      assertTrue(Files.isDirectory(dir.journalDir("..")));
      assertTrue(dir.journalDir("..").startsWith(root.resolve("topics")));
    }
  }

  @Test
  void shouldFinishDeletionsAndDropEphemeralTopicsAtTheNextStart() throws Exception {
    Path deletedTopic;
    Path deletedChannel;
    try (DataDir dir = DataDir.open(root)) {
      for (String topic : List.of("kept", "gone", "passing#ephemeral")) {
        dir.createTopic(topic);
        dir.createChannel(topic, "ch");
        dir.createChannel(topic, "ch2");
        Files.writeString(dir.journalDir(topic).resolve("a.cq4"), "x");
      }
      deletedTopic = dir.markTopicDeleted("gone");
      deletedChannel = dir.markChannelDeleted("kept", "ch");
      assertEquals(List.of("kept"), dir.topics());
      assertEquals(List.of("ch2"), dir.channels("kept"));
      assertNull(dir.markTopicDeleted("never was"));
      dir.createTopic("gone");
      assertTrue(Files.exists(deletedTopic.resolve("journal/a.cq4")));
      // The process dies here.
    }
    try (DataDir dir = DataDir.open(root)) {
      assertFalse(Files.exists(deletedTopic));
      assertFalse(Files.exists(deletedChannel));
      assertEquals(List.of("gone", "kept"), dir.topics());
      assertEquals(List.of("ch2"), dir.channels("kept"));
      assertFalse(Files.exists(dir.journalDir("passing#ephemeral")));
      assertTrue(Files.exists(dir.journalDir("kept").resolve("a.cq4")));
      dir.remove(dir.markTopicDeleted("kept"));
      dir.remove(null);
      assertEquals(List.of("gone"), dir.topics());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "null",
        "7",
        "[]",
        "\"t\"",
        "{}",
        "{\"name\":null}",
        "{\"name\":7}",
        "{\"name\":\"u\",\"id_base\":-5}",
        "{\"name\":\"u\",\"id_base\":\"x\"}",
        "{\"name\":\"u\",\"id_base\":9e99}",
        "{\"name\":\"u\",\"paused\":[]}",
        "{\"name\":\"u\",\"channels\":7}",
        "{\"name\":\"u\",\"channels\":[null]}",
        "{\"name\":\"u\",\"skipped\":[null]}",
        "{\"name\":\"u\",\"node_id\":5000}",
        "{\"name\":\"u\",\"policy\":[]}",
        "{\"name\":\"u\",\"policy\":{\"max_depth\":5}}",
        "{\"name\":\"u\",\"channels\":[{\"name\":\"c\",\"policy\":{\"ordered\":null}}]}",
        "{\"name\":\"good\",\"id_base\":1}",
      })
  void shouldUseWhatIsSoundOfTheMetadata(String entry) throws Exception {
    Files.writeString(
        root.resolve("meta.json"),
        "{\"format_version\":1,\"topics\":[{\"name\":\"good\",\"id_base\":17,\"paused\":true},"
            + entry
            + "]}");
    try (DataDir dir = DataDir.open(root)) {
      Metadata.TopicEntry good = dir.readMetadata().topics().get(0);
      assertEquals("good", good.name());
      assertEquals(17, good.idBase());
      assertTrue(good.paused());
      assertTrue(Files.exists(root.resolve("meta.json.damaged")));
    }
  }

  @Test
  void shouldReadBackMetadata() throws Exception {
    Metadata metadata =
        new Metadata(
            DataFormat.FIRST,
            1L << 52,
            List.of(
                new Metadata.TopicEntry(
                    "t", 17, true, 3, List.of(new Metadata.ChannelEntry("c", true))),
                new Metadata.TopicEntry("u", 18, false, -1, List.of())));
    try (DataDir dir = DataDir.open(root)) {
      assertEquals(new Metadata(DataFormat.FIRST, 0, List.of()), dir.readMetadata());
      dir.writeMetadata(metadata);
      assertEquals(metadata, dir.readMetadata());
      // What a crash left of a later write.
      Files.writeString(root.resolve("meta.json.tmp"), "{\"format");
      assertEquals(metadata, dir.readMetadata());
      dir.writeMetadata(metadata);
      assertEquals(metadata, dir.readMetadata());
    }
  }

  private static Metadata keptFrom(long ordinal) {
    return new Metadata(
        DataFormat.FIRST, 5, List.of(new Metadata.TopicEntry("t", 1, false, ordinal, List.of())));
  }

  /** A channel is made without a ledger where that is so. */
  @Test
  void shouldKnowWhatIsOnDiskOfWhatATopicKeeps() throws Exception {
    try (DataDir dir = DataDir.open(root)) {
      assertFalse(dir.keepsAll("t"));
      dir.writeMetadata(keptFrom(0));
      assertTrue(dir.keepsAll("t"));
      assertFalse(dir.keepsAll("u"));
      dir.updateMetadata(keptFrom(-1));
      assertFalse(dir.keepsAll("t"));
      dir.updateMetadata(keptFrom(0));
      assertTrue(dir.keepsAll("t"));
      dir.updateMetadata(keptFrom(7));
      assertFalse(dir.keepsAll("t"));
      dir.updateMetadata(keptFrom(0));
      Files.delete(MetadataLog.of(dir.metadataFile()));
      Files.createDirectory(MetadataLog.of(dir.metadataFile()));
      // Whatever there is after a write that failed.
      assertThrows(IOException.class, () -> dir.updateMetadata(keptFrom(-1)));
      assertFalse(dir.keepsAll("t"));
    }
  }

  private static Metadata withPolicies(Map<String, String> ofTopic, Map<String, String> ofChannel) {
    return new Metadata(
        DataFormat.FIRST,
        5,
        List.of(
            new Metadata.TopicEntry(
                "t",
                17,
                false,
                -1,
                List.of(new Metadata.ChannelEntry("c", false, ofChannel)),
                0,
                null,
                null,
                ofTopic)));
  }

  /** Until a policy is set by hand it is, byte for byte, what version 1.0 reads and writes. */
  @Test
  void shouldSayFormat2FromTheFirstPolicyOn() throws Exception {
    Path file = root.resolve("meta.json");
    try (DataDir dir = DataDir.open(root)) {
      dir.writeMetadata(withPolicies(Map.of(), null));
      String without = Files.readString(file);
      assertTrue(without.contains("\"format_version\" : 1"), without);
      assertFalse(without.contains("policy"), without);
      for (Metadata with :
          List.of(
              withPolicies(Map.of("max_depth", "5"), null),
              withPolicies(Map.of(), Map.of("ordered", "true", "max_attempts", "3")))) {
        dir.writeMetadata(with);
        Metadata read = dir.readMetadata();
        assertEquals(with.topics(), read.topics());
        assertEquals(DataFormat.NEWEST, read.formatVersion());
      }
    }
    try (DataDir dir = DataDir.open(root)) {
      dir.readMetadata();
      dir.writeMetadata(withPolicies(Map.of(), Map.of()));
      // It never goes back: who knows what the ledgers have.
      assertEquals(DataFormat.NEWEST, dir.readMetadata().formatVersion());
    }
  }

  @Test
  void shouldTellWhenTheMetadataFileIsToSayFormat2() throws Exception {
    AtomicInteger told = new AtomicInteger();
    try (DataDir dir = DataDir.open(root)) {
      dir.writeMetadata(withPolicies(null, null));
      dir.format().onNeeded(told::incrementAndGet);
      assertEquals(DataFormat.FIRST, dir.format().version());
      dir.format().needNewest();
      dir.format().needNewest();
      assertEquals(1, told.get());
      dir.writeMetadata(withPolicies(null, null));
      assertEquals(DataFormat.NEWEST, dir.readMetadata().formatVersion());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"format_version\": 3, \"topics\": []}",
        "{\"format_version\": 3, \"topics\": {\"changed\": \"shape\"}}",
        "{\"topics\": 7, \"format_version\": 99}"
      })
  void shouldRefuseTheFormatOfALaterVersionWhateverItLooksLike(String content) throws Exception {
    Files.writeString(root.resolve("meta.json"), content);
    try (DataDir dir = DataDir.open(root)) {
      IOException refused = assertThrows(IOException.class, dir::readMetadata);
      assertTrue(refused.getMessage().contains("format version"), refused.getMessage());
    }
    assertEquals(content, Files.readString(root.resolve("meta.json")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "null", "{}", "[]", "{\"format_version\": 1, \"topics\"", "\0\0\0\0", "7"})
  void shouldKeepADamagedMetadataFileAside(String content) throws Exception {
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    Files.write(root.resolve("meta.json"), bytes);
    try (DataDir dir = DataDir.open(root)) {
      assertEquals(List.of(), dir.readMetadata().topics());
      assertArrayEquals(bytes, Files.readAllBytes(root.resolve("meta.json.damaged")));
      dir.writeMetadata(new Metadata(DataFormat.FIRST, 5, null));
      assertNotNull(dir.readMetadata());
      assertEquals(5, dir.readMetadata().nextIdBase());
    }
  }

  @Test
  void shouldGoOnWithoutAMetadataFileThatCannotBeRead() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    Path file = Files.writeString(root.resolve("meta.json"), "{\"format_version\": 1}");
    Path aside = root.resolve("meta.json.damaged");
    disk.breakBlock(file, 0);
    for (int i = 0; i < 2; i++) {
      try (DataDir dir = DataDir.open(root, disk)) {
        assertEquals(0, dir.readMetadata().nextIdBase());
        assertTrue(Files.exists(aside), "kept");
        assertFalse(Files.exists(file));
        Files.writeString(file, "{\"format_version\": 1}");
      }
      assertEquals(i == 1, Files.exists(root.resolve("meta.json.damaged-2")));
    }
  }

  @Test
  void shouldNotTakeForDamageWhatIsOutOfReach() throws Exception {
    Disk refusing =
        new Disk() {
          @Override
          public FileChannel openToRead(Path file) throws IOException {
            throw new AccessDeniedException(file.toString());
          }
        };
    Path file = Files.writeString(root.resolve("meta.json"), "{}");
    try (DataDir dir = DataDir.open(root, refusing)) {
      assertThrows(AccessDeniedException.class, dir::readMetadata);
    }
    assertEquals("{}", Files.readString(file));
  }

  @Test
  void shouldTellHowMuchRoomThereIs() throws Exception {
    try (DataDir dir = DataDir.open(root)) {
      assertTrue(dir.usableBytes() > 0);
      assertEquals(root, dir.root());
    }
  }

  @Test
  void shouldKnowHowTheLastBrokerEnded() throws Exception {
    Path held = Files.createDirectory(root.resolve("ends"));
    try (DataDir first = DataDir.open(held)) {
      assertFalse(first.mayHaveLostPower() || first.mayHaveUnforcedFiles(), "a new one");
    }
    try (DataDir unsettled = DataDir.open(held)) {
      assertTrue(unsettled.mayHaveLostPower() && unsettled.mayHaveUnforcedFiles());
      unsettled.markSettled();
    }
    try (DataDir died = DataDir.open(held)) {
      assertFalse(died.mayHaveLostPower(), "the machine is still up");
      assertTrue(died.mayHaveUnforcedFiles());
      died.markSettled();
      died.markClean();
    }
    try (DataDir clean = DataDir.open(held)) {
      assertFalse(clean.mayHaveLostPower() || clean.mayHaveUnforcedFiles(), "stopped");
    }
    // Another boot id, and what an older version wrote.
    for (String lock : new String[] {"1\nanother\n", "1\n", ""}) {
      Files.writeString(held.resolve("holdfast.lock"), lock);
      try (DataDir cut = DataDir.open(held)) {
        assertTrue(cut.mayHaveLostPower(), lock);
      }
    }
  }
}
