package io.holdfast.broker.cluster.state;

import io.holdfast.broker.cluster.state.GroupModel.Channel;
import io.holdfast.broker.cluster.state.GroupModel.Topic;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Draws entries, and does to the model what they mean. */
final class GroupTraffic {
  private static final List<String> TOPICS = List.of("t", "T.x", "u", "w");
  private static final List<String> CHANNELS = List.of("c", "d", "E");
  private static final long GONE = 1L << 40;

  private final Random random;
  private final GroupModel model;
  private long timeNs = 1_700_000_000_000_000_000L;
  private long sequence;

  /** Whether files may be free now. */
  private boolean isCarried;

  /** Records of channels as they were: to come late. */
  private final List<ByteBuffer> late = new ArrayList<>();

  GroupTraffic(Random random, GroupModel model) {
    this.random = random;
    this.model = model;
  }

  private boolean oneIn(int n) {
    return random.nextInt(n) == 0;
  }

  private <T> T any(List<T> of) {
    return of.get(random.nextInt(of.size()));
  }

  private Topic topic() {
    return model.topics.isEmpty() ? null : any(List.copyOf(model.topics.values()));
  }

  private Channel channel(Topic topic) {
    return topic == null || topic.channels.isEmpty()
        ? null
        : any(List.copyOf(topic.channels.values()));
  }

  /** The next entry. */
  ByteBuffer next() {
    // Clocks go back, too.
    timeNs += random.nextInt(2_000_000) - 500_000;
    Topic topic = topic();
    Channel channel = channel(topic);
    int kind = random.nextInt(100);
    if (isCarried) {
      isCarried = false;
      model.settle();
      return Entries.settle(timeNs);
    }
    if (topic == null || kind < 4) {
      String name = any(TOPICS);
      model.createTopic(name);
      return Entries.createTopic(name, timeNs);
    }
    if (kind < 10) {
      long first = oneIn(3) ? random.nextInt((int) topic.next + 5) : Entries.NONE;
      String name = any(CHANNELS);
      model.createChannel(topic, name, first);
      return Entries.createChannel(topic.number, name, first, timeNs);
    }
    if (kind < 50) {
      return publish(topic);
    }
    if (kind < 55) {
      return carry(topic);
    }
    if (kind < 85 && channel != null) {
      return ledger(topic, channel);
    }
    if (kind < 88 && !late.isEmpty()) {
      // Of an epoch that is over, or of a topic or channel that is gone.
      return any(late).duplicate();
    }
    return channel == null || oneIn(2) ? toTopic(topic) : toChannel(topic, channel);
  }

  private ByteBuffer publish(Topic topic) {
    int count = oneIn(4) ? 1 + random.nextInt(40) : 1;
    List<byte[]> bodies = new ArrayList<>();
    int bytes = 0;
    for (int i = 0; i < count; i++) {
      byte[] body = new byte[1 + random.nextInt(oneIn(20) ? 20_000 : 300)];
      random.nextBytes(body);
      bodies.add(body);
      bytes += Integer.BYTES + body.length;
    }
    ByteBuffer section = ByteBuffer.allocate(bytes);
    bodies.forEach(body -> section.putInt(body.length).put(body));
    long deferMs = oneIn(5) ? random.nextInt(100_000) : 0;
    Origin origin = new Origin(random.nextInt(3), 1, sequence++);
    if (oneIn(30)) {
      return Entries.publish(origin, timeNs, GONE, deferMs, count, section.flip());
    }
    model.publish(topic, bodies, timeNs, deferMs);
    return Entries.publish(origin, timeNs, topic.number, deferMs, count, section.flip());
  }

  /** As a leader does: all that is not finished and old. Or whatever comes to its mind. */
  private ByteBuffer carry(Topic topic) {
    final boolean isGone = oneIn(30);
    CarryEntry entry = new CarryEntry(isGone ? GONE : topic.number);
    List<Long> wanted =
        topic.messages.keySet().stream().filter(o -> oneIn(20) || topic.isWanted(o)).toList();
    boolean isAll = oneIn(2);
    isCarried = oneIn(2);
    long below = wanted.isEmpty() ? 0 : wanted.get(0) + random.nextInt(oneIn(2) ? 60 : 1000);
    for (long ordinal : wanted) {
      if (isAll ? ordinal < below : oneIn(10)) {
        add(entry, ordinal, topic.messages.get(ordinal));
        if (!isGone) {
          model.carry(topic, ordinal);
        }
      }
    }
    if (oneIn(10)) {
      // There is no such message yet.
      add(entry, topic.next, new GroupModel.Msg(new byte[] {1}, 1, 0));
    }
    return entry.toEntry(timeNs);
  }

  private static void add(CarryEntry entry, long ordinal, GroupModel.Msg message) {
    MessageView view = new MessageView();
    ByteBuffer body = ByteBuffer.wrap(message.body);
    view.set(
        ordinal,
        message.timeNs,
        message.deferMs,
        MessageRef.NOWHERE,
        body,
        0,
        message.body.length,
        0);
    entry.add(view);
  }

  private ByteBuffer ledger(Topic topic, Channel channel) {
    LedgerEntry entry = new LedgerEntry();
    for (int records = 1 + random.nextInt(3); records > 0; records--) {
      switch (random.nextInt(3)) {
        case 0 -> finish(entry, topic, channel);
        case 1 -> deliver(entry, topic, channel);
        default -> hold(entry, topic, channel);
      }
    }
    if (oneIn(10)) {
      LedgerEntry old = new LedgerEntry();
      OrdinalRanges all = new OrdinalRanges();
      all.add(0, topic.next);
      old.finish(topic.number, channel.number, channel.epoch + 1000, all);
      old.finish(topic.number, GONE, 0, all);
      old.finish(GONE, channel.number, 0, all);
      if (channel.epoch > 0) {
        old.finish(topic.number, channel.number, channel.epoch - 1, all);
      }
      late.add(old.toEntry(timeNs));
    }
    return entry.toEntry(timeNs);
  }

  private long anyOrdinal(Topic topic, Channel channel) {
    long floor = channel.floor();
    long end = topic.end(channel) + 2;
    return oneIn(3) ? floor : floor + random.nextInt((int) Math.max(1, end - floor));
  }

  private void finish(LedgerEntry entry, Topic topic, Channel channel) {
    OrdinalRanges ranges = new OrdinalRanges();
    for (int n = 1 + random.nextInt(3); n > 0; n--) {
      long from = anyOrdinal(topic, channel);
      long to = from + 1L + random.nextInt(30);
      ranges.add(from, to);
      model.finish(topic, channel, from, to);
    }
    entry.finish(topic.number, channel.number, channel.epoch, ranges);
  }

  private void deliver(LedgerEntry entry, Topic topic, Channel channel) {
    OrdinalRanges ranges = new OrdinalRanges();
    long from = anyOrdinal(topic, channel);
    long to = from + 1L + random.nextInt(10);
    ranges.add(from, to);
    for (long o = from; o < to; o++) {
      model.deliver(topic, channel, o);
    }
    entry.deliver(topic.number, channel.number, channel.epoch, ranges);
  }

  private void hold(LedgerEntry entry, Topic topic, Channel channel) {
    List<HeldMessage> messages = new ArrayList<>();
    for (int n = 1 + random.nextInt(3); n > 0; n--) {
      long ordinal = anyOrdinal(topic, channel);
      if (ordinal >= topic.end(channel)) {
        continue;
      }
      HeldMessage known = channel.held.get(ordinal);
      int packed = channel.attempts.getOrDefault(ordinal, 0);
      MessageRef ref = new MessageRef(ordinal, MessageRef.NOWHERE, 0, 0, packed);
      HeldMessage message;
      if (known != null && known.isDead()) {
        ref.redrive();
        message = new HeldMessage(ref, 0, 0);
      } else if (oneIn(5)) {
        ref.nextAttempt();
        message = HeldMessage.dead(ref, 1L + random.nextInt(1000), HeldMessage.Mark.DEAD_ATTEMPTS);
      } else {
        if (!oneIn(4)) {
          ref.nextAttempt();
        }
        int delayMs = random.nextInt(1000);
        message = new HeldMessage(ref, delayMs == 0 ? 0 : 10_000 + delayMs, delayMs);
      }
      messages.add(message);
      model.hold(topic, channel, message);
    }
    entry.hold(topic.number, channel.number, channel.epoch, messages);
  }

  private ByteBuffer toTopic(Topic topic) {
    switch (random.nextInt(9)) {
      case 0 -> {
        if (oneIn(2)) {
          model.topics.remove(topic.name);
          return Entries.deleteTopic(topic.number, timeNs);
        }
        return Entries.deleteTopic(GONE, timeNs);
      }
      case 1 -> {
        boolean paused = random.nextBoolean();
        model.pause(topic, paused);
        return Entries.pause(topic.number, Entries.TOPIC_ITSELF, paused, timeNs);
      }
      case 2 -> {
        model.empty(topic);
        return Entries.empty(topic.number, Entries.TOPIC_ITSELF, timeNs);
      }
      case 3 -> {
        topic.policy = policy();
        return Entries.policy(topic.number, Entries.TOPIC_ITSELF, topic.policy, timeNs);
      }
      case 4 -> {
        topic.retainFrom = oneIn(2) ? Entries.NONE : random.nextInt((int) topic.next + 1);
        return Entries.retain(topic.number, topic.retainFrom, timeNs);
      }
      case 5 -> {
        long first = random.nextInt((int) topic.next + 5);
        model.dropKept(topic, first);
        return Entries.dropKept(topic.number, first, timeNs);
      }
      case 6 -> {
        if (!oneIn(4)) {
          return Entries.term(timeNs);
        }
        long count = 1L + random.nextInt(100);
        model.skip(count);
        return Entries.skip(count, timeNs);
      }
      default -> {
        model.settle();
        return Entries.settle(timeNs);
      }
    }
  }

  private Map<String, String> policy() {
    return oneIn(3) ? Map.of() : Map.of("max_dead", "" + random.nextInt(9), "ttl", "1h \u00e4");
  }

  private ByteBuffer toChannel(Topic topic, Channel channel) {
    switch (random.nextInt(6)) {
      case 0 -> {
        if (oneIn(3)) {
          model.deleteChannel(topic, channel);
          return Entries.deleteChannel(topic.number, channel.number, timeNs);
        }
        return Entries.deleteChannel(topic.number, GONE, timeNs);
      }
      case 1 -> {
        channel.paused = random.nextBoolean();
        return Entries.pause(topic.number, channel.number, channel.paused, timeNs);
      }
      case 2 -> {
        model.empty(topic, channel);
        return Entries.empty(topic.number, channel.number, timeNs);
      }
      case 3 -> {
        channel.policy = policy();
        return Entries.policy(topic.number, channel.number, channel.policy, timeNs);
      }
      case 4 -> {
        long first = random.nextInt((int) topic.next + 5);
        model.rewind(topic, channel, first);
        return Entries.rewind(topic.number, channel.number, first, timeNs);
      }
      default -> {
        OrdinalRanges all = new OrdinalRanges();
        long end = topic.end(channel);
        all.add(channel.floor(), channel.floor() + (end - channel.floor()) / 2 + 1);
        model.finish(topic, channel, all.from(0), all.to(0));
        LedgerEntry entry = new LedgerEntry();
        entry.finish(topic.number, channel.number, channel.epoch, all);
        return entry.toEntry(timeNs);
      }
    }
  }
}
