package io.holdfast.broker.cluster.state;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.values.CarriedMessage;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Messages that are carried forward: what that lets go, what it keeps, and for whom. */
class CarryTest {
  private static final long NOW = 1_800_000_000_000_000_000L;
  private static final int BODY_BYTES = 1000;
  private static final long DEFER_MS = 5000;

  @TempDir Path dir;

  private final List<GroupState> opened = new ArrayList<>();
  private final List<List<Long>> told = new ArrayList<>();
  private GroupState state;
  private long index;
  private int snapshots;

  @BeforeEach
  void open() throws IOException {
    Files.createDirectory(dir.resolve("a"));
    Files.createDirectory(dir.resolve("b"));
    state = open("a");
    state.observer(
        new GroupObserver() {
          @Override
          public void carried(ReplicatedTopic topic, List<CarriedMessage> messages) {
            assertTrue(Thread.holdsLock(topic.lock()));
            told.add(messages.stream().map(CarriedMessage::ordinal).toList());
          }
        });
  }

  private GroupState open(String node) {
    StorageOptions options = new StorageOptions(64 << 10, 64 << 10, false, 0);
    GroupState made =
        new GroupState(
            new GroupPlace(0, 1, dir.resolve(node)), options, SyncThread.stepped(Disk.LOCAL));
    opened.add(made);
    return made;
  }

  @AfterEach
  void close() {
    opened.forEach(GroupState::close);
  }

  private boolean apply(ByteBuffer entry) throws IOException {
    state.apply(++index, 1, entry);
    return !state.wasVoid();
  }

  private ReplicatedTopic topic(String... channels) throws IOException {
    apply(Entries.createTopic("t", NOW));
    ReplicatedTopic topic = state.topic("t");
    for (String channel : channels) {
      apply(Entries.createChannel(topic.number(), channel, Entries.NONE, NOW));
    }
    return topic;
  }

  private static byte[] body(long ordinal) {
    return ByteBuffer.allocate(BODY_BYTES).putLong(ordinal).array();
  }

  private void publish(ReplicatedTopic topic, int count) throws IOException {
    for (int i = 0; i < count; i++) {
      ByteBuffer section = ByteBuffer.allocate(Integer.BYTES + BODY_BYTES).putInt(BODY_BYTES);
      section.put(body(topic.journal().nextOrdinal())).flip();
      Origin origin = new Origin(0, 0, 0);
      apply(Entries.publish(origin, NOW, topic.number(), DEFER_MS, 1, section));
    }
  }

  private void finish(ReplicatedTopic topic, String channel, long... ordinals) throws IOException {
    OrdinalRanges ranges = new OrdinalRanges();
    LongStream.of(ordinals).forEach(ranges::add);
    LedgerEntry entry = new LedgerEntry();
    ReplicatedChannel of = topic.channel(channel);
    entry.finish(topic.number(), of.number(), of.epoch(), ranges);
    apply(entry.toEntry(NOW));
  }

  private void finishAllBut(ReplicatedTopic topic, String channel, Long... ordinals)
      throws IOException {
    TreeSet<Long> all = new TreeSet<>();
    LongStream.range(0, topic.journal().nextOrdinal()).forEach(all::add);
    all.removeAll(List.of(ordinals));
    finish(topic, channel, all.stream().mapToLong(Long::longValue).toArray());
  }

  private void hold(ReplicatedTopic topic, String channel, HeldMessage message) throws IOException {
    LedgerEntry entry = new LedgerEntry();
    ReplicatedChannel of = topic.channel(channel);
    entry.hold(topic.number(), of.number(), of.epoch(), List.of(message));
    apply(entry.toEntry(NOW));
  }

  private static MessageRef ref(long ordinal, int attempts) {
    return new MessageRef(ordinal, MessageRef.NOWHERE, 0, 0, attempts);
  }

  private boolean carry(long topic, long... ordinals) throws IOException {
    CarryEntry entry = new CarryEntry(topic);
    MessageView view = new MessageView();
    for (long ordinal : ordinals) {
      ByteBuffer body = ByteBuffer.wrap(body(ordinal));
      view.set(ordinal, NOW, DEFER_MS, MessageRef.NOWHERE, body, 0, BODY_BYTES, 0);
      entry.add(view);
    }
    return apply(entry.toEntry(NOW));
  }

  private Path finishSnapshot() throws IOException {
    Path to = Files.createDirectory(dir.resolve("s" + ++snapshots));
    state.snapshot(index, 1).writeTo(to);
    state.snapshotFinished(index);
    return to;
  }

  private static long firstOnDisk(ReplicatedTopic topic) throws IOException {
    return topic.journal().firstOrdinal();
  }

  private static void checkCopy(ReplicatedTopic topic, long ordinal) throws IOException {
    CarriedMessage carried = topic.carried(ordinal);
    assertNotNull(carried);
    MessageView view = new MessageView();
    try (JournalCursor cursor = topic.journal().cursor()) {
      assertTrue(cursor.read(carried.place(), view));
    }
    assertEquals(ordinal, view.ordinal());
    assertEquals(ordinal, view.body().getLong());
    assertEquals(NOW, view.timestampNs());
    assertEquals(DEFER_MS, view.deferMs());
  }

  private static List<Long> unfinished(ReplicatedTopic topic, String channel) {
    LedgerState has = topic.channel(channel).state();
    return LongStream.range(0, topic.journal().nextOrdinal())
        .filter(ordinal -> !has.isFinished(ordinal))
        .boxed()
        .toList();
  }

  @Test
  void whatWasCarriedKeepsNoFileAndIsThereAfterAStartAndAnInstall() throws Exception {
    ReplicatedTopic topic = topic("c");
    publish(topic, 250);
    finishAllBut(topic, "c", 5L, 249L);
    apply(Entries.settle(NOW));
    assertEquals(5, topic.neededFrom());
    carry(topic.number(), 5);
    assertEquals(List.of(List.of(5L)), told);
    assertEquals(5, topic.neededFrom());
    apply(Entries.settle(NOW));
    assertEquals(249, topic.neededFrom());
    final int crc = state.crc();
    assertEquals(0, firstOnDisk(topic), "the last finished snapshot may have it");
    Path snapshot = finishSnapshot();
    assertTrue(firstOnDisk(topic) > 60 && firstOnDisk(topic) <= 249);
    assertNull(topic.journal().find(5));
    checkCopy(topic, 5);
    assertEquals(List.of(5L, 249L), unfinished(topic, "c"));

    // A start, from the snapshot; the log behind it carries it again.
    final long behind = index;
    carry(topic.number(), 5);
    CarriedMessage second = topic.carried(5);
    state.close();
    state = open("a");
    state.load(snapshot);
    assertEquals(crc, state.crc());
    topic = state.topic("t");
    checkCopy(topic, 5);
    index = behind;
    carry(topic.number(), 5);
    checkCopy(topic, 5);
    assertEquals(
        second.place().file() + 1, topic.carried(5).place().file(), "a start begins a file");
    assertEquals(249, topic.neededFrom());

    GroupState other = open("b");
    other.load(snapshot);
    checkCopy(other.topic("t"), 5);
    assertEquals(crc, other.crc());
    LedgerState led = other.topic("t").stateOf(other.topic("t").channel("c"));
    assertTrue(led.held(5).ref().isRelocated());
    assertEquals(NOW / 1_000_000 + DEFER_MS, led.held(5).dueMs());
  }

  @Test
  void aCopyKeepsItsFileUntilThereIsAnotherOrNobodyWantsIt() throws Exception {
    ReplicatedTopic topic = topic("c", "d");
    publish(topic, 250);
    finishAllBut(topic, "c", 5L, 6L);
    finishAllBut(topic, "d", 6L);
    carry(topic.number(), 5, 6);
    int file = topic.carried(5).place().file();
    publish(topic, 250);
    finishAllBut(topic, "c", 5L, 6L);
    finishAllBut(topic, "d");
    apply(Entries.settle(NOW));
    assertEquals(500, topic.neededFrom());
    finishSnapshot();
    assertEquals(file, topic.journal().oldestFile());
    carry(topic.number(), 5);
    finishSnapshot();
    assertEquals(file, topic.journal().oldestFile(), "message 6 is there");
    checkCopy(topic, 6);
    finish(topic, "c", 6);
    assertNotNull(topic.carried(6), "until it is found out");
    apply(Entries.settle(NOW));
    assertNull(topic.carried(6));
    finishSnapshot();
    assertTrue(topic.journal().oldestFile() > file);
    checkCopy(topic, 5);
    apply(Entries.empty(topic.number(), topic.channel("c").number(), NOW));
    apply(Entries.settle(NOW));
    assertNull(topic.carried(5));
  }

  @Test
  void onlyWhatSomebodyWantsIsCarried() throws Exception {
    ReplicatedTopic topic = topic("c", "d");
    publish(topic, 10);
    finish(topic, "c", 3, 4);
    finish(topic, "d", 4);
    apply(Entries.skip(5, NOW));
    assertTrue(carry(topic.number(), 3, 4, 10, 15, 16));
    assertEquals(List.of(List.of(3L)), told);
    assertNull(topic.carried(4));
    assertFalse(carry(99, 3));
    // It is in the journal, but the channels do not have it yet.
    apply(Entries.pause(topic.number(), Entries.TOPIC_ITSELF, true, NOW));
    publish(topic, 1);
    assertTrue(carry(topic.number(), 15));
    assertNull(topic.carried(15));
    apply(Entries.deleteTopic(topic.number(), NOW));
    assertFalse(carry(topic.number(), 3));
    assertEquals(1, told.size());
  }

  /** A new channel of a topic that is paused has still to pass them. */
  @Test
  void ordinalsThatNoMessageHasAreNotCarried() throws Exception {
    ReplicatedTopic topic = topic("c");
    publish(topic, 5);
    apply(Entries.skip(5, NOW));
    publish(topic, 2);
    finishAllBut(topic, "c");
    apply(Entries.pause(topic.number(), Entries.TOPIC_ITSELF, true, NOW));
    apply(Entries.createChannel(topic.number(), "d", 4, NOW));
    assertFalse(topic.channel("d").state().isFinished(5));
    carry(topic.number(), 4, 5);
    assertEquals(List.of(List.of(4L)), told);
  }

  @Test
  void whichAreCarriedIsPartOfWhatNodesCompare() throws Exception {
    ReplicatedTopic topic = topic("c");
    publish(topic, 10);
    Path snapshot = finishSnapshot();
    GroupState other = open("b");
    other.load(snapshot);
    carry(topic.number(), 3);
    CarryEntry entry = new CarryEntry(topic.number());
    MessageView view = new MessageView();
    view.set(3, NOW, DEFER_MS, MessageRef.NOWHERE, ByteBuffer.wrap(body(3)), 0, BODY_BYTES, 0);
    entry.add(view);
    // A node that applies wrongly: its channel has finished it.
    other.topic("t").channel("c").state().finish(3, 4);
    other.apply(index, 1, entry.toEntry(NOW));
    assertNotEquals(state.crc(), other.crc());
  }

  @Test
  void aRewindTakesAlongWhatWasCarried() throws Exception {
    ReplicatedTopic topic = topic("c", "d");
    publish(topic, 100);
    finishAllBut(topic, "c", 2L, 5L, 8L, 9L);
    finishAllBut(topic, "d", 2L);
    hold(topic, "c", HeldMessage.dead(ref(2, 3), 9, HeldMessage.Mark.DEAD_ATTEMPTS));
    hold(topic, "c", HeldMessage.dead(ref(8, 3), 9, HeldMessage.Mark.DEAD_ATTEMPTS));
    hold(topic, "c", new HeldMessage(ref(9, 0), NOW, 1000));
    carry(topic.number(), 2, 5, 8, 9);
    apply(Entries.settle(NOW));
    assertEquals(100, topic.neededFrom());
    publish(topic, 3);
    apply(Entries.rewind(topic.number(), topic.channel("c").number(), 4, NOW));
    assertEquals(List.of(2L, 5L, 8L, 9L, 100L, 101L, 102L), unfinished(topic, "c"));
    LedgerState has = topic.channel("c").state();
    assertTrue(has.held(2).isDead(), "it died before the first one");
    assertNull(has.held(8), "it lives again");
    assertEquals(1000, has.held(9).delayMs(), "it waits since it was published");
    assertEquals(0, has.attempts(8));
    // Also a channel that had finished them, and a new one.
    apply(Entries.rewind(topic.number(), topic.channel("d").number(), 5, NOW));
    assertEquals(List.of(5L, 8L, 9L, 100L, 101L, 102L), unfinished(topic, "d"));
    apply(Entries.createChannel(topic.number(), "e", 9, NOW));
    assertEquals(List.of(9L, 100L, 101L, 102L), unfinished(topic, "e"));
    assertEquals(9, topic.channel("e").state().begin());
    // What nobody wanted was forgotten.
    apply(Entries.empty(topic.number(), topic.channel("c").number(), NOW));
    finish(topic, "d", 5);
    apply(Entries.settle(NOW));
    apply(Entries.rewind(topic.number(), topic.channel("d").number(), 0, NOW));
    assertEquals(List.of(2L, 8L, 9L, 100L, 101L, 102L), unfinished(topic, "d"));
  }

  @Test
  void onlySoManyAreCarried() {
    CarriedMessages carried = new CarriedMessages();
    for (long ordinal = 0; ordinal < CarriedMessages.MAX; ordinal++) {
      assertTrue(carried.mayPut(ordinal));
      carried.put(new CarriedMessage(ref(ordinal, 0), NOW, 0));
    }
    assertFalse(carried.mayPut(CarriedMessages.MAX));
    assertTrue(carried.mayPut(7), "another copy of one that is there");
    carried.finished(7, 8);
    carried.dropUnless(ordinal -> ordinal != 7);
    assertTrue(carried.mayPut(CarriedMessages.MAX));
  }

  @Test
  void anEntryDoesNotCarryMoreThanThat() throws Exception {
    ReplicatedTopic topic = topic("c");
    int count = CarriedMessages.MAX + 2;
    CarryEntry entry = new CarryEntry(topic.number());
    MessageView view = new MessageView();
    for (int ordinal = 0; ordinal < count; ordinal++) {
      view.set(ordinal, NOW, 0, MessageRef.NOWHERE, ByteBuffer.wrap(new byte[1]), 0, 1, 0);
      entry.add(view);
    }
    for (int left = count; left > 0; left -= 1000) {
      int some = Math.min(1000, left);
      ByteBuffer section = ByteBuffer.allocate(some * (Integer.BYTES + 1));
      for (int i = 0; i < some; i++) {
        section.putInt(1).put((byte) 0);
      }
      section.flip();
      apply(Entries.publish(new Origin(0, 0, 0), NOW, topic.number(), 0, some, section));
    }
    apply(entry.toEntry(NOW));
    assertEquals(CarriedMessages.MAX, told.get(0).size());
    assertNull(topic.carried(CarriedMessages.MAX));
    assertFalse(topic.mayCarry(1));
    finish(topic, "c", 7);
    apply(Entries.settle(NOW));
    assertTrue(topic.mayCarry(1));
    assertEquals(CarriedMessages.MAX, topic.neededFrom());
  }

  @Test
  void anEntryThatEndsTooEarlyStopsTheGroupHere() throws Exception {
    ReplicatedTopic topic = topic("c");
    publish(topic, 1);
    ByteBuffer entry = Entries.begin(EntryType.CARRY, NOW, 100);
    entry.putLong(topic.number()).putInt(1).putLong(0).putLong(NOW).putLong(0).putInt(5);
    ByteBuffer cut = Entries.seal(entry);
    IOException refused = assertThrows(IOException.class, () -> apply(cut));
    assertTrue(refused.getMessage().contains("ends too early"), refused.getMessage());
  }
}
