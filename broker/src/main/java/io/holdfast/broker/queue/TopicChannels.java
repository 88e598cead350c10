package io.holdfast.broker.queue;

import io.holdfast.broker.meters.E2eLatency;
import io.holdfast.broker.meters.E2eProcessingLatency;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.topic.DirNames;
import io.holdfast.storage.topic.Metadata;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The channels of a topic and their directories: makes, opens and deletes them, and hands over what
 * is published. Found by any thread, changed under both of the topic's locks.
 */
final class TopicChannels {
  private static final Logger LOG = LoggerFactory.getLogger(TopicChannels.class);

  private final String topic;
  private final TopicContext context;
  private final TopicState state;
  private final ChronicleJournal journal;
  private final KeptBack keptBack;
  private final ChannelOpening opening;

  /** By name in byte order. */
  private final ConcurrentSkipListMap<String, Channel> channels = new ConcurrentSkipListMap<>();

  TopicChannels(
      String topic,
      TopicContext context,
      TopicState state,
      ChronicleJournal journal,
      GuidFactory guids,
      KeptBack keptBack) {
    this.topic = topic;
    this.context = context;
    this.state = state;
    this.journal = journal;
    this.keptBack = keptBack;
    opening = new ChannelOpening(topic, context, state, journal, guids, keptBack);
  }

  // ---------------------------------------------------------------- any thread

  /** The channel of this name, or null. */
  Channel get(String name) {
    return channels.get(name);
  }

  /** The channels, sorted by name; a live view. */
  Collection<Channel> all() {
    return channels.values();
  }

  boolean isEmpty() {
    return channels.isEmpty();
  }

  /**
   * Whether a channel takes over what the topic keeps. An ephemeral one does so only of a topic
   * that is no better: with it the messages would be gone.
   */
  boolean hasTaker() {
    return DirNames.isEphemeral(topic)
        ? !channels.isEmpty()
        : channels.values().stream().anyMatch(channel -> !channel.isEphemeral());
  }

  /** Whether there is any channel but such whose consumers only look. */
  boolean hasAudience() {
    return channels.values().stream().anyMatch(channel -> !channel.consumers().isPeeking());
  }

  /** What the metadata file is to say of those that the next start will have. */
  List<Metadata.ChannelEntry> metadata() {
    List<Metadata.ChannelEntry> entries = new ArrayList<>();
    for (Map.Entry<String, Channel> channel : channels.entrySet()) {
      Channel each = channel.getValue();
      if (!each.isEphemeral()) {
        entries.add(
            new Metadata.ChannelEntry(channel.getKey(), each.isPaused(), each.handPolicy()));
      }
    }
    return entries;
  }

  /** Publish-to-FIN latency over all of them. */
  E2eLatency e2eProcessingLatency() {
    return E2eProcessingLatency.merged(
        channels.values().stream().map(channel -> channel.times().percentiles()).toList());
  }

  // ---------------------------------------------------------------- messages (topic's lock)

  /** Hands over what was published. */
  void put(Batch batch) {
    for (Channel channel : channels.values()) {
      try {
        channel.intake().put(batch);
      } catch (IOException e) {
        // The journal has the messages; only this channel's own account is behind.
        failed(channel.name(), e);
      }
    }
  }

  /** Gives all what the topic has kept back; a call of {@link #findDeferred()} is to follow. */
  void unpause() {
    if (!state.exiting && !keptBack.isNothing()) {
      extendAll();
      keptBack.unpause(hasTaker());
    }
  }

  /** Gives all what they have not been given yet; see {@link #unpause}. */
  void extendAll() {
    if (!keptBack.isNothing()) {
      channels.values().forEach(this::extend);
    }
  }

  /** None gets what lies below an ordinal and it has not been given yet. */
  void skipTo(long ordinal) {
    for (Channel channel : channels.values()) {
      try {
        channel.intake().skipTo(ordinal);
      } catch (IOException e) {
        failed(channel.name(), e);
      }
    }
  }

  private void extend(Channel channel) {
    channel.upkeep().deferredInBacklog().mayBeIn(keptBack.deferred());
    try {
      channel.intake().extend(journal.nextOrdinal());
    } catch (IOException e) {
      // It has the messages; only its own account is behind.
      failed(channel.name(), e);
    }
  }

  /** Looks for messages that are not due in what the channels have been given. Workers. */
  void findDeferred() {
    channels.values().forEach(c -> c.upkeep().deferredInBacklog().findFirst());
  }

  /**
   * Looks for messages that are not due in what a channel has from an ordinal on. Workers, while no
   * file is removed.
   */
  void findDeferred(Channel channel, long first) {
    DeferredInBacklog deferred = channel.upkeep().deferredInBacklog();
    try {
      // What is older than any delay is due.
      ChannelSettings settings = context.channelSettings();
      long oldestMs = settings.clock().wallMs() - settings.maxReqTimeoutMs();
      long recent = journal.ordinalAt(TimeUnit.MILLISECONDS.toNanos(oldestMs));
      deferred.mayBeIn(Math.max(first, recent), journal.nextOrdinal());
    } catch (IOException e) {
      // It is found out when they would be delivered.
      failed(channel.name(), e);
    }
    deferred.findFirst();
  }

  private void failed(String channel, IOException cause) {
    context.diskErrors().failed("TOPIC(" + topic + ") CHANNEL(" + channel + ")", cause);
  }

  // ---------------------------------------------------------------- making (workers)

  /**
   * Opens a channel that is on disk; before the topic is found.
   *
   * @param known whether the metadata file knows it
   * @param first where it begins if it has no ledger
   */
  void restore(
      String name, boolean known, long first, boolean paused, Map<String, String> handPolicy)
      throws IOException {
    Channel channel = opening.inTurn(name, known, first, handPolicy);
    if (paused) {
      channel.restorePaused();
    }
    channels.put(name, channel);
  }

  /** See {@link Topic#channel(String, boolean)}. */
  Channel getOrCreate(String name, boolean peeking) throws BrokerException {
    synchronized (state.admin) {
      Channel channel = channels.get(name);
      if (channel != null) {
        return channel;
      }
      return isShared(name) ? createShared(name, TopicLog.BY_RULE) : create(name, peeking, null);
    }
  }

  /**
   * Makes a channel that has everything from a place on. Under the admin lock, while no file is
   * removed and nothing is relocated.
   */
  Channel create(String name, TopicPositions.Place from) throws BrokerException {
    return isShared(name) ? createShared(name, from.first()) : create(name, false, from);
  }

  /** Whether others have a say in a channel: one that lasts, of a topic that they share. */
  private boolean isShared(String name) {
    return state.log != null && !DirNames.isEphemeral(name);
  }

  /** Under the admin lock. */
  private Channel createShared(String name, long from) throws BrokerException {
    opening.checkMayCreate(name, channels.size());
    try {
      state.log.createChannel(name, from);
    } catch (IOException e) {
      throw new BrokerException(e.getMessage(), e);
    }
    Channel channel = channels.get(name);
    if (channel == null) {
      // Deleted since, or somebody else leads, who knows it.
      throw new NoLeaderException("no leader for topic " + topic);
    }
    // The configuration may have been read again before it could be found.
    channel.refreshPolicies();
    if (from == TopicLog.BY_RULE) {
      channel.upkeep().deferredInBacklog().findFirst();
    } else {
      findDeferred(channel, from);
    }
    return channel;
  }

  /**
   * Those who share the topic have agreed on a channel, or had before it was led here. Topic's
   * lock.
   */
  void adopt(SharedChannel agreed, long keptFrom) throws IOException {
    Channel channel = opening.shared(agreed, keptFrom);
    channel.upkeep().deferredInBacklog().mayBeIn(keptBack.deferred());
    channels.put(agreed.name(), channel);
  }

  /** A channel is no more, as those have agreed who share the topic. Topic's lock. */
  void remove(String name) {
    Channel channel = channels.remove(name);
    if (channel != null) {
      channel.exit(true);
      context.channelDeleted(topic, name);
    }
  }

  /** Under the admin lock. */
  private Channel create(String name, boolean peeking, TopicPositions.Place from)
      throws BrokerException {
    opening.checkMayCreate(name, channels.size());
    Channel channel;
    try {
      channel = openNew(name, from);
      channel
          .consumers()
          .setPeeking(peeking && channel.isEphemeral() && !DirNames.isEphemeral(topic));
      synchronized (state.lock) {
        if (state.exiting) {
          channel.exit(true);
          throw new BrokerException("exiting");
        }
        if (!state.paused) {
          extend(channel);
        }
        channels.put(name, channel);
        if (!state.paused && takesOver()) {
          keptBack.handOver();
        }
      }
    } catch (IOException e) {
      failed(name, e);
      if (!DirNames.isEphemeral(name)) {
        context.takeBack(topic, name);
      }
      throw new BrokerException(Reasons.of(e), e);
    }
    // The configuration may have been read again before it could be found.
    channel.refreshPolicies();
    LOG.info("TOPIC({}): new channel({})", topic, name);
    context.channelCreated(topic, name);
    if (from == null) {
      channel.upkeep().deferredInBacklog().findFirst();
    } else {
      findDeferred(channel, from.first());
    }
    return channel;
  }

  /** Whether nothing is kept back any more, now that there is another channel. */
  private boolean takesOver() {
    return hasTaker() || (!keptBack.follows() && keptBack.depth() == 0 && hasAudience());
  }

  private Channel openNew(String name, TopicPositions.Place from) throws IOException {
    long first = keptBack.first();
    if (!DirNames.isEphemeral(name)) {
      // A new channel has nothing of what was to be deleted.
      context.dataDir().remove(takeLeftover(name));
    }
    try {
      return opening.open(name, false, first, from, Map.of());
    } catch (IOException e) {
      if (!context.diskErrors().makeRoom(e)) {
        throw e;
      }
      context.takeBack(topic, name);
      return opening.open(name, false, first, from, Map.of());
    }
  }

  // ---------------------------------------------------------------- deleting (workers)

  /**
   * Deletes a channel with all it has, also what a deletion that failed has left of it.
   *
   * @return false when there is none
   */
  boolean delete(String name) throws IOException {
    if (isShared(name)) {
      boolean isThere = channels.containsKey(name);
      if (isThere) {
        state.log.deleteChannel(name);
      }
      return isThere;
    }
    Path deleted;
    synchronized (state.admin) {
      Channel channel = channels.get(name);
      deleted = channel == null ? takeLeftover(name) : takeOut(channel);
      if (channel == null && deleted == null) {
        return false;
      }
    }
    context.persistMetadata(topic);
    context.dataDir().remove(deleted);
    return true;
  }

  /**
   * Deletes an ephemeral channel if its last consumer left and none came since; another one of the
   * same name stays.
   */
  void deleteUnused(Channel channel) throws IOException {
    Path deleted;
    synchronized (state.admin) {
      if (channels.get(channel.name()) != channel || !channel.subscriptions().close()) {
        return;
      }
      boolean done = false;
      try {
        deleted = takeOut(channel);
        done = true;
      } finally {
        if (!done) {
          channel.subscriptions().reopen();
        }
      }
    }
    context.persistMetadata(topic);
    context.dataDir().remove(deleted);
  }

  /**
   * What is on the disk of a channel that is none: its deletion failed. Under the admin lock;
   * returns the directory to be removed, or null.
   */
  private Path takeLeftover(String name) throws IOException {
    return state.exiting || DirNames.isEphemeral(name)
        ? null
        : context.dataDir().markChannelDeleted(topic, name);
  }

  /** Under the admin lock; returns the directory to be removed. */
  private Path takeOut(Channel channel) throws IOException {
    String name = channel.name();
    LOG.info("TOPIC({}): deleting channel({})", topic, name);
    try {
      boolean isLast =
          channels.values().stream().allMatch(c -> c == channel || c.consumers().isPeeking());
      if (isLast && keptBack.isNothing() && !state.exiting) {
        keptBack.announce();
        context.persistMetadata(topic);
      }
      synchronized (state.lock) {
        channels.remove(name);
        keptBack.channelGone(hasAudience());
      }
    } finally {
      // Also when it did not work: what is handed over is not to be taken back later.
      keptBack.endAnnouncement();
    }
    channel.exit(true);
    Path deleted = context.dataDir().markChannelDeleted(topic, name);
    context.channelDeleted(topic, name);
    return deleted;
  }

  /**
   * Ends all with the topic. Under the admin lock.
   *
   * @param deleting drops everything; otherwise everything stays for the next start
   */
  void exit(boolean deleting) {
    for (Channel channel : channels.values()) {
      channel.exit(deleting);
      if (deleting) {
        context.channelDeleted(topic, channel.name());
      }
    }
  }

  /**
   * Ends all with a topic that others share; nothing is written. Topic's lock.
   *
   * @param deleting whether it ends with all brokers
   */
  void end(boolean deleting) {
    for (Channel channel : channels.values()) {
      channel.end(deleting);
      if (deleting || channel.isEphemeral()) {
        context.channelDeleted(topic, channel.name());
      }
    }
    channels.clear();
  }

  /** The topic's directory is about to go. Under the admin lock. */
  void clear() {
    channels.clear();
  }
}
