package io.holdfast.broker.core;

import io.holdfast.broker.config.Durability;
import io.holdfast.broker.config.HostName;
import io.holdfast.broker.config.LogLevel;
import io.holdfast.broker.config.Logging;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.limits.Descriptors;
import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.limits.OutOfMemoryExit;
import io.holdfast.broker.meters.BrokerMeters;
import io.holdfast.broker.meters.E2eProcessingLatency;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.ChannelSettings;
import io.holdfast.broker.queue.DeliveryPacing;
import io.holdfast.broker.queue.PublishLimits;
import io.holdfast.broker.queue.QueueScan;
import io.holdfast.broker.queue.RefusedException;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.queue.TopicContext;
import io.holdfast.broker.queue.Topology;
import io.holdfast.broker.wire.ClientV2;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.NoSpaceException;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.files.SyncFailedException;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.storage.topic.DirNames;
import io.holdfast.storage.topic.Metadata;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The topics, and what they share: data directory, sync, scan and housekeeping threads, health.
 * Knows nothing of sockets: the server puts the listeners in front of it.
 */
public final class Broker implements TopicContext {
  private static final Logger LOG = LoggerFactory.getLogger(Broker.class);
  private static final long HOUSEKEEPING_MS = 500;
  private static final int WORKERS = 4;
  private static final long MIN_FILE_BYTES = 1 << 20;
  private static final int FILES_IN_BOUND = 8;
  private static final long STOP_WAIT_MS = 2000;

  /** How often a creation looks for descriptors: it takes some, and the look some time. */
  private static final int CREATIONS_PER_LOOK = 16;

  /** What Chronicle, a reader and the blocks ahead need for the files of a log in use. */
  private static final int FILES_PER_LOG = 4;

  /** Without another disk error for so long the last one may be over. */
  private static final long RECHECK_NS = TimeUnit.SECONDS.toNanos(2);

  /** Changed under {@link #optionsLock}. */
  private volatile Options options;

  private final Object optionsLock = new Object();
  private final DataDir dataDir;
  private final MemoryBudget memory;
  private final Metadata metadata;
  private final SyncThread syncThread;
  private final QueueScan queueScan;
  private final ChannelSettings channelSettings;
  private final ExecutorService workers;
  private final ScheduledExecutorService housekeeping;
  private final MetadataWriter metadataWriter;
  private final DiskGuard diskGuard;
  private final Health health;
  private final BrokerMeters meters = new BrokerMeters();
  private final long startTimeMs = System.currentTimeMillis();
  private final long startNs = System.nanoTime();

  /** By name in byte order. Entries are added under {@link #topicsLock}. */
  private final ConcurrentSkipListMap<String, Topic> topics = new ConcurrentSkipListMap<>();

  private final Object topicsLock = new Object();

  /** Topics that somebody began to make. */
  private final AtomicInteger creations = new AtomicInteger();

  /** Topics whose entry is being written; nobody finds them yet. Under {@link #topicsLock}. */
  private final Map<String, Topic> creating = new TreeMap<>();

  /** Topics that are about to be: their channels are asked for, or they are being created. */
  private final Map<String, CompletableFuture<Topic>> wanted = new ConcurrentHashMap<>();

  private final Set<ClientV2> producers = ConcurrentHashMap.newKeySet();
  private volatile TopologyListener topologyListener = TopologyListener.NONE;
  private volatile String diskError;
  private volatile long lastDiskErrorNs;
  private volatile boolean exiting;

  /** Whether all topics are open, so that what is known is all there is. */
  private volatile boolean restored;

  private volatile int tcpPort = -1;
  private volatile int httpPort = -1;

  /** Topics' id bases begin at or above this. {@link #topicsLock}. */
  private long nextIdBase;

  /** Told of topics and channels that come and go: nsqlookupd's side. Must not block. */
  public interface TopologyListener {
    /** Nobody is interested. */
    TopologyListener NONE =
        new TopologyListener() {
          @Override
          public void topicCreated(String topic) {
            // Nobody is interested.
          }

          @Override
          public void topicDeleted(String topic) {
            // Nobody is interested.
          }

          @Override
          public void channelCreated(String topic, String channel) {
            // Nobody is interested.
          }

          @Override
          public void channelDeleted(String topic, String channel) {
            // Nobody is interested.
          }

          @Override
          public CompletableFuture<? extends Collection<String>> channelsOf(String topic) {
            return CompletableFuture.completedFuture(List.of());
          }

          @Override
          public void lookupdAddressesChanged(List<String> addresses) {
            // Nobody is interested.
          }
        };

    void topicCreated(String topic);

    void topicDeleted(String topic);

    void channelCreated(String topic, String channel);

    void channelDeleted(String topic, String channel);

    /** The channels that a new topic is to begin with, once the nsqlookupds have answered. */
    CompletableFuture<? extends Collection<String>> channelsOf(String topic);

    /** The nsqlookupds were replaced at run time. */
    void lookupdAddressesChanged(List<String> addresses);
  }

  /**
   * Opens the data directory and every topic in it.
   *
   * @throws IOException in one line for the user: in use, of a later version, not readable
   */
  public Broker(Options options) throws IOException {
    this(options, Disk.LOCAL);
  }

  /**
   * Opens the data directory alone, which is soon done; {@link #restore} opens the topics.
   *
   * @throws IOException in one line for the user, as {@link #Broker(Options)}
   */
  public static Broker unrestored(Options options) throws IOException {
    return new Broker(options, DataDir.open(options.dataPath(), Disk.LOCAL));
  }

  /**
   * @param disk where the data directory is; a test's knows more than the machine's
   */
  Broker(Options options, Disk disk) throws IOException {
    this(options, DataDir.open(options.dataPath(), disk));
    restore();
    health.running();
  }

  private Broker(Options options, DataDir dataDir) throws IOException {
    this.options = options;
    this.dataDir = dataDir;
    memory = MemoryBudget.ofThisJvm(options.maxInputBytes(), options.maxTotalOutputBytes());
    LOG.info("{}", memory.describe());
    boolean opened = false;
    try {
      metadata = dataDir.readMetadata();
      opened = true;
    } finally {
      if (!opened) {
        dataDir.close();
      }
    }
    nextIdBase = metadata.nextIdBase();
    syncThread = new SyncThread(options.syncTimeoutMs());
    syncThread.onForced(meters.sync()::record);
    ChannelSettings.Clock clock = ChannelSettings.Clock.system();
    queueScan = new QueueScan(clock);
    double[] quantiles =
        options.e2eProcessingLatencyPercentiles().stream().mapToDouble(q -> q).toArray();
    long windowNs = TimeUnit.MILLISECONDS.toNanos(options.e2eProcessingLatencyWindowTimeMs());
    channelSettings =
        new ChannelSettings(
            options.memQueueSize(),
            options.memQueueBytes(),
            options.maxDeferred(),
            options.maxChannelConsumers(),
            TimeUnit.MILLISECONDS.toNanos(options.maxMsgTimeoutMs()),
            options.maxReqTimeoutMs(),
            clock,
            bound -> ThreadLocalRandom.current().nextInt(bound),
            () -> E2eProcessingLatency.create(quantiles, windowNs, System::nanoTime),
            new Topology(
                options.topologyZone(),
                options.topologyRegion(),
                options.isTopologyAwareConsumption()),
            new DeliveryPacing(clock, options.eventLoopThreads()),
            diskErrors,
            this::persistMetadata,
            memory);
    workers = Executors.newFixedThreadPool(WORKERS, daemon("worker"));
    housekeeping = Executors.newSingleThreadScheduledExecutor(daemon("housekeeping"));
    metadataWriter = new MetadataWriter(this::writeMetadata);
    diskGuard = new DiskGuard(dataDir, options);
    health = new Health(this::recoveryState, this::inFlightCount, this::diskState);
  }

  /**
   * Opens every topic. Once, before anything else is asked of this broker but its {@link #health}.
   *
   * @throws IOException in one line for the user; the broker is of no use then
   */
  public void restore() throws IOException {
    if (dataDir.mayHaveUnforcedFiles()) {
      syncThread.forceLeftBehind(dataDir.root());
    }
    restoreTopics();
    try {
      metadataWriter.write();
      // Only now: which ordinals a power cut may have cost is on the disk.
      dataDir.markSettled();
    } catch (IOException e) {
      if (!NoSpaceException.isCauseOf(e)) {
        throw e;
      }
      // Housekeeping will write it; consumers, who bring space back, need not wait for that.
      diskFailed("metadata", e);
    }
    diskGuard.check(topics.values());
    restored = true;
    housekeeping.scheduleWithFixedDelay(
        this::housekeep, HOUSEKEEPING_MS, HOUSEKEEPING_MS, TimeUnit.MILLISECONDS);
    daemon("holes").newThread(() -> giveBackHoles(List.copyOf(topics.values()))).start();
  }

  /** Of files that a copy left without holes; nothing waits for it. */
  private static void giveBackHoles(List<Topic> restoredTopics) {
    for (Topic topic : restoredTopics) {
      try {
        topic.giveBackHoles();
      } catch (IOException e) {
        LOG.warn("TOPIC({}): its files keep the zeros they have: {}", topic.name(), Reasons.of(e));
      }
    }
  }

  private static ThreadFactory daemon(String name) {
    AtomicInteger number = new AtomicInteger();
    return task -> {
      Thread thread = new Thread(task, name + "-" + number.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  private void restoreTopics() throws IOException {
    List<Future<Topic>> opening = new ArrayList<>();
    for (String name : dataDir.topics()) {
      Metadata.TopicEntry entry = entryOf(name);
      long idBase;
      synchronized (topicsLock) {
        idBase = entry == null ? newIdBase() : entry.idBase();
      }
      opening.add(workers.submit(() -> Topic.restore(name, this, entry, idBase)));
    }
    for (Future<Topic> future : opening) {
      try {
        Topic topic = future.get();
        topics.put(topic.name(), topic);
      } catch (ExecutionException e) {
        OutOfMemoryExit.check(e);
        throw new IOException("cannot open the data path: " + Reasons.of(e.getCause()), e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while opening the data path", e);
      }
    }
    if (dataDir.mayHaveLostPower() && !topics.isEmpty()) {
      LOG.info(
          "the machine stopped under the last broker: each topic leaves out {} ordinals, which"
              + " messages that were lost with power may have had",
          ChronicleJournal.MAX_LOST);
    }
    LOG.info("data path {}: {} topics", dataDir.root(), topics.size());
    logDescriptors();
  }

  private Metadata.TopicEntry entryOf(String topic) {
    if (metadata.topics() != null) {
      for (Metadata.TopicEntry entry : metadata.topics()) {
        if (topic.equals(entry.name())) {
          return entry;
        }
      }
    }
    return null;
  }

  // ---------------------------------------------------------------- topics

  /** The topic of this name, or null. Any thread. */
  public Topic existingTopic(String name) {
    return topics.get(name);
  }

  /** The topics, sorted by name; a live view. Any thread. */
  public Collection<Topic> topics() {
    return topics.values();
  }

  /**
   * The topic of this name, created if need be. Waits for disks and nsqlookupds: for threads that
   * are neither event loops nor workers.
   */
  public Topic topic(String name) throws BrokerException {
    try {
      return topicLater(name).join();
    } catch (CompletionException e) {
      throw BrokerException.of(e);
    }
  }

  /**
   * The topic of this name, created if need be. No thread waits for a nsqlookupd that is slow or
   * hangs: only this topic is late then. Whoever asks for the same topic meanwhile gets the same.
   *
   * @return fails with a {@link BrokerException}
   */
  public CompletableFuture<Topic> topicLater(String name) {
    Topic topic = topics.get(name);
    if (topic != null) {
      return CompletableFuture.completedFuture(topic);
    }
    if (health.isStopping()) {
      return CompletableFuture.failedFuture(new BrokerException("exiting"));
    }
    CompletableFuture<Topic> mine = new CompletableFuture<>();
    CompletableFuture<Topic> others = wanted.putIfAbsent(name, mine);
    if (others != null) {
      return others;
    }
    CompletableFuture.supplyAsync(() -> topologyListener.channelsOf(name), workers)
        .thenCompose(channels -> channels)
        .thenApplyAsync(channels -> create(name, channels), workers)
        .whenComplete(
            (created, failure) -> {
              wanted.remove(name, mine);
              if (failure == null) {
                mine.complete(created);
              } else {
                mine.completeExceptionally(BrokerException.of(failure));
              }
            });
    return mine;
  }

  private Topic create(String name, Collection<String> channels) {
    try {
      return createNow(name, channels);
    } catch (BrokerException e) {
      throw new CompletionException(e);
    }
  }

  private Topic createNow(String name, Collection<String> channels) throws BrokerException {
    makeDescriptorRoom();
    Topic topic;
    synchronized (topicsLock) {
      awaitCreation(name);
      topic = topics.get(name);
      if (topic != null) {
        return topic;
      }
      if (exiting || health.isStopping()) {
        throw new BrokerException("exiting");
      }
      String refusal = diskGuard.creationRefusal();
      if (refusal != null) {
        throw new RefusedException(refusal);
      }
      if (topics.size() + creating.size() >= options.maxTopics()) {
        throw new BrokerException(
            "the limit of " + options.maxTopics() + " topics is reached (max-topics)");
      }
      if (!memory.hasRoomForTopic()) {
        throw new BrokerException(memory.topicsRefusal());
      }
      try {
        topic = Topic.create(name, this, newIdBase());
      } catch (IOException e) {
        diskFailed("TOPIC(" + name + ")", e);
        takeBack(name, null);
        throw new BrokerException(Reasons.of(e), e);
      }
      for (String channel : channels) {
        try {
          topic.channel(channel);
        } catch (BrokerException e) {
          LOG.error("TOPIC({}): channel({}) of nsqlookupd: {}", name, channel, e.getMessage());
        }
      }
      creating.put(name, topic);
    }
    try {
      if (!DirNames.isEphemeral(name)) {
        // Before anybody finds it and publishes: after a crash messages must have the same ids.
        metadataWriter.write();
      }
    } catch (IOException e) {
      // Housekeeping will write it.
      diskFailed("TOPIC(" + name + ")", e);
    } finally {
      created(topic);
    }
    LOG.info("TOPIC({}): created", name);
    topologyListener.topicCreated(name);
    return topic;
  }

  /** Waits while another thread creates the topic of this name. Under {@link #topicsLock}. */
  private void awaitCreation(String name) {
    boolean interrupted = false;
    while (creating.containsKey(name)) {
      try {
        topicsLock.wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Everybody may find the topic. */
  private void created(Topic topic) {
    synchronized (topicsLock) {
      topics.put(topic.name(), topic);
      creating.remove(topic.name());
      topicsLock.notifyAll();
    }
  }

  /** Microseconds since 2024, and above every id given out before. Under {@link #topicsLock}. */
  private long newIdBase() {
    nextIdBase = Metadata.newIdBase(nextIdBase, System.currentTimeMillis());
    return nextIdBase;
  }

  /**
   * Deletes a topic with all it has. Not on an event loop.
   *
   * @return false when there is none
   */
  public boolean deleteTopic(String name) throws IOException {
    Topic topic = topics.get(name);
    if (topic == null) {
      return false;
    }
    LOG.info("TOPIC({}): deleting", name);
    topic.exit(true);
    return forget(topic);
  }

  /** Gives the name of a deleted topic free; false when somebody else did. */
  private boolean forget(Topic topic) throws IOException {
    String name = topic.name();
    if (!topic.isEphemeral()) {
      // Before the name is free again: a new topic must not find the old one's entry after a crash.
      metadataWriter.write();
    }
    if (!topics.remove(name, topic)) {
      return false;
    }
    topologyListener.topicDeleted(name);
    return true;
  }

  /**
   * A consumer has left: an ephemeral channel ends with its last one, an ephemeral topic with its
   * last channel. Any thread.
   */
  public void consumerLeft(Channel channel) {
    if (!channel.isEphemeral() || !channel.clients().isEmpty() || exiting) {
      return;
    }
    workers.execute(
        () -> {
          try {
            Topic topic = topics.get(channel.topicName());
            if (topic == null || topic.existingChannel(channel.name()) != channel) {
              return;
            }
            topic.deleteUnused(channel);
            if (topic.isEphemeral() && topic.exitUnused()) {
              forget(topic);
            }
          } catch (IOException e) {
            diskFailed("CHANNEL(" + channel.name() + ")", e);
          }
        });
  }

  // ---------------------------------------------------------------- clients

  /** The open TCP connections that ever published. Any thread. */
  public Collection<ClientV2> producers() {
    return producers;
  }

  /** For work that blocks; never run it on an event loop. */
  public Executor workers() {
    return workers;
  }

  // ---------------------------------------------------------------- settings and figures

  /** The options now; some change at run time. */
  public Options options() {
    return options;
  }

  /** Changes the log level; a lower-case name. */
  public void setLogLevel(String level) {
    Logging.setLevel(level);
    LogLevel.parse(level).ifPresent(parsed -> changeOptions(now -> now.withLogLevel(parsed)));
  }

  /** Replaces the nsqlookupds to register with. */
  public void setLookupdTcpAddresses(List<String> addresses) {
    changeOptions(now -> now.withLookupdTcpAddresses(addresses));
    topologyListener.lookupdAddressesChanged(addresses);
  }

  /** Flags and file were read again, and what changed was set: it comes from there now. */
  public void reloaded(Options fresh) {
    changeOptions(now -> now.reloaded(fresh));
  }

  /** How the JVM's memory is divided. */
  public MemoryBudget memory() {
    return memory;
  }

  /** This machine's name. */
  public String hostname() {
    return HostName.ofThisMachine();
  }

  /** Where clients connect, -1 for a unix socket. */
  public int tcpPort() {
    return tcpPort;
  }

  /** Where HTTP is served, -1 for a unix socket or nowhere. */
  public int httpPort() {
    return httpPort;
  }

  /**
   * The listeners are open: the options show their ports from now on.
   *
   * @param prefix makes statsd's prefix of options with the ports
   */
  public void listening(int tcp, int http, Function<Options, String> prefix) {
    tcpPort = tcp;
    httpPort = http;
    changeOptions(now -> now.listening(tcp, http, prefix));
  }

  private void changeOptions(UnaryOperator<Options> change) {
    synchronized (optionsLock) {
      options = change.apply(options);
    }
  }

  /** Who is told of topics and channels; set before the listeners open. */
  public void setTopologyListener(TopologyListener listener) {
    topologyListener = listener;
  }

  /** For how long the broker runs, ms, whatever became of the clock. */
  public long uptimeMs() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
  }

  /** When the broker started, ms since 1970. */
  public long startTimeMs() {
    return startTimeMs;
  }

  /** What is wrong, for "NOK - ..."; null when nothing is. */
  public String healthError() {
    String refusal = diskGuard.refusal();
    if (refusal != null) {
      return refusal;
    }
    String syncError = syncThread.error();
    return syncError != null ? syncError : diskError;
  }

  /** Where the broker is in its life, and whether it can serve. */
  public Health health() {
    return health;
  }

  private Health.State recoveryState() {
    return restored
        ? Health.State.OK
        : Health.State.failed("opening the data path: " + topics.size() + " topics so far");
  }

  /** A full disk is a warning: what brings space back needs the broker. */
  private Health.State diskState() {
    String gone = diskGuard.gone();
    String broken =
        gone != null ? gone : syncThread.error() != null ? syncThread.error() : diskError;
    if (broken != null) {
      return Health.State.failed(broken);
    }
    String refusal = diskGuard.refusal();
    return refusal == null ? Health.State.OK : Health.State.warning(refusal);
  }

  private final ChannelSettings.DiskErrors diskErrors =
      new ChannelSettings.DiskErrors() {
        @Override
        public void failed(String what, IOException cause) {
          diskFailed(what, cause);
        }

        @Override
        public boolean makeRoom(IOException cause) {
          return NoSpaceException.isCauseOf(cause) && diskGuard.giveUpSpare(cause.getMessage());
        }
      };

  private void diskFailed(String what, IOException cause) {
    if (NoSpaceException.isCauseOf(cause)) {
      // One line when it begins and one when it ends, whatever is refused in between.
      diskGuard.full(cause.getMessage());
      LOG.debug("{}: disk is full", what, cause);
      return;
    }
    if (cause instanceof SyncFailedException) {
      // The sync thread has reported it, and knows when it is over.
      return;
    }
    String text = Reasons.of(cause);
    if (!text.equals(diskError)) {
      // Once per kind of error, not once per message.
      LOG.error("{}: disk error: {}", what, text, cause);
    }
    diskError = text;
    lastDiskErrorNs = System.nanoTime();
  }

  /** Whether an error is over is found out without anybody's publish. Housekeeping thread. */
  private void recheckDisk() {
    if (diskError == null || System.nanoTime() - lastDiskErrorNs < RECHECK_NS) {
      return;
    }
    try {
      metadataWriter.write();
      published();
    } catch (IOException e) {
      diskFailed("metadata", e);
    }
  }

  // ---------------------------------------------------------------- TopicContext

  @Override
  public DataDir dataDir() {
    return dataDir;
  }

  @Override
  public SyncThread syncThread() {
    return syncThread;
  }

  @Override
  public QueueScan queueScan() {
    return queueScan;
  }

  @Override
  public ChannelSettings channelSettings() {
    return channelSettings;
  }

  @Override
  public BrokerMeters meters() {
    return meters;
  }

  @Override
  public ChannelSettings.DiskErrors diskErrors() {
    return diskErrors;
  }

  @Override
  public StorageOptions storageOptions(boolean ephemeral) {
    return new StorageOptions(
        journalFileBytes(),
        PublishLimits.maxSectionBytes(options.maxMsgSize(), options.maxBodySize()),
        options.durability() == Durability.SYNCED && !ephemeral,
        ephemeral ? 0 : options.syncEvery());
  }

  /** Files so small that a topic under a bound on its disk gives back some while it is consumed. */
  private long journalFileBytes() {
    long maxBytes = options.maxDiskBytesPerTopic();
    if (maxBytes == 0 || options.maxDiskBytes() > 0 && options.maxDiskBytes() < maxBytes) {
      maxBytes = options.maxDiskBytes();
    }
    return maxBytes == 0
        ? options.maxBytesPerFile()
        : Math.min(options.maxBytesPerFile(), Math.max(MIN_FILE_BYTES, maxBytes / FILES_IN_BOUND));
  }

  @Override
  public int nodeId() {
    return options.nodeId();
  }

  @Override
  public int memQueueSize() {
    return options.memQueueSize();
  }

  @Override
  public int maxChannels() {
    return options.maxChannels();
  }

  @Override
  public long idleCloseNs() {
    return TimeUnit.MILLISECONDS.toNanos(options.idleCloseMs());
  }

  @Override
  public long retentionMs() {
    return options.retentionMs();
  }

  @Override
  public long maxDiskBytesPerTopic() {
    return options.maxDiskBytesPerTopic();
  }

  @Override
  public boolean hasRoom(long bytes) {
    return diskGuard.hasRoom(bytes);
  }

  @Override
  public String publishRefusal() {
    return diskGuard.refusal();
  }

  @Override
  public String channelRefusal() {
    return diskGuard.channelRefusal();
  }

  @Override
  public void published(long bytes) {
    diskGuard.published(bytes);
    published();
  }

  @Override
  public void published() {
    if (diskError != null) {
      LOG.info("writing to {} works again", dataDir.root());
      diskError = null;
    }
  }

  @Override
  public void channelCreated(String topic, String channel) {
    topologyListener.channelCreated(topic, channel);
    // For an ephemeral channel, too: it may have taken over what the topic kept.
    if (!DirNames.isEphemeral(topic)) {
      metadataWriter.writeSoon(workers);
    }
  }

  @Override
  public void channelDeleted(String topic, String channel) {
    topologyListener.channelDeleted(topic, channel);
  }

  @Override
  public void persistMetadata() throws IOException {
    metadataWriter.write();
  }

  @Override
  public void retireIds(long idEnd) throws IOException {
    synchronized (topicsLock) {
      nextIdBase = Math.max(nextIdBase, idEnd);
    }
    metadataWriter.write();
  }

  private void writeMetadata() throws IOException {
    try {
      dataDir.writeMetadata(snapshotMetadata());
    } catch (IOException e) {
      // Deleting, which brings space back, begins with this file.
      if (!NoSpaceException.isCauseOf(e) || !diskGuard.giveUpSpare(e.getMessage())) {
        throw e;
      }
      dataDir.writeMetadata(snapshotMetadata());
    }
  }

  @Override
  public void takeBack(String topic, String channel) {
    try {
      dataDir.takeBack(topic, channel);
    } catch (IOException e) {
      LOG.error("half of TOPIC({}) CHANNEL({}) is left: {}", topic, channel, Reasons.of(e));
    }
  }

  private Metadata snapshotMetadata() {
    Set<Topic> all;
    synchronized (topicsLock) {
      all = new LinkedHashSet<>(creating.values());
    }
    // Afterwards: who is no longer being created by now is found here.
    all.addAll(topics.values());
    List<Metadata.TopicEntry> entries = new ArrayList<>();
    for (Topic topic : all) {
      Metadata.TopicEntry entry = topic.metadata();
      if (entry != null) {
        entries.add(entry);
      }
    }
    synchronized (topicsLock) {
      return new Metadata(DataDir.FORMAT_VERSION, nextIdBase, entries);
    }
  }

  // ---------------------------------------------------------------- housekeeping and end

  private void housekeep() {
    try {
      long nowNs = channelSettings.clock().nanos();
      diskGuard.check(topics.values());
      housekeepTopics(nowNs);
      closeCold();
      if (topics.values().stream().anyMatch(Topic::needsRoom)
          && diskGuard.giveUpSpare("no space left on device: " + dataDir.root())) {
        housekeepTopics(nowNs);
      }
      if (metadataWriter.isBehind()) {
        metadataWriter.writeSoon(workers);
      }
      recheckDisk();
    } catch (RuntimeException | Error e) {
      // Whatever it was, this thread has to go on.
      LOG.error("housekeeping failed", e);
    }
  }

  /** Closes files that are in no use, and if that is not enough, all. Housekeeping thread. */
  private void closeCold() {
    for (int round = 0; round < 2 && Descriptors.areShort(); round++) {
      for (Topic topic : topics.values()) {
        topic.closeCold(round > 0);
      }
    }
  }

  /** Topics may be made faster than housekeeping comes by. Not on an event loop, without locks. */
  private void makeDescriptorRoom() throws BrokerException {
    if (creations.incrementAndGet() % CREATIONS_PER_LOOK != 0 || !Descriptors.areShort()) {
      return;
    }
    try {
      housekeeping.submit(this::closeCold).get();
    } catch (RejectedExecutionException e) {
      throw new BrokerException("exiting", e);
    } catch (ExecutionException e) {
      LOG.error("cold files cannot be closed", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void logDescriptors() {
    long logs = topics.size();
    for (Topic topic : topics.values()) {
      logs += topic.channels().size();
    }
    LOG.info(
        "file descriptors: at most {}; {} topics with {} channels would take {} if all were in use"
            + " at once, cold ones are closed from half of it on",
        Descriptors.limit(),
        topics.size(),
        logs - topics.size(),
        logs * FILES_PER_LOG);
  }

  private void housekeepTopics(long nowNs) {
    for (Topic topic : topics.values()) {
      try {
        topic.housekeep(nowNs);
      } catch (IOException e) {
        if (!topic.isExiting()) {
          diskFailed("TOPIC(" + topic.name() + ")", e);
        }
      }
    }
  }

  /**
   * Takes no more messages and delivers none; what is in flight can still be answered. For good.
   */
  public void drain() {
    synchronized (topicsLock) {
      health.stopping();
      List.copyOf(creating.keySet()).forEach(this::awaitCreation);
    }
    topics.values().forEach(Topic::drain);
  }

  /** Messages that consumers have and did not answer. */
  public long inFlightCount() {
    long count = 0;
    for (Topic topic : topics.values()) {
      for (Channel channel : topic.channels()) {
        count += channel.inFlightCount();
      }
    }
    return count;
  }

  /**
   * Stops: takes nothing more, sums everything up, gives the data directory free. Nothing that a
   * crash would lose is left to do here; it makes the next start quick. The listeners are closed
   * already.
   */
  public void exit() {
    synchronized (topicsLock) {
      if (exiting) {
        return;
      }
      exiting = true;
      List.copyOf(creating.keySet()).forEach(this::awaitCreation);
    }
    health.stopping();
    if (!restored) {
      abandon();
      return;
    }
    housekeeping.shutdown();
    try {
      if (!housekeeping.awaitTermination(STOP_WAIT_MS, TimeUnit.MILLISECONDS)) {
        LOG.warn("housekeeping is still busy");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    try {
      metadataWriter.write();
    } catch (IOException e) {
      LOG.error("metadata cannot be written", e);
    }
    for (Topic topic : topics.values()) {
      try {
        topic.exit(false);
      } catch (IOException e) {
        LOG.error("TOPIC({}): cannot be closed", topic.name(), e);
      }
    }
    queueScan.close();
    workers.shutdown();
    try {
      // A deletion that is under way still writes to the data directory.
      if (!workers.awaitTermination(STOP_WAIT_MS, TimeUnit.MILLISECONDS)) {
        LOG.warn("workers are still busy");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    syncThread.close();
    try {
      if (syncThread.allForced() && !metadataWriter.isBehind()) {
        dataDir.markClean();
      }
      dataDir.close();
    } catch (IOException e) {
      LOG.error("data path {} cannot be closed", dataDir.root(), e);
    }
  }

  /** Ends what could not be opened: what is not known must not be written, nor called clean. */
  private void abandon() {
    housekeeping.shutdownNow();
    queueScan.close();
    workers.shutdownNow();
    try {
      if (workers.awaitTermination(STOP_WAIT_MS, TimeUnit.MILLISECONDS)) {
        syncThread.close();
        dataDir.close();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      LOG.error("data path {} cannot be closed", dataDir.root(), e);
    }
  }
}
