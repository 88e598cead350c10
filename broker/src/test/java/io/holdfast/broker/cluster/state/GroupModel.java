package io.holdfast.broker.cluster.state;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.ledger.ChannelAccount;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.topic.ChannelBackends;
import io.holdfast.storage.topic.ChronicleBackend;
import io.holdfast.storage.values.CarriedMessage;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/** What a group should hold, in plain collections: the simulation's idea of each entry. */
final class GroupModel {
  static final class Msg {
    final byte[] body;
    final long timeNs;
    final long deferMs;

    Msg(byte[] body, long timeNs, long deferMs) {
      this.body = body;
      this.timeNs = timeNs;
      this.deferMs = deferMs;
    }
  }

  static final class Channel {
    final String name;
    final long number;
    long begin;
    long epoch;
    boolean paused;
    Map<String, String> policy = Map.of();
    final TreeSet<Long> finished = new TreeSet<>();
    final Map<Long, Integer> attempts = new HashMap<>();
    final TreeMap<Long, HeldMessage> held = new TreeMap<>();

    Channel(String name, long number, long begin) {
      this.name = name;
      this.number = number;
      this.begin = begin;
    }

    boolean isFinished(long ordinal) {
      return ordinal < begin || finished.contains(ordinal);
    }

    /** The first ordinal that is not finished. */
    long floor() {
      long at = begin;
      while (finished.contains(at)) {
        at++;
      }
      return at;
    }

    void finish(long ordinal) {
      finished.add(ordinal);
      held.remove(ordinal);
      attempts.remove(ordinal);
    }
  }

  static final class Topic {
    final String name;
    final long number;
    final TreeMap<Long, Msg> messages = new TreeMap<>();
    final TreeSet<Long> skipped = new TreeSet<>();
    final TreeSet<Long> carried = new TreeSet<>();
    final TreeMap<String, Channel> channels = new TreeMap<>();
    long next;
    long keptFrom;
    long retainFrom = -1;
    long neededFrom;
    boolean paused;
    Map<String, String> policy = Map.of();

    Topic(String name, long number) {
      this.name = name;
      this.number = number;
    }

    long end(Channel channel) {
      return Math.max(keptFrom < 0 ? next : keptFrom, channel.floor());
    }

    /** Whether a channel has it and has not finished it. */
    boolean isWanted(long ordinal) {
      return channels.values().stream()
          .anyMatch(channel -> !channel.isFinished(ordinal) && ordinal < end(channel));
    }

    /** What a channel has from a message on that is there. */
    void putTo(Channel channel, long first) {
      long there = Math.min(Math.max(first, neededFrom), next);
      SortedSet<Long> older = first < there ? carried.subSet(first, there) : new TreeSet<>();
      channel.begin = older.isEmpty() ? there : older.first();
      for (long o = channel.begin; o < there; o++) {
        if (!carried.contains(o)) {
          channel.finished.add(o);
        }
      }
    }

    void handOver() {
      keptFrom = -1;
      passSkipped();
    }

    void passSkipped() {
      for (Channel channel : channels.values()) {
        long end = end(channel);
        skipped.stream().filter(o -> o >= channel.begin && o < end).forEach(channel::finish);
      }
    }
  }

  final TreeMap<String, Topic> topics = new TreeMap<>();
  private long nextNumber = 1;

  /** How often a copy was compared whose own record was gone. */
  int copiesAlone;

  Channel channel(Topic topic, String name) {
    return topic.channels.get(name);
  }

  // ---------------------------------------------------------------- what entries do

  void createTopic(String name) {
    if (!topics.containsKey(name)) {
      topics.put(name, new Topic(name, nextNumber++));
    }
  }

  void createChannel(Topic topic, String name, long first) {
    if (topic.channels.containsKey(name)) {
      return;
    }
    long begin = topic.keptFrom < 0 ? topic.next : topic.keptFrom;
    Channel channel = new Channel(name, nextNumber++, begin);
    if (first >= 0) {
      topic.putTo(channel, first);
    }
    topic.channels.put(name, channel);
    if (!topic.paused) {
      topic.handOver();
    }
  }

  void deleteChannel(Topic topic, Channel channel) {
    topic.channels.remove(channel.name);
    if (topic.channels.isEmpty() && topic.keptFrom < 0) {
      topic.keptFrom = topic.next;
    }
  }

  void publish(Topic topic, List<byte[]> bodies, long timeNs, long deferMs) {
    for (byte[] body : bodies) {
      topic.messages.put(topic.next++, new Msg(body, timeNs, deferMs));
    }
  }

  void pause(Topic topic, boolean paused) {
    topic.paused = paused;
    if (paused && topic.keptFrom < 0) {
      topic.keptFrom = topic.next;
    } else if (!paused && !topic.channels.isEmpty()) {
      topic.handOver();
    }
  }

  void empty(Topic topic) {
    dropKept(topic, topic.next);
  }

  void dropKept(Topic topic, long first) {
    if (topic.keptFrom >= 0) {
      long from = topic.keptFrom;
      topic.keptFrom = Math.max(from, Math.min(first, topic.next));
      for (Channel channel : topic.channels.values()) {
        for (long o = Math.max(from, channel.begin); o < topic.keptFrom; o++) {
          channel.finish(o);
        }
      }
    }
  }

  void empty(Topic topic, Channel channel) {
    long end = topic.end(channel);
    for (long o = channel.begin; o < end; o++) {
      HeldMessage held = channel.held.get(o);
      if (held == null || !held.isDead()) {
        channel.finish(o);
      }
    }
    channel.epoch++;
  }

  void rewind(Topic topic, Channel channel, long first) {
    TreeMap<Long, HeldMessage> stay = new TreeMap<>();
    channel.held.forEach(
        (o, held) -> {
          boolean isDeferred = !held.isDead() && held.ref().packedAttempts() == 0;
          if (o < first ? held.isDead() : isDeferred) {
            stay.put(o, held);
          }
        });
    channel.finished.clear();
    channel.attempts.clear();
    channel.held.clear();
    topic.putTo(channel, first);
    long begin = channel.begin;
    if (!stay.isEmpty() && stay.firstKey() < begin) {
      channel.begin = stay.firstKey();
      for (long o = channel.begin; o < begin; o++) {
        if (!stay.containsKey(o)) {
          channel.finished.add(o);
        }
      }
    }
    channel.held.putAll(stay);
    stay.forEach((o, held) -> channel.attempts.put(o, held.ref().packedAttempts()));
    channel.epoch++;
    topic.passSkipped();
  }

  void finish(Topic topic, Channel channel, long from, long to) {
    for (long o = Math.max(from, channel.begin); o < Math.min(to, topic.end(channel)); o++) {
      channel.finish(o);
    }
  }

  void deliver(Topic topic, Channel channel, long ordinal) {
    if (ordinal < topic.end(channel) && !channel.isFinished(ordinal)) {
      channel.attempts.putIfAbsent(ordinal, 1);
      HeldMessage held = channel.held.get(ordinal);
      if (held != null && held.ref().packedAttempts() == 0) {
        channel.attempts.put(ordinal, 1);
        channel.held.put(ordinal, with(held, 1));
      }
    }
  }

  private static HeldMessage with(HeldMessage held, int attempts) {
    return new HeldMessage(
        new MessageRef(held.ref().ordinal(), MessageRef.NOWHERE, 0, 0, attempts),
        held.dueMs(),
        held.delayMs(),
        held.mark());
  }

  /** A newer record of the message: what it says counts. */
  void hold(Topic topic, Channel channel, HeldMessage message) {
    long ordinal = message.ref().ordinal();
    if (ordinal < topic.end(channel) && !channel.isFinished(ordinal)) {
      channel.held.put(ordinal, message);
      channel.attempts.put(ordinal, message.ref().packedAttempts());
    }
  }

  void skip(long count) {
    for (Topic topic : topics.values()) {
      for (long left = count; left > 0; left--) {
        topic.skipped.add(topic.next++);
      }
      topic.passSkipped();
    }
  }

  void carry(Topic topic, long ordinal) {
    if (topic.isWanted(ordinal) && !topic.skipped.contains(ordinal)) {
      topic.carried.add(ordinal);
    }
  }

  void settle() {
    for (Topic topic : topics.values()) {
      long needed = topic.keptFrom < 0 ? topic.next : topic.keptFrom;
      for (Channel channel : topic.channels.values()) {
        long at = channel.floor();
        while (topic.carried.contains(at) || channel.finished.contains(at)) {
          at++;
        }
        needed = Math.min(needed, at);
      }
      needed = topic.retainFrom < 0 ? needed : Math.min(needed, topic.retainFrom);
      topic.neededFrom = Math.max(topic.neededFrom, needed);
      topic.carried.removeIf(ordinal -> !topic.isWanted(ordinal));
    }
  }

  // ---------------------------------------------------------------- comparison

  /** Fails when a state is not the same. */
  void compare(GroupState state) throws IOException {
    List<String> names = new ArrayList<>();
    state.topics().forEach(topic -> names.add(topic.name()));
    names.sort(null);
    assertEquals(List.copyOf(topics.keySet()), names);
    for (Topic topic : topics.values()) {
      ReplicatedTopic is = state.topic(topic.name);
      String what = topic.name + "~" + topic.number;
      assertEquals(topic.number, is.number(), what);
      assertEquals(topic.paused, is.isPaused(), what);
      assertEquals(topic.keptFrom, is.keptFrom(), what + " kept from");
      assertEquals(topic.retainFrom, is.retainFrom(), what);
      assertEquals(topic.neededFrom, is.neededFrom(), what + " needed from");
      assertEquals(topic.policy, is.policy(), what);
      assertEquals(topic.next, is.journal().nextOrdinal(), what + " next");
      compareMessages(topic, is, what);
      compareCarried(topic, is, what);
      assertEquals(topic.channels.size(), is.channels().size(), what);
      for (Channel channel : topic.channels.values()) {
        compare(topic, channel, is, what + "/" + channel.name);
        compareDelivered(topic, channel, is, what + "/" + channel.name);
      }
    }
  }

  private static void compareMessages(Topic topic, ReplicatedTopic is, String what)
      throws IOException {
    MessageView view = new MessageView();
    try (JournalCursor cursor = is.journal().cursor()) {
      cursor.moveTo(topic.neededFrom);
      for (Map.Entry<Long, Msg> wanted : topic.messages.tailMap(topic.neededFrom).entrySet()) {
        String which = what + " message " + wanted.getKey();
        assertTrue(cursor.next(view, topic.next), which);
        compare(wanted, view, which);
      }
      assertFalse(cursor.next(view, topic.next), what);
      int nth = 0;
      for (Map.Entry<Long, Msg> wanted : topic.messages.tailMap(topic.neededFrom).entrySet()) {
        if (nth++ % 17 == 0) {
          MessageRef ref = is.journal().find(wanted.getKey());
          assertNotNull(ref, what + " message " + wanted.getKey());
          assertTrue(cursor.read(ref, view), what);
          compare(wanted, view, what + " found message " + wanted.getKey());
        }
      }
    }
    assertNull(is.journal().find(topic.next), what);
  }

  private void compareCarried(Topic topic, ReplicatedTopic is, String what) throws IOException {
    MessageView view = new MessageView();
    try (JournalCursor cursor = is.journal().cursor()) {
      for (long o = 0; o < topic.next; o++) {
        CarriedMessage copy = is.carried(o);
        String which = what + " carried message " + o;
        assertEquals(topic.carried.contains(o), copy != null, which);
        if (copy != null) {
          assertTrue(cursor.read(copy.place(), view), which);
          compare(Map.entry(o, topic.messages.get(o)), view, which);
          copiesAlone += is.journal().find(o) == null ? 1 : 0;
        }
      }
    }
  }

  /** What a leader's channel would deliver, sooner or later. */
  private static void compareDelivered(
      Topic topic, Channel channel, ReplicatedTopic in, String what) throws IOException {
    LedgerState state;
    synchronized (in.lock()) {
      state = in.stateOf(in.channel(channel.name));
    }
    TreeMap<Long, Msg> left = new TreeMap<>();
    for (long o = channel.floor(); o < topic.end(channel); o++) {
      if (!channel.isFinished(o) && !topic.skipped.contains(o)) {
        left.put(o, topic.messages.get(o));
      }
    }
    MessageView view = new MessageView();
    try (ChronicleBackend backend =
        ChannelBackends.of(state, in.journal(), ChannelAccount.NONE, in.keptFrom())) {
      for (HeldMessage held : backend.takeHeld()) {
        String which = what + " held message " + held.ref().ordinal();
        assertTrue(backend.read(held.ref(), view), which);
        int attempts = channel.attempts.getOrDefault(held.ref().ordinal(), 0);
        assertEquals(attempts, held.ref().packedAttempts(), which);
        take(left, view, which);
        if (!channel.held.containsKey(view.ordinal())) {
          boolean isDeferred = attempts == 0 && view.deferMs() > 0;
          long dueMs = view.timestampNs() / 1_000_000 + view.deferMs();
          assertEquals(isDeferred ? dueMs : 0, held.dueMs(), which);
        }
      }
      while (backend.poll(view)) {
        String which = what + " waiting message " + view.ordinal();
        assertEquals(channel.attempts.getOrDefault(view.ordinal(), 0), view.attempts(), which);
        take(left, view, which);
      }
      assertEquals(0, backend.unreadable(), what);
    }
    assertEquals(List.of(), List.copyOf(left.keySet()), what + " not found");
  }

  private static void take(Map<Long, Msg> left, MessageView view, String which) {
    Msg message = left.remove(view.ordinal());
    assertNotNull(message, which);
    compare(Map.entry(view.ordinal(), message), view, which);
  }

  private static void compare(Map.Entry<Long, Msg> wanted, MessageView is, String what) {
    assertEquals(wanted.getKey(), is.ordinal(), what);
    byte[] body = new byte[is.bodyLength()];
    is.body().get(body);
    assertArrayEquals(wanted.getValue().body, body, what);
    assertEquals(wanted.getValue().timeNs, is.timestampNs(), what);
    assertEquals(wanted.getValue().deferMs, is.deferMs(), what);
  }

  private static void compare(Topic topic, Channel channel, ReplicatedTopic in, String what) {
    ReplicatedChannel is = in.channel(channel.name);
    assertNotNull(is, what);
    assertEquals(channel.number, is.number(), what);
    assertEquals(channel.paused, is.isPaused(), what);
    assertEquals(channel.epoch, is.epoch(), what);
    assertEquals(channel.policy, is.policy(), what);
    LedgerState state = is.state();
    assertEquals(topic.end(channel), in.endOf(is), what + " end");
    assertEquals(channel.floor(), state.floor(), what + " floor");
    for (long o = channel.begin; o < topic.end(channel); o++) {
      String which = what + " message " + o;
      assertEquals(channel.isFinished(o), state.isFinished(o), which);
      if (!channel.isFinished(o)) {
        assertEquals(channel.attempts.getOrDefault(o, 0), state.packedAttempts(o), which);
        HeldMessage wanted = channel.held.get(o);
        HeldMessage held = state.held(o);
        assertEquals(wanted == null, held == null, which + " held");
        if (wanted != null) {
          assertEquals(wanted.dueMs(), held.dueMs(), which);
          assertEquals(wanted.delayMs(), held.delayMs(), which);
          assertEquals(wanted.mark(), held.mark(), which);
        }
      }
    }
  }
}
