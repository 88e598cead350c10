package io.holdfast.broker.cluster.state;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What single entries do, and what they must not. */
class GroupStateTest {
  private static final long NOW = 1_800_000_000_000_000_000L;
  private static final Origin ORIGIN = new Origin(1, 2, 3);

  @TempDir Path dir;

  private GroupState state;
  private long index;
  private final List<String> told = new ArrayList<>();

  private final class Observer implements GroupObserver {
    @Override
    public void topicCreated(ReplicatedTopic topic) {
      told.add("created " + topic.name());
    }

    @Override
    public void topicDeleted(ReplicatedTopic topic) {
      told.add("deleted " + topic.name());
    }

    @Override
    public void channelCreated(ReplicatedTopic topic, ReplicatedChannel channel) {
      told.add("channel " + channel.name());
    }

    @Override
    public void published(ReplicatedTopic topic, Batch batch) {
      assertTrue(Thread.holdsLock(topic.lock()));
      told.add("published " + batch.firstOrdinal() + "+" + batch.count());
    }

    @Override
    public void channelEmptied(ReplicatedTopic topic, ReplicatedChannel channel, long floor) {
      told.add("emptied " + channel.name() + " below " + floor);
    }

    @Override
    public void rewound(ReplicatedTopic topic, ReplicatedChannel channel, long first) {
      told.add("rewound " + channel.name() + " to " + first);
    }
  }

  @BeforeEach
  void open() {
    state = open(dir);
    state.observer(new Observer());
  }

  private static GroupState open(Path root) {
    StorageOptions options = new StorageOptions(1 << 20, 1 << 20, false, 0);
    return new GroupState(new GroupPlace(0, 1, root), options, SyncThread.stepped(Disk.LOCAL));
  }

  @AfterEach
  void close() {
    state.close();
  }

  private boolean apply(ByteBuffer entry) throws IOException {
    state.apply(++index, 1, entry);
    return !state.wasVoid();
  }

  private boolean publish(long topic, int count) throws IOException {
    return publish(topic, count, NOW);
  }

  private boolean publish(long topic, int count, long timeNs) throws IOException {
    ByteBuffer section = ByteBuffer.allocate(count * 5);
    for (int i = 0; i < count; i++) {
      section.putInt(1).put((byte) 'x');
    }
    return apply(Entries.publish(ORIGIN, timeNs, topic, 0, count, section.flip()));
  }

  private ReplicatedTopic topic(String name) throws IOException {
    assertTrue(apply(Entries.createTopic(name, NOW)));
    return state.topic(name);
  }

  private ReplicatedChannel channel(ReplicatedTopic topic, String name) throws IOException {
    assertTrue(apply(Entries.createChannel(topic.number(), name, Entries.NONE, NOW)));
    return topic.channel(name);
  }

  private void finish(ReplicatedTopic topic, ReplicatedChannel channel, long from, long to)
      throws IOException {
    apply(finishing(topic, channel, from, to));
  }

  private static ByteBuffer finishing(
      ReplicatedTopic topic, ReplicatedChannel channel, long from, long to) {
    OrdinalRanges ranges = new OrdinalRanges();
    ranges.add(from, to);
    LedgerEntry entry = new LedgerEntry();
    entry.finish(topic.number(), channel.number(), channel.epoch(), ranges);
    return entry.toEntry(NOW);
  }

  private static ByteBuffer holding(
      ReplicatedTopic topic, ReplicatedChannel channel, HeldMessage message) {
    LedgerEntry entry = new LedgerEntry();
    entry.hold(topic.number(), channel.number(), channel.epoch(), List.of(message));
    return entry.toEntry(NOW);
  }

  private static MessageRef ref(long ordinal, int attempts) {
    return new MessageRef(ordinal, MessageRef.NOWHERE, 0, 0, attempts);
  }

  // ---------------------------------------------------------------- topics and numbers

  @Test
  void theFirstChannelTakesOverWhatTheTopicKept() throws Exception {
    ReplicatedTopic topic = topic("t");
    publish(topic.number(), 3);
    assertEquals(0, topic.keptFrom());
    ReplicatedChannel first = channel(topic, "c");
    assertEquals(ReplicatedTopic.NOTHING_KEPT, topic.keptFrom());
    assertEquals(3, first.state().unfinished(0, topic.endOf(first)));
    ReplicatedChannel second = channel(topic, "d");
    assertEquals(3, second.state().floor());
    apply(Entries.deleteChannel(topic.number(), first.number(), NOW));
    assertEquals(ReplicatedTopic.NOTHING_KEPT, topic.keptFrom());
    apply(Entries.deleteChannel(topic.number(), second.number(), NOW));
    assertEquals(3, topic.keptFrom());
  }

  @Test
  void aPausedTopicKeepsWhatComes() throws Exception {
    ReplicatedTopic topic = topic("t");
    ReplicatedChannel channel = channel(topic, "c");
    publish(topic.number(), 2);
    apply(Entries.pause(topic.number(), Entries.TOPIC_ITSELF, true, NOW));
    publish(topic.number(), 3);
    assertEquals(2, topic.endOf(channel));
    // Nothing that it does not have is finished, whoever says so.
    finish(topic, channel, 0, 5);
    assertEquals(2, channel.state().floor());
    apply(Entries.pause(topic.number(), Entries.TOPIC_ITSELF, false, NOW));
    assertEquals(5, topic.endOf(channel));
    assertEquals(3, channel.state().unfinished(0, 5));
  }

  @Test
  void idsOfATopicMadeAgainAreAboveThoseBefore() throws Exception {
    ReplicatedTopic topic = topic("t");
    publish(topic.number(), 5);
    final long above = topic.idBase() + 5;
    apply(Entries.deleteTopic(topic.number(), NOW));
    assertNull(state.topic("t"));
    // A leader whose clock is years behind.
    apply(Entries.createTopic("t", 1));
    assertTrue(state.topic("t").idBase() >= above);
    assertNotEquals(topic.number(), state.topic("t").number());
  }

  @Test
  void whatIsGoneOrThereAlreadyDoesNothing() throws Exception {
    ReplicatedTopic topic = topic("t");
    ReplicatedChannel channel = channel(topic, "c");
    told.clear();
    assertFalse(apply(Entries.createTopic("t", NOW)));
    assertFalse(apply(Entries.createChannel(topic.number(), "c", 0, NOW)));
    assertFalse(publish(99, 1));
    assertFalse(apply(Entries.deleteTopic(99, NOW)));
    assertFalse(apply(Entries.empty(topic.number(), 99, NOW)));
    assertFalse(apply(Entries.rewind(topic.number(), Entries.TOPIC_ITSELF, 0, NOW)));
    apply(Entries.deleteTopic(topic.number(), NOW));
    assertFalse(publish(topic.number(), 1));
    finish(topic, channel, 0, 1);
    assertEquals(List.of("deleted t"), told);
  }

  @Test
  void publishersLearnWhatBecameOfEachEntry() throws Exception {
    List<String> watched = new ArrayList<>();
    state.watch(
        new PublishWatch() {
          @Override
          public void applied(Origin origin, boolean stored) {
            watched.add(origin.sequence() + " " + stored);
          }

          @Override
          public void termBegins(long term) {
            watched.add("term " + term);
          }

          @Override
          public void snapshotInstalled() {
            watched.add("installed");
          }
        });
    ReplicatedTopic topic = topic("t");
    publish(topic.number(), 1);
    publish(99, 1);
    state.apply(++index, 7, Entries.term(NOW));
    assertEquals(List.of("3 true", "3 false", "term 7"), watched);
  }

  // ---------------------------------------------------------------- messages and ledgers

  @Test
  void timesAreTheLeadersAlsoWhenTheyGoBack() throws Exception {
    ReplicatedTopic topic = topic("t");
    publish(topic.number(), 1, NOW + 3_600_000_000_000L);
    publish(topic.number(), 1, NOW);
    List<Long> times = new ArrayList<>();
    MessageView view = new MessageView();
    try (JournalCursor cursor = topic.journal().cursor()) {
      cursor.moveTo(0);
      while (cursor.next(view, 2)) {
        times.add(view.timestampNs());
      }
    }
    assertEquals(List.of(NOW + 3_600_000_000_000L, NOW), times);
  }

  @Test
  void emptyDropsWhatThereIsWhenItIsApplied() throws Exception {
    ReplicatedTopic topic = topic("t");
    ReplicatedChannel channel = channel(topic, "c");
    publish(topic.number(), 2);
    ByteBuffer empty = Entries.empty(topic.number(), channel.number(), NOW);
    // Committed between the asking and the emptying.
    publish(topic.number(), 3);
    apply(empty);
    assertEquals("emptied c below 5", told.get(told.size() - 1));
    assertEquals(5, channel.state().floor());
  }

  @Test
  void emptyLeavesDeadLetters() throws Exception {
    ReplicatedTopic topic = topic("t");
    ReplicatedChannel channel = channel(topic, "c");
    publish(topic.number(), 5);
    apply(holding(topic, channel, HeldMessage.dead(ref(2, 3), 9, HeldMessage.Mark.DEAD_EXPIRED)));
    apply(Entries.empty(topic.number(), channel.number(), NOW));
    assertEquals(2, channel.state().floor());
    assertEquals(1, channel.state().unfinished(0, 5));
    assertTrue(channel.state().held(2).isDead());
  }

  @Test
  void whatWasFinishedBeforeARewindIsNotFinishedAfterIt() throws Exception {
    ReplicatedTopic topic = topic("t");
    ReplicatedChannel channel = channel(topic, "c");
    publish(topic.number(), 5);
    finish(topic, channel, 0, 3);
    // Under way when the rewind was decided, and proposed again behind it.
    final ByteBuffer late = finishing(topic, channel, 0, 5);
    final ByteBuffer held = holding(topic, channel, new HeldMessage(ref(1, 9), 0, 0));
    apply(Entries.rewind(topic.number(), channel.number(), 1, NOW));
    apply(late);
    apply(held);
    assertEquals(1, channel.state().floor());
    assertEquals(4, channel.state().unfinished(0, 5));
    assertEquals(0, channel.state().attempts(1));
    finish(topic, channel, 1, 2);
    assertEquals(2, channel.state().floor());
  }

  @Test
  void aRewindNeverGoesBeforeWhatAllNodesHave() throws Exception {
    ReplicatedTopic topic = topic("t");
    ReplicatedChannel channel = channel(topic, "c");
    publish(topic.number(), 5);
    finish(topic, channel, 0, 3);
    apply(Entries.settle(NOW));
    assertEquals(3, topic.neededFrom());
    apply(Entries.rewind(topic.number(), channel.number(), 1, NOW));
    assertEquals("rewound c to 3", told.get(told.size() - 1));
    apply(Entries.createChannel(topic.number(), "d", 0, NOW));
    assertEquals(3, topic.channel("d").state().floor());
  }

  @Test
  void whatIsRetainedCanBeRewoundTo() throws Exception {
    ReplicatedTopic topic = topic("t");
    ReplicatedChannel channel = channel(topic, "c");
    apply(Entries.retain(topic.number(), 1, NOW));
    publish(topic.number(), 5);
    finish(topic, channel, 0, 5);
    apply(Entries.settle(NOW));
    assertEquals(1, topic.neededFrom());
    apply(Entries.rewind(topic.number(), channel.number(), 0, NOW));
    assertEquals(1, channel.state().floor());
  }

  @Test
  void deadLettersComeToLifeWithMoreLives() throws Exception {
    ReplicatedTopic topic = topic("t");
    ReplicatedChannel channel = channel(topic, "c");
    publish(topic.number(), 1);
    final ByteBuffer dies =
        holding(topic, channel, HeldMessage.dead(ref(0, 5), 9, HeldMessage.Mark.OUT_ATTEMPTS));
    apply(dies);
    MessageRef again = ref(0, 5);
    again.redrive();
    apply(holding(topic, channel, new HeldMessage(again, 0, 0)));
    // Proposed a second time.
    apply(dies);
    assertFalse(channel.state().held(0).isDead());
    assertEquals(1, channel.state().held(0).ref().lives());
  }

  @Test
  void skippedOrdinalsAreNobodysMessages() throws Exception {
    ReplicatedTopic topic = topic("t");
    ReplicatedChannel channel = channel(topic, "c");
    publish(topic.number(), 2);
    apply(Entries.skip(1 << 25, NOW));
    publish(topic.number(), 1);
    assertEquals(2 + (1 << 25) + 1, topic.journal().nextOrdinal());
    assertEquals(3, channel.state().unfinished(0, topic.endOf(channel)));
  }

  // ---------------------------------------------------------------- the group itself

  @Test
  void anEntryThatCannotBeAppliedStopsTheStateForGood() throws Exception {
    final ReplicatedTopic topic = topic("t");
    ByteBuffer unknown = Entries.term(NOW).put(1, (byte) 77);
    unknown.putInt(Entries.CRC_OFFSET, Entries.crc(unknown, 0));
    IOException refused = assertThrows(IOException.class, () -> apply(unknown));
    assertEquals("entry 2 cannot be applied: type 77 is not known", refused.getMessage());
    assertThrows(IOException.class, () -> publish(topic.number(), 1));
    assertEquals(1, state.appliedIndex());
    assertEquals(0, topic.journal().nextOrdinal());
  }

  @Test
  void aLogOfANewerVersionStopsHere() throws Exception {
    assertTrue(apply(Entries.format(1, NOW)));
    IOException refused = assertThrows(IOException.class, () -> apply(Entries.format(2, NOW)));
    assertTrue(refused.getMessage().contains("version 2"), refused.getMessage());
  }

  @Test
  void noEntryIsAppliedTwice() throws Exception {
    topic("t");
    assertThrows(IOException.class, () -> state.apply(index, 1, Entries.term(NOW)));
  }

  @Test
  void equalResultsHaveEqualSums(@TempDir Path other) throws Exception {
    GroupState same = open(other);
    List<ByteBuffer> entries =
        List.of(
            Entries.createTopic("t", NOW),
            Entries.createChannel(1, "c", Entries.NONE, NOW),
            Entries.publish(ORIGIN, NOW, 1, 0, 1, section("a")));
    for (ByteBuffer entry : entries) {
      apply(entry);
      same.apply(index, 1, entry);
      assertEquals(state.crc(), same.crc());
    }
    // The same entry with another result: somebody's ordinals are not the others'.
    state.topic("t").journal().raiseNextOrdinal(100);
    ByteBuffer next = Entries.publish(ORIGIN, NOW, 1, 0, 1, section("b"));
    apply(next);
    same.apply(index, 1, next);
    assertNotEquals(state.crc(), same.crc());
    same.close();
  }

  private static ByteBuffer section(String body) {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    ByteBuffer section = ByteBuffer.allocate(Integer.BYTES + bytes.length);
    return section.putInt(bytes.length).put(bytes).flip();
  }

  @Test
  void whatNobodyNeedsIsFoundOutAtFixedIndexes() throws Exception {
    ReplicatedTopic topic = topic("t");
    ReplicatedChannel channel = channel(topic, "c");
    publish(topic.number(), 5);
    finish(topic, channel, 0, 5);
    index = GroupState.SETTLE_EVERY - 2;
    apply(Entries.term(NOW));
    assertEquals(0, topic.neededFrom());
    // Some indexes are none of ours: it is the first entry behind.
    index = GroupState.SETTLE_EVERY + 5;
    apply(Entries.term(NOW));
    assertEquals(5, topic.neededFrom());
    final long settled = index;
    final int crc = state.crc();
    assertEquals(Map.of(settled, crc), state.crcMarks());
    assertEquals(OptionalInt.of(state.crc()), state.crcUpTo(index));
    assertEquals(OptionalInt.empty(), state.crcUpTo(index - 1));
    apply(Entries.term(NOW));
    assertEquals(Map.of(settled, crc, index, state.crc()), state.crcMarks());
    for (int i = 0; i < 1100; i++) {
      index += GroupState.SETTLE_EVERY;
      apply(Entries.term(NOW));
    }
    // The newest, and some that a node has in common with one that is far behind it.
    assertEquals(31, state.crcMarks().size(), "one of the far ones is among the newest");
    assertTrue(state.crcMarks().containsKey(index));
    long oldest = state.crcMarks().keySet().iterator().next();
    assertTrue(index - oldest > 900 * GroupState.SETTLE_EVERY, () -> index + " " + oldest);
  }

  @Test
  void withoutASnapshotWhatIsOnTheDiskCountsForNothing() throws Exception {
    ReplicatedTopic topic = topic("t");
    publish(topic.number(), 3);
    Path journal = topic.journal().file(1);
    state.close();
    Files.createDirectories(dir.resolve("topics/local/journal"));
    index = 0;
    state = open(dir);
    apply(Entries.createTopic("u", NOW));
    assertFalse(Files.exists(journal));
    assertFalse(Files.exists(dir.resolve("topics/t~1")));
    assertTrue(Files.exists(dir.resolve("topics/u~1/journal")));
    assertTrue(Files.exists(dir.resolve("topics/local")));
  }

  @Test
  void groupsLeaveEachOthersTopicsAlone(@TempDir Path shared) throws Exception {
    StorageOptions options = new StorageOptions(1 << 20, 1 << 20, false, 0);
    SyncThread sync = SyncThread.stepped(Disk.LOCAL);
    int group = GroupPlace.groupOf("t", 3);
    GroupState owner = new GroupState(new GroupPlace(group, 3, shared), options, sync);
    owner.apply(1, 1, Entries.createTopic("t", NOW));
    GroupState other = new GroupState(new GroupPlace((group + 1) % 3, 3, shared), options, sync);
    other.apply(1, 1, Entries.term(NOW));
    assertTrue(Files.exists(shared.resolve("topics/t~1")));
    owner.close();
    other.close();
  }

  @Test
  void policiesAreKept() throws Exception {
    ReplicatedTopic topic = topic("t");
    ReplicatedChannel channel = channel(topic, "c");
    apply(Entries.policy(topic.number(), Entries.TOPIC_ITSELF, Map.of("a", "b"), NOW));
    apply(Entries.policy(topic.number(), channel.number(), Map.of("c", "d"), NOW));
    assertEquals(Map.of("a", "b"), topic.policy());
    assertEquals(Map.of("c", "d"), channel.policy());
    apply(Entries.policy(topic.number(), channel.number(), Map.of(), NOW));
    assertEquals(Map.of(), channel.policy());
  }
}
