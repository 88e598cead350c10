package io.holdfast.broker.cluster.state;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.cluster.engine.GroupMember;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.group.GroupImage;
import io.holdfast.storage.group.StateCodec;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots: what they keep, what goes when, what damage does, and crashes on the way. */
class GroupSnapshotTest {
  private static final long NOW = 1_800_000_000_000_000_000L;
  private static final int BODY_BYTES = 1000;

  @TempDir Path dir;

  private final List<GroupState> opened = new ArrayList<>();
  private GroupState state;
  private long index;

  @BeforeEach
  void open() throws IOException {
    Files.createDirectory(dir.resolve("a"));
    Files.createDirectory(dir.resolve("b"));
    state = open("a", Disk.LOCAL);
  }

  private GroupState open(String node, Disk disk) {
    StorageOptions options = new StorageOptions(64 << 10, 64 << 10, false, 0);
    GroupState made =
        new GroupState(new GroupPlace(0, 1, dir.resolve(node)), options, SyncThread.stepped(disk));
    opened.add(made);
    return made;
  }

  @AfterEach
  void close() {
    opened.forEach(GroupState::close);
  }

  private void apply(ByteBuffer entry) throws IOException {
    state.apply(++index, 1, entry);
  }

  private ReplicatedTopic topic(String name) throws IOException {
    apply(Entries.createTopic(name, NOW));
    ReplicatedTopic topic = state.topic(name);
    apply(Entries.createChannel(topic.number(), "c", Entries.NONE, NOW));
    return topic;
  }

  private void publish(ReplicatedTopic topic, int count) throws IOException {
    for (int i = 0; i < count; i++) {
      ByteBuffer section = ByteBuffer.allocate(Integer.BYTES + BODY_BYTES).putInt(BODY_BYTES);
      section.putLong(topic.journal().nextOrdinal()).position(0);
      Origin origin = new Origin(0, 0, 0);
      apply(Entries.publish(origin, NOW, topic.number(), 0, 1, section));
    }
  }

  private void finishBelow(ReplicatedTopic topic, long ordinal) throws IOException {
    OrdinalRanges ranges = new OrdinalRanges();
    ranges.add(0, ordinal);
    LedgerEntry entry = new LedgerEntry();
    entry.finish(topic.number(), topic.channel("c").number(), 0, ranges);
    apply(entry.toEntry(NOW));
    apply(Entries.settle(NOW));
  }

  private Path snapshot(String name) throws IOException {
    return write(state.snapshot(index, 1), name);
  }

  private Path write(GroupMember.Snapshot snapshot, String name) throws IOException {
    Path to = Files.createDirectory(dir.resolve(name));
    List<String> names = snapshot.writeTo(to);
    try (Stream<Path> files = Files.list(to)) {
      List<String> found = files.map(file -> file.getFileName().toString()).sorted().toList();
      assertEquals(names.stream().sorted().toList(), found);
    }
    return to;
  }

  /** Each node's own copy, as it comes over the network. */
  private Path copyOf(Path snapshot, String name) throws IOException {
    Path to = Files.createDirectory(dir.resolve(name));
    try (Stream<Path> files = Files.list(snapshot)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.copy(file, to.resolve(file.getFileName().toString()));
      }
    }
    return to;
  }

  private static List<Long> ordinals(ReplicatedTopic topic, long from) throws IOException {
    List<Long> read = new ArrayList<>();
    MessageView view = new MessageView();
    try (JournalCursor cursor = topic.journal().cursor()) {
      cursor.moveTo(from);
      while (cursor.next(view, topic.journal().nextOrdinal())) {
        assertEquals(view.ordinal(), view.body().getLong());
        read.add(view.ordinal());
      }
    }
    return read;
  }

  private static List<Long> upTo(long from, long to) {
    return Stream.iterate(from, ordinal -> ordinal < to, ordinal -> ordinal + 1).toList();
  }

  // ---------------------------------------------------------------- start

  @Test
  void aStartGoesBackToTheSnapshot() throws Exception {
    ReplicatedTopic kept = topic("t");
    ReplicatedTopic deleted = topic("u");
    publish(kept, 100);
    publish(deleted, 3);
    finishBelow(kept, 7);
    Path snapshot = snapshot("s1");
    final long at = index;
    final int crc = state.crc();
    publish(kept, 100);
    apply(Entries.deleteTopic(deleted.number(), NOW));
    final ReplicatedTopic newer = topic("w");
    publish(newer, 3);
    state.close();
    state = open("a", Disk.LOCAL);
    state.load(snapshot);
    assertEquals(at, state.appliedIndex());
    assertEquals(crc, state.crc());
    ReplicatedTopic topic = state.topic("t");
    assertEquals(kept.idBase(), topic.idBase());
    assertEquals(upTo(0, 100), ordinals(topic, 0));
    assertEquals(7, topic.channel("c").state().floor());
    // Deleted since: the log will say so again, and finds it here.
    assertEquals(upTo(0, 3), ordinals(state.topic("u"), 0));
    assertFalse(Files.exists(dir.resolve("a/topics/w~" + newer.number())));
    index = at;
    publish(topic, 100);
    assertEquals(upTo(0, 200), ordinals(topic, 0));
  }

  @Test
  void aSnapshotIsOfTheMomentWhenItWasNoted() throws Exception {
    ReplicatedTopic topic = topic("t");
    publish(topic, 10);
    GroupMember.Snapshot noted = state.snapshot(index, 1);
    publish(topic, 90);
    finishBelow(topic, 90);
    apply(Entries.deleteTopic(topic.number(), NOW));
    Path snapshot = write(noted, "s1");
    GroupState other = open("b", Disk.LOCAL);
    other.load(copyOf(snapshot, "received"));
    assertEquals(upTo(0, 10), ordinals(other.topic("t"), 0));
    assertEquals(0, other.topic("t").channel("c").state().floor());
  }

  /** The group was made anew, and finds what was sent to the one before, which did not load it. */
  @Test
  void whoWaitsForAPublishHearsOfASnapshotThatAStartFinds() throws Exception {
    publish(topic("t"), 10);
    Path snapshot = snapshot("s1");
    GroupState other = open("b", Disk.LOCAL);
    AtomicInteger told = new AtomicInteger();
    other.watch(
        new PublishWatch() {
          @Override
          public void applied(Origin origin, boolean stored) {
            throw new AssertionError("nothing is applied");
          }

          @Override
          public void termBegins(long term) {
            throw new AssertionError("nothing is applied");
          }

          @Override
          public void snapshotInstalled() {
            told.incrementAndGet();
          }
        });
    other.load(copyOf(snapshot, "received"));
    assertEquals(1, told.get());
    other.close();
  }

  @Test
  void ofAnotherGroupOrNoneIsAnError() throws Exception {
    topic("t");
    Path snapshot = snapshot("s1");
    StorageOptions options = new StorageOptions(64 << 10, 64 << 10, false, 0);
    GroupState other =
        new GroupState(
            new GroupPlace(1, 2, dir.resolve("b")), options, SyncThread.stepped(Disk.LOCAL));
    IOException refused = assertThrows(IOException.class, () -> other.load(snapshot));
    assertTrue(refused.getMessage().contains("is of group 0, not 1"), refused.getMessage());
    GroupState none = open("b", Disk.LOCAL);
    assertThrows(IOException.class, () -> none.load(Files.createDirectory(dir.resolve("e"))));
    // What cannot be loaded applies nothing.
    assertThrows(IOException.class, () -> none.apply(1, 1, Entries.term(NOW)));
  }

  // ---------------------------------------------------------------- what goes when

  @Test
  void whatTheLastFinishedSnapshotHasStaysUntilALaterOneIsFinished() throws Exception {
    ReplicatedTopic topic = topic("t");
    publish(topic, 200);
    Path first = snapshot("s1");
    final long firstIndex = index;
    final List<Integer> all = topic.journal().fileNumbers();
    finishBelow(topic, 200);
    state.snapshotFinished(firstIndex);
    assertEquals(all, topic.journal().fileNumbers());
    GroupMember.Snapshot noted = state.snapshot(index, 1);
    final long secondIndex = index;
    // Noted and written, but nobody knows whether it came to be.
    Path second = write(noted, "s2");
    state.snapshotFinished(firstIndex);
    assertEquals(all, topic.journal().fileNumbers());
    // It did not: this is what a start finds.
    state.close();
    state = open("a", Disk.LOCAL);
    state.load(first);
    assertEquals(upTo(0, 200), ordinals(state.topic("t"), 0));
    index = firstIndex;
    topic = state.topic("t");
    finishBelow(topic, 200);
    assertEquals(secondIndex, index);
    write(state.snapshot(index, 1), "s3");
    state.snapshotFinished(index);
    int newest = all.get(all.size() - 1);
    assertEquals(List.of(newest), topic.journal().fileNumbers());
    assertTrue(Files.exists(second));
  }

  @Test
  void aDeletedTopicStaysUntilASnapshotWithoutItIsFinished() throws Exception {
    ReplicatedTopic topic = topic("t");
    publish(topic, 5);
    snapshot("s1");
    final long firstIndex = index;
    Path home = dir.resolve("a/topics/t~" + topic.number());
    apply(Entries.deleteTopic(topic.number(), NOW));
    // Made again: it has nothing to do with the one before.
    final ReplicatedTopic again = topic("t");
    state.snapshotFinished(firstIndex);
    assertTrue(Files.exists(home));
    snapshot("s2");
    state.snapshotFinished(firstIndex);
    assertTrue(Files.exists(home));
    state.snapshotFinished(index);
    assertFalse(Files.exists(home));
    assertTrue(Files.exists(dir.resolve("a/topics/t~" + again.number())));
  }

  @Test
  void aSnapshotThatFailedLeavesItsDeletionsToTheNext() throws Exception {
    List<Path> homes = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      ReplicatedTopic topic = topic("t" + i);
      homes.add(dir.resolve("a/topics/t" + i + "~" + topic.number()));
      apply(Entries.deleteTopic(topic.number(), NOW));
      state.snapshot(index, 1);
    }
    assertTrue(homes.stream().allMatch(Files::exists));
    snapshot("s1");
    state.snapshotFinished(index);
    assertTrue(homes.stream().noneMatch(Files::exists));
  }

  @Test
  void onlyWhatTheLogSaysIsFinishedLetsFilesGo() throws Exception {
    ReplicatedTopic topic = topic("t");
    publish(topic, 200);
    finishBelow(topic, 100);
    snapshot("s1");
    state.snapshotFinished(index);
    assertTrue(topic.journal().firstOrdinal() > 0);
    assertTrue(topic.journal().firstOrdinal() <= 100);
    assertEquals(upTo(100, 200), ordinals(topic, 100));
  }

  // ---------------------------------------------------------------- install

  @Test
  void anInstallTakesThePlaceOfEverything() throws Exception {
    ReplicatedTopic topic = topic("t");
    publish(topic, 150);
    finishBelow(topic, 20);
    Path snapshot = snapshot("s1");
    GroupState other = open("b", Disk.LOCAL);
    // Another past: files of the same names, with other messages.
    other.apply(1, 1, Entries.createTopic("old", NOW));
    other.apply(2, 1, Entries.createTopic("t", NOW));
    other.load(copyOf(snapshot, "received"));
    assertEquals(state.crc(), other.crc());
    assertEquals(1, other.topics().size());
    assertEquals(upTo(20, 150), ordinals(other.topic("t"), 20));
    assertFalse(Files.exists(dir.resolve("b/topics/old~1")));
    other.apply(index + 1, 1, Entries.createTopic("new", NOW));
    assertEquals(upTo(20, 150), ordinals(other.topic("t"), 20));
  }

  /** Remembers what was forced. */
  private static final class Recording extends Disk {
    private final Set<Path> forced = ConcurrentHashMap.newKeySet();

    @Override
    public void force(Path file, boolean withSize) throws IOException {
      super.force(file, withSize);
      forced.add(file);
    }

    @Override
    public void forceDirectory(Path path) throws IOException {
      super.forceDirectory(path);
      forced.add(path);
    }
  }

  @Test
  void whatASnapshotListsIsOnTheDisk() throws Exception {
    Recording disk = new Recording();
    state.close();
    state = open("a", disk);
    ReplicatedTopic topic = topic("t");
    publish(topic, 150);
    assertEquals(Set.of(), disk.forced);
    Path snapshot = snapshot("s1");
    Path home = dir.resolve("a/topics/t~" + topic.number());
    Set<Path> wanted = new HashSet<>();
    topic.journal().fileNumbers().forEach(number -> wanted.add(topic.journal().file(number)));
    assertTrue(wanted.size() > 1);
    wanted.add(home.resolve("journal"));
    wanted.add(home);
    wanted.add(home.getParent());
    wanted.add(snapshot.resolve(StateCodec.FILE));
    wanted.add(snapshot);
    wanted.removeAll(disk.forced);
    assertEquals(Set.of(), wanted);
    // Nothing new: nothing but the snapshot itself.
    disk.forced.clear();
    apply(Entries.term(NOW));
    Path second = snapshot("s2");
    assertEquals(Set.of(second, second.resolve(StateCodec.FILE)), disk.forced);
  }

  /** Else a snapshot forces all of it at once, and the log's forces wait behind that. */
  @Test
  void journalsAreForcedAsTheyGrow() throws Exception {
    Recording disk = new Recording();
    state.close();
    state = open("a", disk);
    ReplicatedTopic topic = topic("t");
    ReplicatedTopic small = topic("small");
    publish(small, 10);
    publish(topic, (int) (EarlyForces.PIECE_BYTES / BODY_BYTES));
    Path oldest = topic.journal().file(topic.journal().fileNumbers().get(0));
    Awaitility.await("the oldest file is forced")
        .atMost(Duration.ofSeconds(60))
        .until(() -> disk.forced.contains(oldest));
    state.close();
    for (int number : small.journal().fileNumbers()) {
      assertFalse(disk.forced.contains(small.journal().file(number)), "too little to be forced");
    }
  }

  @Test
  void whatWasInstalledIsOnTheDisk() throws Exception {
    ReplicatedTopic topic = topic("t");
    publish(topic, 150);
    Path snapshot = copyOf(snapshot("s1"), "received");
    Recording disk = new Recording();
    GroupState other = open("b", disk);
    other.load(snapshot);
    Set<Path> wanted = new HashSet<>();
    ReplicatedTopic installed = other.topic("t");
    installed.journal().fileNumbers().forEach(n -> wanted.add(installed.journal().file(n)));
    assertTrue(wanted.size() > 1);
    Path home = dir.resolve("b/topics/t~" + topic.number());
    wanted.addAll(List.of(home.resolve("journal"), home, home.getParent()));
    wanted.removeAll(disk.forced);
    assertEquals(Set.of(), wanted);
  }

  /** Ends the process at one of its operations. */
  private static final class Crash extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  private static final class Crashing extends Disk {
    private int left;

    Crashing(int left) {
      this.left = left;
    }

    private void step() {
      if (--left < 0) {
        throw new Crash();
      }
    }

    @Override
    public void link(Path existing, Path link) throws IOException {
      step();
      super.link(existing, link);
    }

    @Override
    public void delete(Path path) throws IOException {
      step();
      super.delete(path);
    }

    @Override
    public void createDirectory(Path path) throws IOException {
      step();
      super.createDirectory(path);
    }

    @Override
    public void force(Path file, boolean withSize) throws IOException {
      step();
      super.force(file, withSize);
    }

    @Override
    public void forceDirectory(Path path) throws IOException {
      step();
      super.forceDirectory(path);
    }
  }

  @Test
  void anInstallThatWasCutShortIsDoneAgainAtTheStart() throws Exception {
    ReplicatedTopic topic = topic("t");
    ReplicatedTopic second = topic("u");
    publish(topic, 60);
    publish(second, 60);
    final Path old = copyOf(snapshot("s1"), "received1");
    publish(topic, 70);
    apply(Entries.deleteTopic(second.number(), NOW));
    publish(topic("w"), 10);
    Path snapshot = copyOf(snapshot("s2"), "received2");
    boolean done = false;
    for (int steps = 0; !done; steps++) {
      GroupState before = open("b", Disk.LOCAL);
      before.load(old);
      before.close();
      GroupState cutShort = open("b", new Crashing(steps));
      try {
        cutShort.load(snapshot);
        done = true;
      } catch (IOException e) {
        assertTrue(e.getCause() instanceof Crash, e.toString());
      }
      cutShort.close();
      GroupState start = open("b", Disk.LOCAL);
      start.load(snapshot);
      assertEquals(state.crc(), start.crc());
      assertEquals(upTo(0, 130), ordinals(start.topic("t"), 0));
      assertEquals(upTo(0, 10), ordinals(start.topic("w"), 0));
      assertEquals(2, start.topics().size());
      start.close();
    }
  }

  // ---------------------------------------------------------------- damage

  private static void flip(Path file, int offset) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[offset] ^= 0x10;
    Files.write(file, bytes);
  }

  @Test
  void aDamagedStateFileIsAnErrorThatNamesThePlace() throws Exception {
    ReplicatedTopic topic = topic("t");
    publish(topic, 20);
    apply(Entries.policy(topic.number(), Entries.TOPIC_ITSELF, Map.of("a", "b"), NOW));
    finishBelow(topic, 3);
    Path snapshot = snapshot("s1");
    Path file = snapshot.resolve(StateCodec.FILE);
    int size = (int) Files.size(file);
    for (int offset = 0; offset < size; offset++) {
      flip(file, offset);
      String refused =
          assertThrows(IOException.class, () -> StateCodec.read(file), "offset " + offset)
              .getMessage();
      assertTrue(refused.startsWith("snapshot damaged: " + file + ":"), refused);
      flip(file, offset);
    }
    byte[] whole = Files.readAllBytes(file);
    for (int length = 0; length < size; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThrows(IOException.class, () -> StateCodec.read(file), "length " + length);
    }
    Files.write(file, Arrays.copyOf(whole, size + 1));
    assertThrows(IOException.class, () -> StateCodec.read(file));
    Files.write(file, whole);
    assertEquals(index, StateCodec.read(file).index());
  }

  @Test
  void aDamagedJournalIsAnErrorThatNamesThePlace() throws Exception {
    ReplicatedTopic topic = topic("t");
    publish(topic, 150);
    Path snapshot = snapshot("s1");
    final MessageRef first = topic.journal().find(0);
    final MessageRef last = topic.journal().find(149);
    final Path oldest = topic.journal().file(first.file());
    final Path newest = topic.journal().file(last.file());
    state.close();
    // Received by another node: all of it is read.
    Path received = copyOf(snapshot, "received");
    flip(
        received.resolve(GroupImage.linkName(topic.number(), oldest.getFileName().toString())),
        first.bodyOffset());
    GroupState other = open("b", Disk.LOCAL);
    String refused = assertThrows(IOException.class, () -> other.load(received)).getMessage();
    String place = ":" + Position.offset(first.batchPosition()) + ": checksum";
    assertTrue(refused.contains(oldest.getFileName() + place), refused);
    // The node's own: the file at the end.
    flip(newest, last.bodyOffset());
    GroupState again = open("a", Disk.LOCAL);
    refused = assertThrows(IOException.class, () -> again.load(snapshot)).getMessage();
    place = ":" + Position.offset(last.batchPosition()) + ": checksum";
    assertTrue(refused.contains(newest + place), refused);
  }

  @Test
  void aMissingFileOfTheSnapshotIsAnError() throws Exception {
    ReplicatedTopic topic = topic("t");
    publish(topic, 5);
    Path snapshot = snapshot("s1");
    Path link =
        snapshot.resolve(
            GroupImage.linkName(topic.number(), topic.journal().file(1).getFileName().toString()));
    Files.delete(link);
    GroupState other = open("b", Disk.LOCAL);
    String refused = assertThrows(IOException.class, () -> other.load(snapshot)).getMessage();
    assertTrue(refused.contains(link + " is missing"), refused);
  }
}
