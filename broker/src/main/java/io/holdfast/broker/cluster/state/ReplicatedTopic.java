package io.holdfast.broker.cluster.state;

import io.holdfast.storage.group.GroupImage.ChannelImage;
import io.holdfast.storage.group.GroupImage.TopicImage;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.topic.TopicRecovery;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.OrdinalRanges;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * A topic of a group: its journal, and what its channels have finished, as the log says. Nothing
 * else decides what happens here: no clock, no option, no error of a disk.
 *
 * <p>Changed on the apply thread, under {@link #lock}; whoever holds it sees one moment. Single
 * values may be read by any thread.
 */
public final class ReplicatedTopic {
  /** {@link #keptFrom} of a topic that hands everything to its channels at once. */
  public static final long NOTHING_KEPT = TopicRecovery.NOTHING_KEPT;

  private final Object lock = new Object();
  private final String name;
  private final long number;
  private final long idBase;
  private final ChronicleJournal journal;
  private final EarlyForces.Unforced unforced = new EarlyForces.Unforced();

  /** By name in byte order. */
  private final ConcurrentSkipListMap<String, ReplicatedChannel> channels =
      new ConcurrentSkipListMap<>();

  private final Map<Long, ReplicatedChannel> byNumber = new HashMap<>();

  private volatile boolean paused;

  /** A new topic has no channels, and keeps everything for the first one. */
  private volatile long keptFrom;

  private volatile long retainFrom = Entries.NONE;
  private volatile long neededFrom;
  private volatile Map<String, String> policy = Map.of();

  /** Whether its directory is found after a power cut. */
  private volatile boolean dirForced;

  ReplicatedTopic(String name, long number, long idBase, ChronicleJournal journal) {
    this.name = name;
    this.number = number;
    this.idBase = idBase;
    this.journal = journal;
  }

  // ---------------------------------------------------------------- any thread

  /** As clients know it. */
  public String name() {
    return name;
  }

  /** Its number in the log's entries. */
  public long number() {
    return number;
  }

  /** Added to a message's ordinal to give its id; higher in a topic that is made again. */
  public long idBase() {
    return idBase;
  }

  /** Whether it hands nothing to its channels. */
  public boolean isPaused() {
    return paused;
  }

  /** The first ordinal kept back from the channels; negative for nothing. */
  public long keptFrom() {
    return keptFrom;
  }

  /** From which ordinal on finished messages are to stay; negative for none. */
  public long retainFrom() {
    return retainFrom;
  }

  /** No node needs to have a message below this ordinal any more; never falls. */
  public long neededFrom() {
    return neededFrom;
  }

  /** What was set by hand, field to value as text; not to be changed. */
  public Map<String, String> policy() {
    return policy;
  }

  /** Its messages. What changes it belongs to the apply thread. */
  public ChronicleJournal journal() {
    return journal;
  }

  EarlyForces.Unforced unforced() {
    return unforced;
  }

  /** Guards it with all its channels. */
  public Object lock() {
    return lock;
  }

  /** The channels by name; a live view, not to be changed. */
  public Collection<ReplicatedChannel> channels() {
    return Collections.unmodifiableCollection(channels.values());
  }

  /** The channel of a name, null when there is none. */
  public ReplicatedChannel channel(String channelName) {
    return channels.get(channelName);
  }

  /** The channel of a number, null when there is none. Apply thread. */
  ReplicatedChannel channel(long channelNumber) {
    return byNumber.get(channelNumber);
  }

  /** One above the last ordinal that a channel has; the topic's lock. */
  public long endOf(ReplicatedChannel channel) {
    long end = keptFrom == NOTHING_KEPT ? journal.nextOrdinal() : keptFrom;
    return Math.max(end, channel.state().floor());
  }

  boolean isDirForced() {
    return dirForced;
  }

  void dirForced() {
    dirForced = true;
  }

  /**
   * Notes it as it is now; the topic's lock.
   *
   * @param files of the journal that are needed
   */
  TopicImage image(List<Integer> files) {
    List<ChannelImage> noted = new ArrayList<>();
    for (ReplicatedChannel channel : channels.values()) {
      noted.add(
          new ChannelImage(
              channel.name(),
              channel.number(),
              channel.isPaused(),
              channel.epoch(),
              channel.policy(),
              channel.state().copy()));
    }
    return new TopicImage(
        name,
        number,
        idBase,
        paused,
        keptFrom,
        retainFrom,
        neededFrom,
        policy,
        journal.nextOrdinal(),
        journal.skipped(),
        journal.end(),
        files,
        noted);
  }

  // ---------------------------------------------------------------- changes (lock, apply thread)

  void restore(boolean isPaused, long kept, long retain, long needed, Map<String, String> byHand) {
    paused = isPaused;
    keptFrom = kept;
    retainFrom = retain;
    neededFrom = needed;
    policy = byHand;
  }

  void restore(ReplicatedChannel channel) {
    channels.put(channel.name(), channel);
    byNumber.put(channel.number(), channel);
  }

  void setPolicy(Map<String, String> byHand) {
    policy = byHand;
  }

  void setPaused(boolean toPaused) {
    paused = toPaused;
    if (toPaused) {
      keep();
    } else if (!channels.isEmpty()) {
      handOver();
    }
  }

  private void keep() {
    if (keptFrom == NOTHING_KEPT) {
      keptFrom = journal.nextOrdinal();
    }
  }

  private void handOver() {
    keptFrom = NOTHING_KEPT;
    passSkipped();
  }

  /**
   * Makes a channel.
   *
   * @param first its first message, negative for what is kept back, else what comes
   */
  ReplicatedChannel addChannel(String channelName, long channelNumber, long first) {
    long begin = keptFrom == NOTHING_KEPT ? journal.nextOrdinal() : keptFrom;
    LedgerState state = new LedgerState(first < 0 ? begin : there(first));
    state.begin(state.floor());
    ReplicatedChannel channel = new ReplicatedChannel(channelName, channelNumber, state);
    restore(channel);
    if (!paused) {
      handOver();
    }
    return channel;
  }

  /** The first message there is on all nodes from this one on. */
  private long there(long first) {
    return Math.min(Math.max(first, neededFrom), journal.nextOrdinal());
  }

  void removeChannel(ReplicatedChannel channel) {
    channels.remove(channel.name());
    byNumber.remove(channel.number());
    if (channels.isEmpty()) {
      keep();
    }
  }

  /** What is kept back is dropped. */
  void empty() {
    dropKept(journal.nextOrdinal());
  }

  /** What is kept back begins at this message, if it began before. */
  void dropKept(long first) {
    if (keptFrom != NOTHING_KEPT) {
      long from = keptFrom;
      keptFrom = Math.max(from, Math.min(first, journal.nextOrdinal()));
      for (ReplicatedChannel channel : channels.values()) {
        // Or it would have that, too, when the topic goes on.
        finish(channel.state(), Math.max(from, channel.state().floor()), keptFrom);
      }
    }
  }

  void retain(long from) {
    retainFrom = from;
  }

  /** All that a channel has is finished, but for dead letters; returns below what. */
  long empty(ReplicatedChannel channel) {
    LedgerState state = channel.state();
    long end = endOf(channel);
    OrdinalRanges dead = new OrdinalRanges();
    for (HeldMessage message : state.held()) {
      if (message.isDead()) {
        dead.add(message.ref().ordinal());
      }
    }
    if (dead.isEmpty()) {
      state.empty(end);
    } else {
      finishBetween(state, dead, end);
    }
    channel.setEpoch(channel.epoch() + 1);
    return end;
  }

  private static void finishBetween(LedgerState state, OrdinalRanges staying, long end) {
    long from = state.floor();
    for (int i = 0; i < staying.count(); i++) {
      finish(state, from, staying.from(i));
      from = staying.to(i);
    }
    finish(state, from, end);
  }

  private static void finish(LedgerState state, long from, long to) {
    if (from < to) {
      state.finish(from, to);
    }
  }

  /**
   * Begins a channel anew. What died before stays dead; what waits since it was published, having
   * been published with a deferral, goes on waiting.
   *
   * @return the first message that it has now
   */
  long rewind(ReplicatedChannel channel, long first) {
    long begin = there(first);
    LedgerState old = channel.state();
    List<HeldMessage> dead = new ArrayList<>();
    List<HeldMessage> deferred = new ArrayList<>();
    for (HeldMessage message : old.held()) {
      boolean isOlder = message.ref().ordinal() < begin;
      if (message.isDead() && isOlder) {
        dead.add(message);
      } else if (!isOlder && !message.isDead() && message.ref().packedAttempts() == 0) {
        deferred.add(message);
      }
    }
    long floor = dead.isEmpty() ? begin : Math.min(begin, dead.get(0).ref().ordinal());
    LedgerState state = new LedgerState(floor);
    long from = floor;
    for (HeldMessage message : dead) {
      finish(state, from, message.ref().ordinal());
      from = message.ref().ordinal() + 1;
    }
    finish(state, from, begin);
    dead.forEach(state::holdAt);
    deferred.forEach(state::holdAt);
    state.begin(Math.min(old.begin(), begin));
    channel.setState(state);
    channel.setEpoch(channel.epoch() + 1);
    passSkipped();
    return begin;
  }

  /** Passes over so many ordinals; nobody has seen or will see a message under them. */
  void skip(long ordinals) {
    long from = journal.nextOrdinal();
    OrdinalRanges skipped = new OrdinalRanges();
    OrdinalRanges before = journal.skipped();
    for (int i = 0; i < before.count(); i++) {
      skipped.add(before.from(i), before.to(i));
    }
    skipped.add(from, from + ordinals);
    journal.skip(skipped);
    passSkipped();
  }

  /** What was skipped is finished in the channels, as far as they have come. */
  private void passSkipped() {
    OrdinalRanges skipped = journal.skipped();
    for (int i = 0; i < skipped.count(); i++) {
      for (ReplicatedChannel channel : channels.values()) {
        long to = Math.min(skipped.to(i), endOf(channel));
        finish(channel.state(), Math.max(skipped.from(i), channel.state().floor()), to);
      }
    }
  }

  /** Finds out which messages nobody needs any more; returns the first that somebody does. */
  long settle() {
    long needed = keptFrom == NOTHING_KEPT ? journal.nextOrdinal() : keptFrom;
    for (ReplicatedChannel channel : channels.values()) {
      needed = Math.min(needed, channel.state().floor());
    }
    if (retainFrom >= 0) {
      needed = Math.min(needed, retainFrom);
    }
    neededFrom = Math.max(neededFrom, needed);
    return neededFrom;
  }
}
