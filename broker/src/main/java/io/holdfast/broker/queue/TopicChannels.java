package io.holdfast.broker.queue;

import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.limits.MemoryPart;
import io.holdfast.broker.meters.E2eLatency;
import io.holdfast.broker.meters.E2eProcessingLatency;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.topic.BackendQueue;
import io.holdfast.storage.topic.ChannelBackends;
import io.holdfast.storage.topic.ChronicleBackend;
import io.holdfast.storage.topic.DirNames;
import io.holdfast.storage.topic.Metadata;
import io.holdfast.storage.values.HeldMessage;
import java.io.IOException;
import java.nio.file.Files;
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
  private final GuidFactory guids;
  private final KeptBack keptBack;

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
    this.guids = guids;
    this.keptBack = keptBack;
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
      channels.values().forEach(this::extend);
      keptBack.unpause(hasTaker());
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
    Channel channel = openInTurn(name, known, first, handPolicy);
    if (paused) {
      channel.restorePaused();
    }
    channels.put(name, channel);
  }

  /**
   * A start opens several topics at once: where a channel may take a good part of the memory for
   * deferred messages, it is to see what the one before it took.
   */
  private Channel openInTurn(String name, boolean known, long first, Map<String, String> handPolicy)
      throws IOException {
    MemoryPart references = context.channelSettings().memory().deferred();
    Path dir = context.dataDir().channelDir(topic, name);
    long ledgerBytes = Files.isDirectory(dir) ? DurableFiles.allocatedBytesIn(dir) : 0;
    if (!DeferredMessages.mayTakeMuch(references, ledgerBytes)) {
      return open(name, known, first, null, handPolicy);
    }
    synchronized (references) {
      return open(name, known, first, null, handPolicy);
    }
  }

  private Channel open(
      String name,
      boolean known,
      long first,
      TopicPositions.Place from,
      Map<String, String> handPolicy)
      throws IOException {
    Collection<HeldMessage> held = List.of();
    BackendQueue backend;
    if (DirNames.isEphemeral(name)) {
      backend = ChannelBackends.ephemeral(journal, first);
    } else {
      context.dataDir().createChannel(topic, name);
      Path dir = context.dataDir().channelDir(topic, name);
      ChronicleBackend durable =
          from == null
              ? ChannelBackends.open(
                  dir,
                  journal,
                  context.syncThread(),
                  known,
                  first,
                  keptBack.forMetadata(),
                  DeferredMessages.roomToRestore(context.channelSettings().memory().deferred()))
              : ChannelBackends.openFrom(
                  dir,
                  journal,
                  context.syncThread(),
                  from.first(),
                  from.relocations(),
                  keptBack.forMetadata());
      durable.onFormat2(context.dataDir().format()::needNewest);
      held = durable.takeHeld();
      backend = durable;
    }
    return new Channel(topic, name, context, guids, backend, held, handPolicy);
  }

  /** See {@link Topic#channel(String, boolean)}. */
  Channel getOrCreate(String name, boolean peeking) throws BrokerException {
    synchronized (state.admin) {
      Channel channel = channels.get(name);
      return channel != null ? channel : create(name, peeking, null);
    }
  }

  /**
   * Makes a channel that has everything from a place on. Under the admin lock, while no file is
   * removed and nothing is relocated.
   */
  Channel create(String name, TopicPositions.Place from) throws BrokerException {
    return create(name, false, from);
  }

  /** Under the admin lock. */
  private Channel create(String name, boolean peeking, TopicPositions.Place from)
      throws BrokerException {
    checkMayCreate(name);
    Channel channel;
    try {
      channel = openNew(name, from);
      channel
          .consumers()
          .setPeeking(peeking && channel.isEphemeral() && !DirNames.isEphemeral(topic));
      synchronized (state.lock) {
        if (!state.paused) {
          extend(channel);
        }
        channels.put(name, channel);
        if (!state.paused && (hasTaker() || (keptBack.depth() == 0 && hasAudience()))) {
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

  private void checkMayCreate(String name) throws BrokerException {
    if (state.isEnding()) {
      throw new BrokerException("exiting");
    }
    if (channels.size() >= context.maxChannels()) {
      throw new BrokerException(
          "TOPIC(" + topic + ") has its limit of " + context.maxChannels() + " channels");
    }
    MemoryBudget memory = context.channelSettings().memory();
    // The first one always: without it nothing of the topic could ever be consumed.
    if (!channels.isEmpty() && !memory.hasRoomForTopic()) {
      throw new BrokerException(memory.topicsRefusal());
    }
    String refusal = DirNames.isEphemeral(name) ? null : context.channelRefusal();
    if (refusal != null) {
      throw new RefusedException(refusal);
    }
  }

  private Channel openNew(String name, TopicPositions.Place from) throws IOException {
    long first = keptBack.first();
    // A new channel has nothing of what was to be deleted.
    context.dataDir().remove(takeLeftover(name));
    try {
      return open(name, false, first, from, Map.of());
    } catch (IOException e) {
      if (!context.diskErrors().makeRoom(e)) {
        throw e;
      }
      context.takeBack(topic, name);
      return open(name, false, first, from, Map.of());
    }
  }

  // ---------------------------------------------------------------- deleting (workers)

  /**
   * Deletes a channel with all it has, also what a deletion that failed has left of it.
   *
   * @return false when there is none
   */
  boolean delete(String name) throws IOException {
    Path deleted;
    synchronized (state.admin) {
      Channel channel = channels.get(name);
      deleted = channel == null ? takeLeftover(name) : takeOut(channel);
      if (channel == null && deleted == null) {
        return false;
      }
    }
    context.persistMetadata();
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
    context.persistMetadata();
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
        context.persistMetadata();
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

  /** The topic's directory is about to go. Under the admin lock. */
  void clear() {
    channels.clear();
  }
}
