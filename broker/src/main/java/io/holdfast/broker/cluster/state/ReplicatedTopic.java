package io.holdfast.broker.cluster.state;

import io.holdfast.storage.group.GroupImage.ChannelImage;
import io.holdfast.storage.group.GroupImage.TopicImage;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.topic.TopicRecovery;
import io.holdfast.storage.values.CarriedMessage;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
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

  private final CarriedMessages carried = new CarriedMessages();
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

  /** No node needs to have a message below this ordinal in its own record any more; never falls. */
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

  /** Whether a channel has a message and has not finished it; the topic's lock. */
  boolean isWanted(long ordinal) {
    for (ReplicatedChannel channel : channels.values()) {
      if (!channel.state().isFinished(ordinal) && ordinal < endOf(channel)) {
        return true;
      }
    }
    return false;
  }

  /** The copy of a message that was carried forward, null when there is none; the topic's lock. */
  public CarriedMessage carried(long ordinal) {
    return carried.get(ordinal);
  }

  /** How many messages have copies, and can have at most; the topic's lock. */
  public boolean mayCarry(int more) {
    return carried.size() + more <= CarriedMessages.MAX;
  }

  /** The oldest journal file with the copy of a message; the topic's lock. */
  public int oldestCopyFile() {
    return carried.oldestFile();
  }

  /**
   * What a channel has, for whoever delivers it: messages that were carried forward stand where
   * their copies do. The topic's lock.
   *
   * @return one's own
   */
  public LedgerState stateOf(ReplicatedChannel channel) {
    LedgerState state = channel.state().copy();
    state.carry(carried.all(), endOf(channel));
    return state;
  }

  /** Journal files in which nothing is that somebody needs; the topic's lock. */
  List<Integer> filesNotNeeded() throws IOException {
    return journal.filesBelow(neededFrom, carried.oldestFile());
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
        carried.copy(),
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

  void restore(List<CarriedMessage> copies) {
    carried.restore(copies);
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
    LedgerState state =
        first < 0
            ? new LedgerState(begin)
            : ChannelStates.from(there(first), carried.between(first, there(first)));
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
    carried.finished();
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
        ChannelStates.finish(channel.state(), from, keptFrom);
      }
    }
  }

  void retain(long from) {
    retainFrom = from;
  }

  /** All that a channel has is finished, but for dead letters; returns below what. */
  long empty(ReplicatedChannel channel) {
    long end = endOf(channel);
    ChannelStates.empty(channel.state(), end);
    carried.finished();
    channel.setEpoch(channel.epoch() + 1);
    return end;
  }

  /**
   * Begins a channel anew. What died before stays dead; what waits since it was published, having
   * been published with a deferral, goes on waiting.
   *
   * @return the first message that it has now
   */
  long rewind(ReplicatedChannel channel, long first) {
    long begin = there(first);
    channel.setState(
        ChannelStates.rewound(channel.state(), first, begin, carried.between(first, begin)));
    carried.finished();
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
        ChannelStates.finish(channel.state(), skipped.from(i), to);
      }
    }
  }

  /** Messages from (inclusive) to (exclusive) are finished in a channel. */
  void finished(long from, long to) {
    carried.finished(from, to);
  }

  /**
   * A message gets a copy at the journal's end, unless nobody wants it or there are too many.
   *
   * @return where that is; null for none
   */
  CarriedMessage carry(MessageView message) throws IOException {
    long ordinal = message.ordinal();
    boolean isSkipped = journal.skipped().overlap(ordinal, ordinal + 1) > 0;
    if (isSkipped || !isWanted(ordinal) || !carried.mayPut(ordinal)) {
      return null;
    }
    CarriedMessage copy =
        new CarriedMessage(journal.relocate(message), message.timestampNs(), message.deferMs());
    carried.put(copy);
    return copy;
  }

  /**
   * The first message that somebody needs in its own record, as far as is known now; the topic's
   * lock.
   */
  public long firstNeeded() {
    long needed = keptFrom == NOTHING_KEPT ? journal.nextOrdinal() : keptFrom;
    for (ReplicatedChannel channel : channels.values()) {
      LedgerState state = channel.state();
      // Of what is older all that is not finished was carried.
      long from = Math.max(neededFrom, state.floor());
      needed = Math.min(needed, carried.firstWithout(state.finished(), from));
    }
    if (retainFrom >= 0) {
      needed = Math.min(needed, retainFrom);
    }
    return Math.max(neededFrom, needed);
  }

  /** Finds out which messages nobody needs any more; returns what came of it. */
  long settle() {
    neededFrom = firstNeeded();
    carried.dropUnless(this::isWanted);
    return 31 * neededFrom + carried.size();
  }
}
