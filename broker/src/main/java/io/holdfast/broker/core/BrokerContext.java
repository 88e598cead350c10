package io.holdfast.broker.core;

import io.holdfast.broker.config.Durability;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.meters.BrokerMeters;
import io.holdfast.broker.meters.E2eProcessingLatency;
import io.holdfast.broker.policy.BadPolicyException;
import io.holdfast.broker.policy.PolicyBook;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.ChannelSettings;
import io.holdfast.broker.queue.DeadLetterMover;
import io.holdfast.broker.queue.DeliveryPacing;
import io.holdfast.broker.queue.PublishLimits;
import io.holdfast.broker.queue.QueueScan;
import io.holdfast.broker.queue.TopicContext;
import io.holdfast.broker.queue.Topics;
import io.holdfast.broker.queue.Topology;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.log.SpareFiles;
import io.holdfast.storage.redo.RedoLog;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.storage.topic.DirNames;
import io.holdfast.storage.topic.Metadata;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What topics get of their broker: the options in the form in which they need them, the threads
 * that serve all of them, and the disk.
 */
final class BrokerContext implements TopicContext, Topics.Admission {
  private static final Logger LOG = LoggerFactory.getLogger(BrokerContext.class);
  private static final long MIN_FILE_BYTES = 1 << 20;
  private static final int FILES_IN_BOUND = 8;

  /** Of all topics together: half a GiB by default, while some are busy. */
  private static final int SPARE_FILES = 8;

  /** What a smaller file spares the system is nothing. */
  private static final long SPARE_FILE_BYTES = 1 << 20;

  private final Options options;
  private final DataDir dataDir;
  private final DiskGuard diskGuard;
  private final SpareFiles spareFiles;
  private final BrokerMeters meters = new BrokerMeters();
  private final SyncThread syncThread;
  private final QueueScan queueScan;
  private final DiskHealth diskHealth;
  private final ChannelSettings channelSettings;
  private final Topics topics;
  private final MetadataStore metadata;
  private final Housekeeper housekeeper;
  private final DeadLetterMover deadLetters;
  private final PolicyBook policies;

  /**
   * Starts the threads that serve all topics.
   *
   * @param memory what all channels share
   * @param known what the metadata file says
   */
  BrokerContext(
      Options options, DataDir dataDir, MemoryBudget memory, Executor workers, Metadata known)
      throws IOException {
    this.options = options;
    this.dataDir = dataDir;
    try {
      policies = new PolicyBook(options);
    } catch (BadPolicyException e) {
      throw new IOException(e.getMessage(), e);
    }
    spareFiles = new SpareFiles(SPARE_FILES, SPARE_FILE_BYTES, this::mayUseFilesAgain);
    diskGuard = new DiskGuard(dataDir, options, spareFiles);
    syncThread = new SyncThread(options.syncTimeoutMs());
    syncThread.onForced(meters.sync()::record);
    syncThread.share(dataDir.redoLog(), RedoLog.LEAST_JOURNALS);
    ChannelSettings.Clock clock = ChannelSettings.Clock.system();
    queueScan = new QueueScan(clock);
    diskHealth = new DiskHealth(diskGuard, syncThread);
    channelSettings = settingsOf(options, clock, memory);
    topics = new Topics(this, this, workers, known);
    metadata = new MetadataStore(dataDir, diskGuard, topics.inFile(), workers);
    deadLetters = new DeadLetterMover(topics, workers, clock);
    housekeeper = new Housekeeper(this, topics, diskGuard, diskHealth, metadata);
  }

  private ChannelSettings settingsOf(
      Options options, ChannelSettings.Clock clock, MemoryBudget memory) {
    double[] quantiles =
        options.e2eProcessingLatencyPercentiles().stream().mapToDouble(q -> q).toArray();
    long windowNs = TimeUnit.MILLISECONDS.toNanos(options.e2eProcessingLatencyWindowTimeMs());
    return new ChannelSettings(
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
            options.topologyZone(), options.topologyRegion(), options.isTopologyAwareConsumption()),
        new DeliveryPacing(clock, options.eventLoopThreads()),
        diskHealth,
        this::persistMetadata,
        memory);
  }

  Topics topics() {
    return topics;
  }

  /** Looks at the disk, before housekeeping does. */
  void checkDisk() {
    diskGuard.check(topics.all());
  }

  /** As {@link Broker#freeBytes}. */
  long freeBytes() {
    return diskGuard.freeBytes();
  }

  /** See {@link DiskGuard#sharedLimitBytes}. */
  long sharedDiskLimitBytes() {
    return diskGuard.sharedLimitBytes();
  }

  DiskHealth diskHealth() {
    return diskHealth;
  }

  MetadataStore metadata() {
    return metadata;
  }

  Housekeeper housekeeper() {
    return housekeeper;
  }

  // ---------------------------------------------------------------- creating topics

  @Override
  public int maxTopics() {
    return options.maxTopics();
  }

  @Override
  public void makeRoom() throws BrokerException {
    housekeeper.makeDescriptorRoom();
  }

  @Override
  public String refusal() {
    return diskGuard.creationRefusal();
  }

  // ---------------------------------------------------------------- what topics share

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
  public PolicyBook policies() {
    return policies;
  }

  @Override
  public void deadLettersToBePublished() {
    deadLetters.wake();
  }

  @Override
  public BrokerMeters meters() {
    return meters;
  }

  // ---------------------------------------------------------------- options

  @Override
  public StorageOptions storageOptions(boolean ephemeral) {
    return new StorageOptions(
            journalFileBytes(),
            PublishLimits.maxSectionBytes(options.maxMsgSize(), options.maxBodySize()),
            options.durability() == Durability.SYNCED && !ephemeral,
            ephemeral ? 0 : options.syncEvery())
        .with(isDiskBounded() ? SpareFiles.none() : spareFiles);
  }

  private boolean isDiskBounded() {
    // Whoever sets it means all that there is on the disk; spare files are in no topic's figure.
    return options.maxDiskBytes() > 0 || options.maxDiskBytesPerTopic() > 0;
  }

  private boolean mayUseFilesAgain() {
    if (diskGuard.refusal() != null) {
      return false;
    }
    // Brokers of 1.0 would take what is in them for damaged.
    dataDir.format().needNewest();
    return dataDir.format().isNewestOnDisk();
  }

  /** Files so small that a topic under a bound on its disk gives back some while it is consumed. */
  private long journalFileBytes() {
    long maxBytes = options.maxDiskBytesPerTopic();
    if (maxBytes == 0 || (options.maxDiskBytes() > 0 && options.maxDiskBytes() < maxBytes)) {
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

  // ---------------------------------------------------------------- the disk

  @Override
  public ChannelSettings.DiskErrors diskErrors() {
    return diskHealth;
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
  public String sharedPublishRefusal() {
    return diskGuard.sharedRefusal();
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
    diskHealth.works();
  }

  @Override
  public void takeBack(String topic, String channel) {
    try {
      dataDir.takeBack(topic, channel);
    } catch (IOException e) {
      LOG.error("half of TOPIC({}) CHANNEL({}) is left: {}", topic, channel, Reasons.of(e));
    }
  }

  // ---------------------------------------------------------------- topics and channels

  @Override
  public void channelCreated(String topic, String channel) {
    topics.listener().channelCreated(topic, channel);
    // For an ephemeral channel, too: it may have taken over what the topic kept.
    if (!DirNames.isEphemeral(topic)) {
      metadata.writeSoon(topic);
    }
  }

  @Override
  public void channelDeleted(String topic, String channel) {
    topics.listener().channelDeleted(topic, channel);
  }

  @Override
  public void persistMetadata() throws IOException {
    metadata.write();
  }

  @Override
  public void persistMetadata(String topic) throws IOException {
    metadata.write(topic);
  }

  @Override
  public void retireIds(long idEnd) throws IOException {
    topics.retireIds(idEnd);
  }
}
