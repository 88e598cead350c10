package io.holdfast.broker.queue;

import io.holdfast.broker.meters.E2eLatency;
import io.holdfast.broker.policy.TopicPolicy;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.topic.DirNames;
import io.holdfast.storage.topic.Metadata;
import io.holdfast.storage.topic.TopicRecovery;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * A topic: writes each publish command to the journal and hands it to every channel, or keeps it
 * back ({@link KeptBack}). What it has channels for is in {@link TopicChannels}, how the disk comes
 * back in {@link Reclaimer}; {@link TopicState} has the locks. Changes of one that other brokers
 * share go through its {@link TopicLog} and come back to its {@link SharedTopic}.
 */
public final class Topic {
  private final String name;
  private final TopicContext context;
  private final ChronicleJournal journal;
  private final GuidFactory guids;

  private final TopicState state;
  private final KeptBack keptBack;
  private final TopicChannels channels;
  private final TopicPublishing publishing;
  private final TopicAdmin admin;

  /** Null for a topic of this broker alone. */
  private final SharedPublishing sharedPublishing;

  private final TopicUpkeep upkeep;
  private final UpkeepTurns turns;
  private final TopicReplay replay;
  private final TopicEnd end;
  private final PolicyInForce<TopicPolicy> policy;

  /** Ordinals that no message has, see {@link ChronicleJournal#skip}. */
  private volatile List<Metadata.Skipped> skipped = List.of();

  /**
   * @param keptFrom the first ordinal that is kept back, or {@link KeptBack#NOTHING}
   * @param handPolicy what was set by hand
   */
  private Topic(
      String name,
      TopicContext context,
      GuidFactory guids,
      ChronicleJournal journal,
      TopicState state,
      long keptFrom,
      Map<String, String> handPolicy) {
    this.name = name;
    this.context = context;
    this.guids = guids;
    this.journal = journal;
    this.state = state;
    boolean isShared = state.log != null;
    context.channelSettings().memory().topicOpened();
    keptBack = new KeptBack(journal, keptFrom, isShared);
    channels = new TopicChannels(name, context, state, journal, guids, keptBack);
    policy =
        new PolicyInForce<>(
            byHand -> context.policies().ofTopic(name, byHand),
            handPolicy,
            () -> context.persistMetadata(name));
    DiskQuota quota = new DiskQuota(name, context::maxDiskBytesPerTopic);
    publishing =
        new TopicPublishing(name, context, state, journal, keptBack, channels, quota, policy);
    admin = new TopicAdmin(context, state, keptBack, channels, policy);
    sharedPublishing = isShared ? new SharedPublishing(context, state, policy, publishing) : null;
    upkeep =
        isShared
            ? new SharedUpkeep(context, state, journal, channels.all(), quota)
            : new Reclaimer(
                name, context, state, journal, keptBack, channels.all(), quota, policy::get);
    turns = new UpkeepTurns(name, journal::nextOrdinal, channels.all());
    TopicPositions positions = new TopicPositions(name, journal, guids);
    end = new TopicEnd(name, context, state, journal, guids, channels, upkeep);
    replay = new TopicReplay(state, journal, positions, channels, upkeep);
  }

  /**
   * Makes a new topic, on disk when this returns.
   *
   * @param idBase message ids begin here
   */
  public static Topic create(String name, TopicContext context, long idBase) throws IOException {
    context.dataDir().createTopic(name);
    ChronicleJournal journal = openJournal(name, context);
    GuidFactory guids = new GuidFactory(idBase, context.nodeId());
    return new Topic(
        name, context, guids, journal, new TopicState(), journal.nextOrdinal(), Map.of());
  }

  private static ChronicleJournal openJournal(String name, TopicContext context)
      throws IOException {
    return new ChronicleJournal(
        context.dataDir().journalDir(name),
        context.storageOptions(DirNames.isEphemeral(name)),
        context.syncThread());
  }

  /**
   * Opens a topic that is on disk, with its channels.
   *
   * @param entry what the metadata file says of it, null when nothing
   * @param idBase for a topic that the metadata file does not know
   */
  public static Topic restore(
      String name, TopicContext context, Metadata.TopicEntry entry, long idBase)
      throws IOException {
    context.dataDir().createTopic(name);
    // What makes the ids of stored messages stays, whatever this host is called now.
    int nodeId = entry == null || entry.nodeId() == null ? context.nodeId() : entry.nodeId();
    GuidFactory guids = new GuidFactory(entry == null ? idBase : entry.idBase(), nodeId);
    ChronicleJournal journal = openJournal(name, context);
    List<String> names = context.dataDir().channels(name);
    TopicRecovery recovery =
        TopicRecovery.of(journal, entry, names, context.dataDir().mayHaveLostPower());
    Map<String, String> handPolicy = entry == null ? Map.of() : entry.policy();
    Topic topic =
        new Topic(name, context, guids, journal, new TopicState(), recovery.keptFrom(), handPolicy);
    topic.skipped = recovery.skippedEntries();
    topic.state.paused = recovery.paused();
    for (String channel : names) {
      // A channel that was there and has no ledger any more: rather too much than too little.
      topic.channels.restore(
          channel,
          recovery.isKnown(channel),
          recovery.first(),
          recovery.isPaused(channel),
          recovery.policy(channel));
    }
    synchronized (topic.state.lock) {
      // What was dropped before may not have been written down.
      topic.publishing.bounds().makeRoom(topic.policy.get());
    }
    return topic;
  }

  /** See {@link SharedTopic#open}. */
  static SharedTopic shared(SharedTopic.Parts parts, TopicContext context) {
    TopicState state = new TopicState(parts.lock(), parts.log());
    state.paused = parts.paused();
    Topic topic =
        new Topic(
            parts.name(),
            context,
            new GuidFactory(parts.idBase(), parts.nodeId()),
            parts.journal(),
            state,
            parts.keptFrom(),
            parts.policy());
    return new SharedTopic(
        topic,
        context,
        topic.keptBack,
        topic.channels,
        topic.sharedPublishing,
        topic.admin,
        topic.end);
  }

  public String name() {
    return name;
  }

  /** Whether other brokers share it: then a publish is never as durable as configured at once. */
  public boolean isShared() {
    return sharedPublishing != null;
  }

  /** Whether it ends with its last channel. */
  public boolean isEphemeral() {
    return DirNames.isEphemeral(name);
  }

  // ---------------------------------------------------------------- publishing (any thread)

  /**
   * Publishes the messages of one command, all or none.
   *
   * @param section count times int32 length and body from position to limit, checked by the caller;
   *     not kept, not changed
   * @param count at least 1
   * @param deferMs delay from now, 0 for none
   * @param arrivedNs when a command came that had to wait, wall clock ns since 1970; 0 for now
   * @param listener called when this returns false, later or in the call
   * @return true when the messages are as durable as configured now
   * @throws BrokerException when the topic is exiting or the disk refuses; nothing was published
   */
  public boolean putMessages(
      ByteBuffer section, int count, long deferMs, long arrivedNs, PublishListener listener)
      throws BrokerException {
    if (sharedPublishing == null) {
      return publishing.put(section, count, deferMs, arrivedNs, listener);
    }
    sharedPublishing.put(section, count, deferMs, arrivedNs, listener);
    return false;
  }

  // ---------------------------------------------------------------- channels (workers)

  /** The channel of this name, or null. Any thread. */
  public Channel existingChannel(String channelName) {
    return channels.get(channelName);
  }

  /** The channels, sorted by name; a live view. Any thread. */
  public Collection<Channel> channels() {
    return channels.all();
  }

  /**
   * The channel of this name, created if need be. The first one that lasts takes over what the
   * topic has kept, an ephemeral one gets it as well. Works on directories, so not on an event
   * loop.
   */
  public Channel channel(String channelName) throws BrokerException {
    return channel(channelName, false);
  }

  /**
   * As {@link #channel(String)}.
   *
   * @param peeking for a consumer that only looks: a new ephemeral channel counts as none for what
   *     the topic keeps, of what is to come as well
   */
  public Channel channel(String channelName, boolean peeking) throws BrokerException {
    return channels.getOrCreate(channelName, peeking);
  }

  /**
   * The channel of this name; a new one has everything from a place on.
   *
   * @param from also for the first channel of a topic: it does not get more that the topic kept
   * @throws UnknownMessageException when that names a message that there never was
   */
  public Channel channel(String channelName, Position from) throws BrokerException, IOException {
    return replay.channel(channelName, from);
  }

  /**
   * Puts a channel to another position: it has exactly what there is from there on, as if never
   * delivered. On disk when this returns; a kill leaves the old position or the new one.
   *
   * @throws UnknownMessageException when that names a message that there never was
   * @throws BrokerException when the topic ends, or there is no such channel
   * @throws IOException when the disk refuses
   */
  public Rewound rewind(String channelName, Position to) throws BrokerException, IOException {
    return replay.rewind(channelName, to);
  }

  /** See {@link TopicChannels#delete}. */
  public boolean deleteChannel(String channelName) throws IOException {
    return channels.delete(channelName);
  }

  /** See {@link TopicChannels#deleteUnused}. */
  public void deleteUnused(Channel channel) throws IOException {
    channels.deleteUnused(channel);
  }

  // ---------------------------------------------------------------- administration (workers)

  public boolean isPaused() {
    return state.paused;
  }

  /** Keeps messages back from the channels from now on; also after a restart. */
  public void pause() throws IOException {
    admin.pause();
  }

  /** Hands over what was kept back. */
  public void unpause() throws IOException {
    admin.unpause();
  }

  /** Drops what the topic has kept back; the channels' messages stay. */
  public void empty() throws IOException {
    admin.empty();
  }

  /** The policy in force. Any thread. */
  public TopicPolicy policy() {
    return policy.get();
  }

  /** What was set by hand: field to value as text; cannot be changed. Any thread. */
  public Map<String, String> handPolicy() {
    return policy.byHand();
  }

  /**
   * Sets what was set by hand: in force at once, and on disk when this returns.
   *
   * @throws IOException when the disk refuses; all is as it was then
   */
  public void setHandPolicy(Map<String, String> byHand) throws IOException {
    admin.setHandPolicy(byHand);
  }

  /** The configuration of policies may have changed: also of its channels'. */
  public void refreshPolicies() {
    policy.refresh();
    channels.all().forEach(Channel::refreshPolicies);
  }

  /** Takes no more messages and has none delivered, for good. */
  public void drain() {
    synchronized (state.admin) {
      synchronized (state.lock) {
        state.draining = true;
      }
      channels.all().forEach(Channel::drain);
    }
  }

  /**
   * Ends the topic.
   *
   * @param deleting removes everything; otherwise everything stays for the next start
   */
  public void exit(boolean deleting) throws IOException {
    end.exit(deleting);
  }

  /** See {@link TopicEnd#exitUnused}. */
  public boolean exitUnused() throws IOException {
    return end.exitUnused();
  }

  /** Whether it is being deleted or the broker stops. */
  public boolean isExiting() {
    return state.exiting;
  }

  /** Whether nobody removed the journal under the running broker. Any thread. */
  public boolean isInPlace() {
    return journal.isInPlace() || state.exiting;
  }

  /** What the metadata file is to say; null for a topic that the next start will not have. */
  public Metadata.TopicEntry metadata() {
    if (isEphemeral() || isShared() || state.deleted) {
      return null;
    }
    // Before the channels: they say who has taken over what is not kept back any more.
    long keptFrom = keptBack.forMetadata();
    List<Metadata.ChannelEntry> entries = channels.metadata();
    long skippedTo = skipped.isEmpty() ? 0 : skipped.get(skipped.size() - 1).to();
    return new Metadata.TopicEntry(
        name,
        guids.idBase(),
        state.paused,
        keptFrom,
        entries,
        skippedTo,
        guids.nodeId(),
        skipped,
        policy.byHand());
  }

  // ---------------------------------------------------------------- housekeeping

  /** See {@link UpkeepTurns#isDue}. */
  public boolean needsHousekeeping() {
    return turns.isDue();
  }

  /** See {@link TopicUpkeep#housekeep}. */
  public void housekeep(long nowNs) throws IOException {
    upkeep.housekeep(nowNs);
    boolean hasOut =
        channels.all().stream().anyMatch(channel -> channel.deadLetters().outCount() > 0);
    if (hasOut) {
      context.deadLettersToBePublished();
    }
    turns.done(!hasOut && !upkeep.needsRoom());
  }

  /** See {@link TopicUpkeep#closeCold}. */
  public void closeCold(boolean used) {
    upkeep.closeCold(used);
  }

  /** See {@link TopicUpkeep#needsRoom}. */
  public boolean needsRoom() {
    return upkeep.needsRoom();
  }

  /** See {@link TopicUpkeep#giveBackHoles}. */
  public void giveBackHoles() throws IOException {
    upkeep.giveBackHoles();
  }

  // ---------------------------------------------------------------- figures (any thread)

  /** Looks at its messages, and those of its channels. */
  public TopicPeek peek() {
    return new TopicPeek(journal, guids, upkeep, state, context.channelSettings().clock());
  }

  /** Messages kept back from the channels. */
  public long depth() {
    return keptBack.depth();
  }

  /** As {@link #depth}: what a topic keeps back waits in the journal, nothing of it in memory. */
  public long backendDepth() {
    return depth();
  }

  /** Messages accepted since the start of the process. */
  public long messageCount() {
    return publishing.messageCount();
  }

  /** Bytes of their bodies. */
  public long messageBytes() {
    return publishing.messageBytes();
  }

  /** Messages that {@code drop_oldest} took since the start of the process, each counted once. */
  public long droppedCount() {
    return publishing.bounds().droppedCount();
  }

  /** Messages refused as the topic was full, since the start of the process. */
  public long rejectedCount() {
    return publishing.bounds().rejectedCount();
  }

  /** One above every message id ever given out. */
  public long idEnd() {
    return guids.idBase() + journal.nextOrdinal();
  }

  /** Bytes that the journal takes on disk. */
  public long journalBytes() {
    return journal.diskBytes();
  }

  /** Files of the journal. */
  public int journalFiles() {
    return journal.diskFiles();
  }

  /** Bytes that journal and ledgers take on disk. */
  public long diskBytes() {
    return upkeep.diskBytes();
  }

  /** Publish-to-FIN latency over all channels. */
  public E2eLatency e2eProcessingLatency() {
    return channels.e2eProcessingLatency();
  }
}
