package io.holdfast.broker.cluster.state;

import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.ledger.LedgerCodec;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.values.CarriedMessage;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Does what an entry says, the same on every node. An entry for a topic or channel that is gone
 * does nothing. Apply thread.
 */
final class EntryApplier {
  /** The result of an entry that did nothing. */
  static final long VOID = Long.MIN_VALUE;

  private final GroupTopics topics;
  private final Removals removals;
  private final EarlyForces early;
  private final OrdinalRanges ranges = new OrdinalRanges();

  /** Never null. */
  private volatile GroupObserver observer = new GroupObserver() {};

  private volatile PublishWatch watch;
  private volatile NamesWatch names = NamesWatch.NONE;

  EntryApplier(GroupTopics topics, Removals removals, EarlyForces early) {
    this.topics = topics;
    this.removals = removals;
    this.early = early;
  }

  void observer(GroupObserver told) {
    observer = told == null ? new GroupObserver() {} : told;
  }

  void watch(PublishWatch told) {
    watch = told;
  }

  void names(NamesWatch told) {
    names = told;
  }

  NamesWatch names() {
    return names;
  }

  GroupObserver observer() {
    return observer;
  }

  PublishWatch watch() {
    return watch;
  }

  /** What the head of a publish says beside its messages. */
  private record Publish(Origin origin, long topic, long deferMs, int count) {
    static Publish from(ByteBuffer payload) {
      Origin origin = new Origin(payload.get() & 0xff, payload.getLong(), payload.getLong());
      return new Publish(origin, payload.getLong(), payload.getLong(), payload.getInt());
    }
  }

  /**
   * Applies an entry that is not about the group itself.
   *
   * @return what it led to, for the {@link RollingCrc}; or {@link #VOID}
   * @throws IOException when the disk refuses, or the entry cannot be understood: this node has to
   *     stop here
   */
  long apply(Entry entry) throws IOException {
    return switch (entry.type()) {
      case PUBLISH -> publish(entry);
      case LEDGER -> ledger(entry);
      case CREATE_TOPIC -> createTopic(entry);
      case SETTLE -> settle();
      case SKIP -> skip(entry);
      case TERM, FORMAT -> throw new IOException("not of a topic: " + entry.type());
      default -> {
        ReplicatedTopic topic = topics.get(entry.readLong());
        if (topic == null) {
          yield VOID;
        }
        synchronized (topic.lock()) {
          yield applyTo(topic, entry);
        }
      }
    };
  }

  private long publish(Entry entry) throws IOException {
    Publish publish = entry.read(Publish::from);
    ReplicatedTopic topic = topics.get(publish.topic());
    long result = VOID;
    if (topic != null) {
      int bytes = entry.payload().remaining();
      Batch batch = new Batch(entry.payload(), publish.count(), publish.deferMs(), entry.timeNs());
      synchronized (topic.lock()) {
        topic.journal().append(batch);
        observer.published(topic, batch);
      }
      result = batch.firstOrdinal();
      early.appended(topic, bytes);
    }
    PublishWatch watching = watch;
    if (watching != null) {
      watching.applied(publish.origin(), topic != null);
    }
    return result;
  }

  private long createTopic(Entry entry) throws IOException {
    String name = entry.readText();
    if (topics.get(name) != null) {
      return VOID;
    }
    ReplicatedTopic topic = topics.create(name, TimeUnit.NANOSECONDS.toMillis(entry.timeNs()));
    synchronized (topic.lock()) {
      observer.topicCreated(topic);
      names.topicCreated(name);
    }
    return topic.number();
  }

  /** Entries whose payload begins with the topic, under its lock. */
  private long applyTo(ReplicatedTopic topic, Entry entry) throws IOException {
    return switch (entry.type()) {
      case DELETE_TOPIC -> {
        topics.delete(topic);
        removals.deleted(topic);
        observer.topicDeleted(topic);
        names.topicDeleted(topic.name());
        yield topic.number();
      }
      case CREATE_CHANNEL -> createChannel(topic, entry);
      case RETAIN -> {
        topic.retain(entry.readLong());
        yield topic.retainFrom();
      }
      case CARRY -> carry(topic, entry);
      case DROP_KEPT -> {
        topic.dropKept(entry.readLong());
        observer.topicEmptied(topic);
        yield topic.keptFrom();
      }
      default -> {
        long number = entry.readLong();
        if (number == Entries.TOPIC_ITSELF) {
          yield applyToItself(topic, entry);
        }
        ReplicatedChannel channel = topic.channel(number);
        yield channel == null ? VOID : applyTo(topic, channel, entry);
      }
    };
  }

  private long createChannel(ReplicatedTopic topic, Entry entry) throws IOException {
    long first = entry.readLong();
    String name = entry.readText();
    if (topic.channel(name) != null) {
      return VOID;
    }
    ReplicatedChannel channel = topic.addChannel(name, topics.takeNumber(), first);
    observer.channelCreated(topic, channel);
    names.channelCreated(topic.name(), name);
    return channel.state().floor();
  }

  /** The result has which messages were taken, and not where they stand. */
  private long carry(ReplicatedTopic topic, Entry entry) throws IOException {
    int bytes = entry.payload().remaining();
    List<CarriedMessage> carried = new ArrayList<>();
    CarryEntry.read(
        entry,
        message -> {
          CarriedMessage copy = topic.carry(message);
          if (copy != null) {
            carried.add(copy);
          }
        });
    if (!carried.isEmpty()) {
      early.appended(topic, bytes);
      observer.carried(topic, carried);
    }
    long taken = carried.size();
    for (CarriedMessage copy : carried) {
      taken = 31 * taken + copy.ordinal();
    }
    return taken;
  }

  private long applyToItself(ReplicatedTopic topic, Entry entry) throws IOException {
    switch (entry.type()) {
      case PAUSE -> {
        boolean paused = entry.read(ByteBuffer::get) != 0;
        topic.setPaused(paused);
        observer.topicPaused(topic, paused);
      }
      case EMPTY -> {
        topic.empty();
        observer.topicEmptied(topic);
      }
      case POLICY -> {
        topic.setPolicy(Map.copyOf(entry.readTexts()));
        observer.policyChanged(topic, null);
      }
      default -> {
        return VOID;
      }
    }
    return topic.keptFrom();
  }

  private long applyTo(ReplicatedTopic topic, ReplicatedChannel channel, Entry entry)
      throws IOException {
    switch (entry.type()) {
      case DELETE_CHANNEL -> {
        topic.removeChannel(channel);
        observer.channelDeleted(topic, channel);
        names.channelDeleted(topic.name(), channel.name());
        return topic.keptFrom();
      }
      case PAUSE -> {
        boolean paused = entry.read(ByteBuffer::get) != 0;
        channel.setPaused(paused);
        observer.channelPaused(topic, channel, paused);
      }
      case EMPTY -> observer.channelEmptied(topic, channel, topic.empty(channel));
      case REWIND -> observer.rewound(topic, channel, topic.rewind(channel, entry.readLong()));
      case POLICY -> {
        channel.setPolicy(Map.copyOf(entry.readTexts()));
        observer.policyChanged(topic, channel);
      }
      default -> {
        return VOID;
      }
    }
    return channel.state().floor();
  }

  // ---------------------------------------------------------------- ledger records

  private long ledger(Entry entry) throws IOException {
    long[] floors = {0};
    LedgerEntry.read(
        entry,
        (topicNumber, channelNumber, epoch, kind, count, payload) -> {
          ReplicatedTopic topic = topics.get(topicNumber);
          if (topic != null) {
            synchronized (topic.lock()) {
              ReplicatedChannel channel = topic.channel(channelNumber);
              if (channel != null && channel.epoch() == epoch) {
                record(topic, channel, kind, count, payload);
                floors[0] = 31 * floors[0] + channel.state().floor();
              }
            }
          }
        });
    return floors[0];
  }

  private void record(
      ReplicatedTopic topic, ReplicatedChannel channel, int kind, int count, ByteBuffer payload)
      throws IOException {
    long end = topic.endOf(channel);
    LedgerState state = channel.state();
    try {
      if (kind == LedgerEntry.HOLD) {
        for (int i = 0; i < count; i++) {
          HeldMessage message = LedgerCodec.getPlaceless(payload);
          if (message.ref().ordinal() < end) {
            state.hold(message);
          }
        }
        return;
      }
      if (kind != LedgerEntry.FINISH && kind != LedgerEntry.DELIVER) {
        throw new IOException("a ledger record of kind " + kind + " is not known");
      }
      ranges.clear();
      LedgerCodec.getRanges(payload, count, ranges);
    } catch (BufferUnderflowException e) {
      throw new IOException("a ledger record ends too early", e);
    }
    for (int i = 0; i < ranges.count(); i++) {
      long from = Math.max(0, ranges.from(i));
      long to = Math.min(end, ranges.to(i));
      if (from < to && kind == LedgerEntry.FINISH) {
        state.finish(from, to);
        topic.finished(from, to);
      } else if (from < to) {
        state.deliver(from, to);
      }
    }
  }

  // ---------------------------------------------------------------- all topics

  private long skip(Entry entry) throws IOException {
    long ordinals = entry.readLong();
    for (ReplicatedTopic topic : topics.all()) {
      synchronized (topic.lock()) {
        long from = topic.journal().nextOrdinal();
        topic.skip(ordinals);
        observer.skipped(topic, from, from + ordinals);
      }
    }
    return ordinals;
  }

  /** See {@link Entries#settle}; the result sums up all topics, in the same order everywhere. */
  long settle() {
    long sum = 0;
    for (ReplicatedTopic topic : topics.all()) {
      synchronized (topic.lock()) {
        sum = 31 * sum + topic.settle();
      }
    }
    return sum;
  }
}
