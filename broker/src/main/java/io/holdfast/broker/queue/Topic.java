package io.holdfast.broker.queue;

import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.meters.BrokerMeters;
import io.holdfast.broker.meters.E2eLatency;
import io.holdfast.broker.meters.E2eProcessingLatency;
import io.holdfast.storage.files.NoSpaceException;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.files.SyncFailedException;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.topic.BackendQueue;
import io.holdfast.storage.topic.ChronicleBackend;
import io.holdfast.storage.topic.DirNames;
import io.holdfast.storage.topic.Metadata;
import io.holdfast.storage.topic.TopicRecovery;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A topic: writes each publish command to the journal and hands it to every channel. While it is
 * paused or has no channel it keeps the messages back ({@link #heldFrom}); they are in the journal
 * and wait there, until the first channel that lasts takes them over. An ephemeral channel gets
 * them, too, and takes nothing away: while the topic keeps a backlog and has no other channels, it
 * also keeps what comes.
 *
 * <p>{@link #lock} guards the journal's appends, the list of channels (against publishes) and
 * {@link #heldFrom}. Creating and deleting channels and the like, which work on directories, are
 * serialised by {@link #adminLock}, which is taken first. {@link #housekeepingLock}, between the
 * two, keeps the files open and in their place while housekeeping reads and removes some.
 */
public final class Topic {
  private static final Logger LOG = LoggerFactory.getLogger(Topic.class);

  /** {@link #heldFrom} of a topic that hands everything to its channels at once. */
  static final long NOTHING_HELD = TopicRecovery.NOTHING_KEPT;

  /** Journal files given back with messages carried forward in one turn of housekeeping. */
  private static final int MAX_FILES_CARRIED = 16;

  private final String name;
  private final TopicContext context;
  private final long idBase;
  private final int nodeId;
  private final ChronicleJournal journal;
  private final GuidFactory guids;
  private final int maxSectionBytes;

  private final Object adminLock = new Object();
  private final Object housekeepingLock = new Object();
  private final Object lock = new Object();

  /** By name in byte order; changed under both locks, read anywhere. */
  private final ConcurrentSkipListMap<String, Channel> channels = new ConcurrentSkipListMap<>();

  /** The first ordinal kept back from the channels, or {@link #NOTHING_HELD}. */
  private volatile long heldFrom;

  /**
   * Whether messages are kept back for the pause only: the channels that there are have had all
   * before them. Both locks.
   */
  private boolean heldByPause;

  /** What {@link #heldFrom} is about to become, for the metadata file; mostly nothing. */
  private volatile long heldFromNext = NOTHING_HELD;

  /** Ordinals that no message has, see {@link ChronicleJournal#skip}. */
  private volatile List<Metadata.Skipped> skipped = List.of();

  private volatile boolean paused;
  private volatile boolean exiting;

  /** Whether the broker is about to stop: no more messages, no more channels. */
  private volatile boolean draining;

  /** What journal and ledgers took on disk when housekeeping last looked. */
  private volatile long measuredBytes;

  /** Bytes published since; changed under the lock. */
  private volatile long bytesSinceMeasured;

  /** Whether housekeeping found no room on the disk for what it has to do. */
  private volatile boolean needsRoom;

  private volatile boolean deleted;

  /** Whether its memory was given back. Under adminLock. */
  private boolean released;

  private volatile long messageCount;
  private volatile long messageBytes;

  /** Journal's next ordinal when housekeeping last came by, and when it last moved. */
  private long seenOrdinal;

  private long lastChangeNs;
  private long seenFloor = -1;
  private final Stragglers stragglers;

  private Topic(
      String name, TopicContext context, long idBase, int nodeId, ChronicleJournal journal) {
    this.name = name;
    this.context = context;
    this.idBase = idBase;
    this.nodeId = nodeId;
    this.journal = journal;
    context.channelSettings().memory().topics().reserve(MemoryBudget.TOPIC_BYTES);
    maxSectionBytes = context.storageOptions(isEphemeral()).maxRecordBytes();
    guids = new GuidFactory(idBase, nodeId);
    lastChangeNs = context.channelSettings().clock().nanos();
    stragglers =
        new Stragglers(
            journal,
            this::carry,
            context::hasRoom,
            context.storageOptions(isEphemeral()).maxBytesPerFile());
  }

  /**
   * Makes a new topic, on disk when this returns.
   *
   * @param idBase message ids begin here
   */
  public static Topic create(String name, TopicContext context, long idBase) throws IOException {
    context.dataDir().createTopic(name);
    Topic topic = open(name, context, idBase, context.nodeId());
    topic.heldFrom = topic.journal.nextOrdinal();
    return topic;
  }

  private static Topic open(String name, TopicContext context, long idBase, int nodeId)
      throws IOException {
    ChronicleJournal journal =
        new ChronicleJournal(
            context.dataDir().journalDir(name),
            context.storageOptions(DirNames.isEphemeral(name)),
            context.syncThread());
    return new Topic(name, context, idBase, nodeId, journal);
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
    Topic topic = open(name, context, entry == null ? idBase : entry.idBase(), nodeId);
    List<String> names = context.dataDir().channels(name);
    TopicRecovery recovery =
        TopicRecovery.of(topic.journal, entry, names, context.dataDir().mayHaveLostPower());
    topic.skipped = recovery.skippedEntries();
    topic.paused = recovery.paused();
    topic.heldFrom = recovery.keptFrom();
    for (String channelName : names) {
      // A channel that was there and has no ledger any more: rather too much than too little.
      Channel channel =
          topic.openChannel(channelName, recovery.isKnown(channelName), recovery.first());
      if (recovery.isPaused(channelName)) {
        channel.restorePaused();
      }
      topic.channels.put(channelName, channel);
    }
    topic.seenOrdinal = topic.journal.nextOrdinal();
    return topic;
  }

  private Channel openChannel(String channelName, boolean known, long first) throws IOException {
    Collection<HeldMessage> held = List.of();
    BackendQueue backend;
    if (DirNames.isEphemeral(channelName)) {
      backend = ChronicleBackend.ephemeral(journal, first);
    } else {
      context.dataDir().createChannel(name, channelName);
      Path dir = context.dataDir().channelDir(name, channelName);
      ChronicleBackend durable =
          ChronicleBackend.open(dir, journal, context.syncThread(), known, first, heldFrom);
      held = durable.takeHeld();
      backend = durable;
    }
    return new Channel(
        name, channelName, context.channelSettings(), guids, backend, held, context.queueScan());
  }

  public String name() {
    return name;
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
   * @param listener called later when this returns false
   * @return true when the messages are as durable as configured now
   * @throws BrokerException when the topic is exiting or the disk refuses; nothing was published
   */
  public boolean putMessages(ByteBuffer section, int count, long deferMs, PublishListener listener)
      throws BrokerException {
    return putMessages(section, count, deferMs, 0, listener);
  }

  /**
   * As {@link #putMessages(ByteBuffer, int, long, PublishListener)}, of a command that had to wait.
   *
   * @param arrivedNs when it came, wall clock ns since 1970; 0 for now
   */
  public boolean putMessages(
      ByteBuffer section, int count, long deferMs, long arrivedNs, PublishListener listener)
      throws BrokerException {
    String refusal = context.publishRefusal();
    if (refusal == null) {
      refusal = overMaxDiskBytes(section.remaining());
    }
    if (refusal != null) {
      throw new RefusedException(refusal);
    }
    if (section.remaining() > maxSectionBytes) {
      throw new BrokerException(
          "publish of " + section.remaining() + " bytes exceeds " + maxSectionBytes);
    }
    Batch batch = new Batch(section, count, deferMs, arrivedNs);
    boolean durable;
    synchronized (lock) {
      if (exiting || draining) {
        throw new BrokerException("exiting");
      }
      messageCount += count;
      messageBytes += batch.bodyBytes();
      if (isEphemeralFull()) {
        return true;
      }
      try {
        journal.append(batch);
      } catch (IOException e) {
        messageCount -= count;
        messageBytes -= batch.bodyBytes();
        if (!(e instanceof SyncFailedException)) {
          // That one is known already, and over when a sync works again.
          context.diskErrors().failed("TOPIC(" + name + ")", e);
        }
        throw NoSpaceException.isCauseOf(e)
            ? new RefusedException(e.getMessage())
            : new BrokerException(Reasons.of(e), e);
      }
      bytesSinceMeasured += batch.sectionBytes();
      if (!paused) {
        handOver(batch);
      }
      durable = journal.whenDurable(listener);
    }
    context.published(batch.sectionBytes());
    return durable;
  }

  /** An ephemeral topic without channels keeps no more than a memory queue would. */
  private boolean isEphemeralFull() {
    return heldFrom != NOTHING_HELD && isEphemeral() && depth() >= context.memQueueSize();
  }

  private void handOver(Batch batch) {
    for (Channel channel : channels.values()) {
      try {
        channel.put(batch);
      } catch (IOException e) {
        // The journal has the messages; only this channel's own account is behind.
        context.diskErrors().failed("TOPIC(" + name + ") CHANNEL(" + channel.name() + ")", e);
      }
    }
  }

  // ---------------------------------------------------------------- channels (workers)

  /** The channel of this name, or null. Any thread. */
  public Channel existingChannel(String channelName) {
    return channels.get(channelName);
  }

  /** The channels, sorted by name; a live view. Any thread. */
  public Collection<Channel> channels() {
    return channels.values();
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
    synchronized (adminLock) {
      Channel channel = channels.get(channelName);
      if (channel != null) {
        return channel;
      }
      if (exiting || draining) {
        throw new BrokerException("exiting");
      }
      if (channels.size() >= context.maxChannels()) {
        throw new BrokerException(
            "TOPIC(" + name + ") has its limit of " + context.maxChannels() + " channels");
      }
      MemoryBudget memory = context.channelSettings().memory();
      // The first one always: without it nothing of the topic could ever be consumed.
      if (!channels.isEmpty() && !memory.hasRoomForTopic()) {
        throw new BrokerException(memory.topicsRefusal());
      }
      String refusal = DirNames.isEphemeral(channelName) ? null : context.channelRefusal();
      if (refusal != null) {
        throw new RefusedException(refusal);
      }
      long first = heldFrom == NOTHING_HELD ? journal.nextOrdinal() : heldFrom;
      try {
        channel = createChannel(channelName, first);
        channel.setPeeking(peeking && channel.isEphemeral() && !isEphemeral());
        synchronized (lock) {
          if (!paused) {
            extend(channel);
          }
          channels.put(channelName, channel);
          if (!paused && (hasTaker() || depth() == 0 && hasAudience())) {
            heldFrom = NOTHING_HELD;
          }
        }
      } catch (IOException e) {
        context.diskErrors().failed("TOPIC(" + name + ") CHANNEL(" + channelName + ")", e);
        if (!DirNames.isEphemeral(channelName)) {
          context.takeBack(name, channelName);
        }
        throw new BrokerException(Reasons.of(e), e);
      }
      LOG.info("TOPIC({}): new channel({})", name, channelName);
      context.channelCreated(name, channelName);
      return channel;
    }
  }

  private Channel createChannel(String channelName, long first) throws IOException {
    // A new channel has nothing of what was to be deleted.
    context.dataDir().remove(takeLeftover(channelName));
    try {
      return openChannel(channelName, false, first);
    } catch (IOException e) {
      if (!context.diskErrors().makeRoom(e)) {
        throw e;
      }
      context.takeBack(name, channelName);
      return openChannel(channelName, false, first);
    }
  }

  /**
   * Whether a channel takes over what the topic keeps. An ephemeral one does so only of a topic
   * that is no better: with it the messages would be gone.
   */
  private boolean hasTaker() {
    return isEphemeral()
        ? !channels.isEmpty()
        : channels.values().stream().anyMatch(channel -> !channel.isEphemeral());
  }

  /** Whether there is any channel but such whose consumers only look. */
  private boolean hasAudience() {
    return channels.values().stream().anyMatch(channel -> !channel.isPeeking());
  }

  /** Gives a channel what is in the journal and it has not been given yet. Under the lock. */
  private void extend(Channel channel) {
    try {
      channel.extend(journal.nextOrdinal());
    } catch (IOException e) {
      // It has the messages; only its own account is behind.
      context.diskErrors().failed("TOPIC(" + name + ") CHANNEL(" + channel.name() + ")", e);
    }
  }

  /**
   * Deletes a channel with all it has, also what a deletion that failed has left of it.
   *
   * @return false when there is none
   */
  public boolean deleteChannel(String channelName) throws IOException {
    Path deleted;
    synchronized (adminLock) {
      Channel channel = channels.get(channelName);
      deleted = channel == null ? takeLeftover(channelName) : takeOut(channel);
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
  public void deleteUnused(Channel channel) throws IOException {
    Path deleted;
    synchronized (adminLock) {
      if (channels.get(channel.name()) != channel || !channel.closeToConsumers()) {
        return;
      }
      boolean done = false;
      try {
        deleted = takeOut(channel);
        done = true;
      } finally {
        if (!done) {
          channel.reopenToConsumers();
        }
      }
    }
    context.persistMetadata();
    context.dataDir().remove(deleted);
  }

  /**
   * What is on the disk of a channel that is none: its deletion failed. Under adminLock; returns
   * the directory to be removed, or null.
   */
  private Path takeLeftover(String channelName) throws IOException {
    return exiting || DirNames.isEphemeral(channelName)
        ? null
        : context.dataDir().markChannelDeleted(name, channelName);
  }

  /** Under adminLock; returns the directory to be removed. */
  private Path takeOut(Channel channel) throws IOException {
    String channelName = channel.name();
    LOG.info("TOPIC({}): deleting channel({})", name, channelName);
    try {
      boolean isLast = channels.values().stream().allMatch(c -> c == channel || c.isPeeking());
      if (isLast && heldFrom == NOTHING_HELD && !exiting) {
        // On disk before it is so: from then on an OK promises what only this number remembers.
        heldFromNext = journal.nextOrdinal();
        context.persistMetadata();
      }
      synchronized (lock) {
        channels.remove(channelName);
        if (heldFromNext != NOTHING_HELD) {
          heldFrom = heldFromNext;
        }
        heldByPause &= hasAudience();
      }
    } finally {
      // Also when it did not work: what is handed over is not to be taken back later.
      heldFromNext = NOTHING_HELD;
    }
    channel.exit(true);
    Path deleted = context.dataDir().markChannelDeleted(name, channelName);
    context.channelDeleted(name, channelName);
    return deleted;
  }

  // ---------------------------------------------------------------- administration (workers)

  public boolean isPaused() {
    return paused;
  }

  /** Keeps messages back from the channels from now on; also after a restart. */
  public void pause() throws IOException {
    synchronized (adminLock) {
      synchronized (lock) {
        paused = true;
        if (heldFrom == NOTHING_HELD) {
          heldFrom = journal.nextOrdinal();
          heldByPause = true;
        }
      }
    }
    context.persistMetadata();
  }

  /** Hands over what was kept back. */
  public void unpause() throws IOException {
    synchronized (adminLock) {
      synchronized (lock) {
        paused = false;
        if (!exiting && heldFrom != NOTHING_HELD) {
          channels.values().forEach(this::extend);
          if (hasTaker() || heldByPause) {
            heldFrom = NOTHING_HELD;
          }
        }
        heldByPause = false;
      }
    }
    context.persistMetadata();
  }

  /** Drops what the topic has kept back; the channels' messages stay. */
  public void empty() throws IOException {
    synchronized (adminLock) {
      synchronized (lock) {
        if (!exiting && heldFrom != NOTHING_HELD) {
          heldFrom = journal.nextOrdinal();
          for (Channel channel : channels.values()) {
            channel.skipTo(heldFrom);
          }
          if (!paused && hasAudience()) {
            // Ephemeral ones, which get what comes from now on.
            heldFrom = NOTHING_HELD;
          }
        }
      }
    }
    context.persistMetadata();
  }

  /** Takes no more messages and has none delivered, for good. */
  public void drain() {
    synchronized (adminLock) {
      synchronized (lock) {
        draining = true;
      }
      channels.values().forEach(Channel::drain);
    }
  }

  /**
   * Ends the topic.
   *
   * @param deleting removes everything; otherwise everything stays for the next start
   */
  public void exit(boolean deleting) throws IOException {
    Path removed;
    synchronized (adminLock) {
      synchronized (lock) {
        if (deleted || (exiting && !deleting)) {
          // The directory may be another topic's of the same name by now.
          return;
        }
        exiting = true;
      }
      if (deleting) {
        retireIds();
      }
      synchronized (housekeepingLock) {
        removed = close(deleting);
      }
    }
    context.dataDir().remove(removed);
  }

  /**
   * Before the directory goes: a topic of the same name that is made after a crash must not give
   * out this one's ids again. When that cannot be written the topic stays. Under adminLock.
   */
  private void retireIds() throws IOException {
    boolean done = false;
    try {
      context.retireIds(idEnd());
      done = true;
    } finally {
      if (!done) {
        synchronized (lock) {
          exiting = false;
        }
      }
    }
  }

  /**
   * Deletes an ephemeral topic if it has no channel.
   *
   * @return whether it did
   */
  public boolean exitUnused() throws IOException {
    synchronized (adminLock) {
      if (exiting || !channels.isEmpty()) {
        return false;
      }
      exit(true);
      return true;
    }
  }

  private Path close(boolean deleting) throws IOException {
    for (Channel channel : channels.values()) {
      channel.exit(deleting);
      if (deleting) {
        context.channelDeleted(name, channel.name());
      }
    }
    synchronized (lock) {
      journal.close();
    }
    if (!released) {
      released = true;
      context.channelSettings().memory().topics().release(MemoryBudget.TOPIC_BYTES);
    }
    if (!deleting) {
      return null;
    }
    channels.clear();
    Path removed = context.dataDir().markTopicDeleted(name);
    deleted = true;
    return removed;
  }

  /** Whether it is being deleted or the broker stops. */
  public boolean isExiting() {
    return exiting;
  }

  /** Whether nobody removed the journal under the running broker. Any thread. */
  public boolean isInPlace() {
    return journal.isInPlace() || exiting;
  }

  /**
   * Removes journal files that every channel is done with, sums up ledgers, closes the files of an
   * idle topic. Housekeeping thread.
   */
  public void housekeep(long nowNs) throws IOException {
    synchronized (housekeepingLock) {
      if (!exiting) {
        housekeepOpen(nowNs);
      }
    }
  }

  private void housekeepOpen(long nowNs) throws IOException {
    long next = journal.nextOrdinal();
    long floor = backlogFrom();
    if (next != seenOrdinal || floor != seenFloor) {
      lastChangeNs = nowNs;
    }
    boolean idle = nowNs - lastChangeNs > context.idleCloseNs();
    BrokerMeters meters = context.meters();
    for (Channel channel : channels.values()) {
      long startNs = System.nanoTime();
      if (channel.housekeep(idle)) {
        meters.checkpoint().record(System.nanoTime() - startNs);
      }
    }
    needsRoom = channels.values().stream().anyMatch(Channel::isBehind);
    long startNs = System.nanoTime();
    reclaim();
    meters.reclaim().record(System.nanoTime() - startNs);
    measureDiskBytes();
    if (idle) {
      synchronized (lock) {
        if (!exiting) {
          journal.closeIdle();
        }
      }
    }
    seenOrdinal = next;
    seenFloor = floor;
  }

  /**
   * Closes the files until they are needed again, because descriptors are short. Housekeeping
   * thread.
   *
   * @param used also of a topic that was used since housekeeping last came by
   */
  public void closeCold(boolean used) {
    synchronized (housekeepingLock) {
      if (exiting || !used && journal.nextOrdinal() != seenOrdinal) {
        return;
      }
      channels.values().forEach(Channel::closeCold);
      synchronized (lock) {
        if (!exiting) {
          journal.closeIdle();
        }
      }
    }
  }

  /** See {@link ChronicleJournal#giveBackHoles}. Any thread; slow. */
  public void giveBackHoles() throws IOException {
    journal.giveBackHoles();
    for (Channel channel : channels.values()) {
      channel.giveBackHoles();
    }
  }

  /** Gives back the disk that finished messages take. */
  private void reclaim() throws IOException {
    if (isShortOfSpace()) {
      leaveFinishedFile();
    }
    long retentionMs = context.retentionMs();
    // Without retention no file is too young, not even one that was left in this very turn.
    long writtenBeforeMs =
        retentionMs == 0 ? Long.MAX_VALUE : System.currentTimeMillis() - retentionMs;
    leaveCopies();
    letGo(writtenBeforeMs);
    for (int i = 0; i < MAX_FILES_CARRIED; i++) {
      int pinnedFile = Integer.MAX_VALUE;
      for (Channel channel : channels.values()) {
        pinnedFile = Math.min(pinnedFile, channel.pinnedFile());
      }
      long neededFrom = neededFrom();
      if (journal.hasFilesBelow(neededFrom, pinnedFile)) {
        // Or a power cut would leave channels that look for what they had finished.
        for (Channel channel : channels.values()) {
          channel.force();
        }
      }
      if (journal.removeBelow(neededFrom, pinnedFile, writtenBeforeMs) > 0) {
        channels.values().forEach(Channel::journalFilesRemoved);
      }
      long nowNs = context.channelSettings().clock().nanos();
      if (!stragglers.carry(channels.values(), backlogFrom(), writtenBeforeMs, nowNs)) {
        return;
      }
    }
  }

  /** Nobody but ephemeral channels that are late may be what keeps a journal file. */
  private void letGo(long writtenBeforeMs) throws IOException {
    List<Channel> ephemeral = channels.values().stream().filter(Channel::isEphemeral).toList();
    if (ephemeral.isEmpty()) {
      return;
    }
    List<Channel> lasting = channels.values().stream().filter(c -> !c.isEphemeral()).toList();
    boolean shortOfSpace = isShortOfSpace();
    long needed = neededFrom(lasting);
    boolean keepsFile =
        journal.hasFilesBelow(needed, Integer.MAX_VALUE)
            && journal.isWrittenBefore(journal.oldestFile(), writtenBeforeMs);
    if (keepsFile || shortOfSpace) {
      for (Channel channel : ephemeral) {
        channel.letGo(needed, shortOfSpace);
      }
    }
  }

  /** No message below is needed where it was published. */
  private long neededFrom() {
    return neededFrom(channels.values());
  }

  private long neededFrom(Collection<Channel> by) {
    long from = backlogFrom(by);
    for (Channel channel : by) {
      from = Math.min(from, channel.neededFrom());
    }
    return from;
  }

  private long backlogFrom() {
    return backlogFrom(channels.values());
  }

  /** From this ordinal on the topic or one of these has everything in the journal only. */
  private long backlogFrom(Collection<Channel> of) {
    synchronized (lock) {
      long from = heldFrom == NOTHING_HELD ? journal.nextOrdinal() : heldFrom;
      long next = heldFromNext;
      if (next != NOTHING_HELD) {
        from = Math.min(from, next);
      }
      for (Channel channel : of) {
        from = Math.min(from, channel.backlogFrom());
      }
      return from;
    }
  }

  private MessageRef carry(MessageView message) throws IOException {
    synchronized (lock) {
      return exiting ? null : journal.carry(message);
    }
  }

  private void measureDiskBytes() {
    if (context.maxDiskBytesPerTopic() > 0) {
      long before;
      synchronized (lock) {
        before = bytesSinceMeasured;
      }
      measuredBytes = diskBytes();
      synchronized (lock) {
        // What was published while it was measured counts twice until the next time.
        bytesSinceMeasured -= before;
      }
    }
  }

  /** Why this topic takes no more, null when it does; exact between two measurements, too. */
  private String overMaxDiskBytes(long moreBytes) {
    long maxBytes = context.maxDiskBytesPerTopic();
    long bytes = measuredBytes + bytesSinceMeasured;
    return maxBytes == 0 || bytes + moreBytes <= maxBytes
        ? null
        : "TOPIC("
            + name
            + ") takes "
            + bytes
            + " bytes on disk, max-disk-bytes-per-topic is "
            + maxBytes;
  }

  /** Whether publishing is refused for want of space, which finished messages may take. */
  private boolean isShortOfSpace() {
    return context.publishRefusal() != null || overMaxDiskBytes(maxSectionBytes) != null;
  }

  /**
   * On a disk that is short of space: gets out of a journal file in which all is finished, so that
   * it can go. Otherwise the newest file stays, as it keeps the count of messages.
   */
  private void leaveFinishedFile() {
    try {
      synchronized (lock) {
        if (exiting) {
          return;
        }
        if (heldFrom == NOTHING_HELD) {
          // They have had every message; what is left are ordinals that no message has.
          for (Channel channel : channels.values()) {
            channel.skipTo(journal.nextOrdinal());
          }
        }
        if (neededFrom() >= journal.nextOrdinal() && journal.leaveFile()) {
          LOG.debug("TOPIC({}): left a finished file", name);
        }
      }
    } catch (IOException e) {
      needsRoom = true;
      context.diskErrors().failed("TOPIC(" + name + ")", e);
    }
  }

  /** When all is finished, copies carried forward must not keep the files before them. */
  private void leaveCopies() throws IOException {
    if (!journal.endsInCopies()) {
      return;
    }
    try {
      synchronized (lock) {
        if (!exiting && neededFrom() >= journal.nextOrdinal()) {
          journal.leaveCopies();
        }
      }
    } catch (NoSpaceException e) {
      // What can go without goes all the same.
      context.diskErrors().failed("TOPIC(" + name + ")", e);
    }
  }

  /** Whether the disk has no room for what brings space back: ledgers are behind. Any thread. */
  public boolean needsRoom() {
    return needsRoom;
  }

  /** What the metadata file is to say; null for a topic that the next start will not have. */
  public Metadata.TopicEntry metadata() {
    if (isEphemeral() || deleted) {
      return null;
    }
    List<Metadata.ChannelEntry> entries = new ArrayList<>();
    for (Map.Entry<String, Channel> channel : channels.entrySet()) {
      if (!channel.getValue().isEphemeral()) {
        entries.add(new Metadata.ChannelEntry(channel.getKey(), channel.getValue().isPaused()));
      }
    }
    // Read once, and before the other: both change beside this.
    long next = heldFromNext;
    long from = next == NOTHING_HELD ? heldFrom : next;
    long skippedTo = skipped.isEmpty() ? 0 : skipped.get(skipped.size() - 1).to();
    return new Metadata.TopicEntry(name, idBase, paused, from, entries, skippedTo, nodeId, skipped);
  }

  /**
   * Looks at what the journal holds from a place on, finished or not, and changes nothing. Reads
   * the disk: not on an event loop.
   *
   * @param max messages at most
   * @param maxBodyBytes of each body
   * @param maxBytes of all bodies together, the first of which comes anyway
   */
  public Peeked peek(Position from, int max, int maxBodyBytes, long maxBytes) throws IOException {
    synchronized (housekeepingLock) {
      return exiting
          ? new Peeked(List.of(), Peeked.NONE)
          : new TopicPeek(journal, guids).read(from, max, maxBodyBytes, maxBytes);
    }
  }

  /**
   * Looks at the first messages of one of the topic's channels, see {@link Channel#first}; changes
   * nothing. Reads the disk: not on an event loop.
   */
  public List<PeekedMessage> peek(
      Channel channel, Waiting.State state, int max, int maxBodyBytes, long maxBytes)
      throws IOException {
    synchronized (housekeepingLock) {
      if (exiting) {
        return List.of();
      }
      long nowMs = context.channelSettings().clock().wallMs();
      return new TopicPeek(journal, guids)
          .read(channel.first(state, max), maxBodyBytes, maxBytes, nowMs);
    }
  }

  // ---------------------------------------------------------------- figures (any thread)

  /** Messages kept back from the channels. */
  public long depth() {
    long from = heldFrom;
    if (from == NOTHING_HELD) {
      return 0;
    }
    long next = journal.nextOrdinal();
    return Math.max(0, next - from - journal.skipped().overlap(from, next));
  }

  /** As {@link #depth}: what a topic keeps back waits in the journal, nothing of it in memory. */
  public long backendDepth() {
    return depth();
  }

  /** Messages accepted since the start of the process. */
  public long messageCount() {
    return messageCount;
  }

  /** Bytes of their bodies. */
  public long messageBytes() {
    return messageBytes;
  }

  /** One above every message id ever given out. */
  public long idEnd() {
    return idBase + journal.nextOrdinal();
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
    long bytes = journal.diskBytes();
    for (Channel channel : channels.values()) {
      bytes += channel.diskBytes();
    }
    return bytes;
  }

  /** Publish-to-FIN latency over all channels. */
  public E2eLatency e2eProcessingLatency() {
    List<E2eProcessingLatency> all = new ArrayList<>();
    for (Channel channel : channels.values()) {
      all.add(channel.latency());
    }
    return E2eProcessingLatency.merged(all);
  }
}
