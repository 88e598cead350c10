package io.holdfast.broker.queue;

import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.meters.BrokerMeters;
import io.holdfast.broker.meters.E2eProcessingLatency;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.storage.topic.DataFormat;
import io.holdfast.storage.topic.DirNames;
import io.holdfast.storage.topic.Metadata;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What topics need of their broker, with a clock that stands still until it is moved, and without
 * threads of its own: what workers, scan and housekeeping do in a broker happens when asked. One
 * thread.
 */
final class SimulatedBroker
    implements TopicContext, Topics.Admission, ChannelSettings.Clock, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SimulatedBroker.class);
  static final long MAX_MSG_TIMEOUT_MS = 10_000;
  private static final long MAX_REQ_TIMEOUT_MS = 3_600_000;

  /** Before the time that id bases count from: what keeps them apart is what is remembered. */
  static final long EPOCH_MS = 1_700_000_000_000L;

  static final int NODE_ID = 7;
  static final int MAX_CHANNELS = 4;
  private static final int MAX_RECORD_BYTES = 40_000;
  private static final int MAX_TOPICS = 100;

  /** Between two advances: a busy event loop's share of up to 100 ms. */
  private static final int SENDS_ELSEWHERE = 41;

  /** Where a process dies that was told to. */
  static final class SimulatedCrash extends RuntimeException {
    SimulatedCrash() {
      super("killed", null, false, false);
    }
  }

  private final Path root;
  private final Random random;
  private final SimulationSettings simulation;
  private final SyncThread syncThread = new SyncThread(3_600_000);
  private final ChannelSettings settings;
  private final BrokerMeters meters = new BrokerMeters();
  private DataDir dataDir;
  private QueueScan scan;
  private long nowMs = 1;
  private Topics topics;

  final FixedPolicies policies = new FixedPolicies();
  final List<IOException> diskErrors = new ArrayList<>();

  /** Messages that sampling consumers did not want, since the start of the run. */
  long sampledOut;

  /** Whether other topics' deliveries keep the event loop busy, so that messages are held. */
  boolean busy;

  /** Whether some channel came to be that the metadata file does not know yet. */
  boolean metadataDue;

  /**
   * Killed processes' topics: kept, so that nothing of them is closed before the end of the run.
   */
  private final List<Topic> dead = new ArrayList<>();

  /** What the metadata file says. */
  private Metadata persisted = new Metadata(DataFormat.FIRST, 0, List.of());

  private int writesToCrash;
  private boolean crashAfterWrite;

  SimulatedBroker(Path root, SimulationSettings simulation, Random random) throws IOException {
    this.root = root;
    this.random = random;
    this.simulation = simulation;
    dataDir = DataDir.open(root);
    // The machine does not stop in the simulation, only the process.
    dataDir.markSettled();
    settings =
        new ChannelSettings(
            simulation.memQueueSize(),
            simulation.memQueueBytes(),
            simulation.maxDeferred(),
            0,
            TimeUnit.MILLISECONDS.toNanos(MAX_MSG_TIMEOUT_MS),
            MAX_REQ_TIMEOUT_MS,
            this,
            this::dice,
            () -> E2eProcessingLatency.NONE,
            new Topology("", "", false),
            new DeliveryPacing(this, 1),
            (what, cause) -> diskErrors.add(cause),
            this::persistMetadata,
            MemoryBudget.ofThisJvm(0, 0));
    policies.channel = simulation.channel();
    policies.topic = simulation.topic();
    scan = new QueueScan(this, false);
    topics = new Topics(this, this, Runnable::run, persisted);
    topics.open();
  }

  private int dice(int bound) {
    int drawn = random.nextInt(bound);
    if (drawn >= SimulationSettings.SAMPLE_RATE) {
      sampledOut++;
    }
    return drawn;
  }

  // ---------------------------------------------------------------- as Broker does

  Topics topics() {
    return topics;
  }

  /** The topic of this name, or null. */
  Topic topic(String name) {
    return topics.existing(name);
  }

  /** Creates a topic; its id base. */
  long createTopic(String name) throws BrokerException {
    return topics.create(name, List.of()).idEnd();
  }

  void deleteTopic(String name) throws IOException {
    topics.delete(name);
  }

  void housekeep(boolean idle) throws IOException {
    for (Topic topic : topics.all()) {
      topic.housekeep(nanos() + (idle ? 2 * idleCloseNs() : 0));
    }
  }

  /** As a worker does when there are dead letters for a topic. */
  void moveDeadLetters() {
    new DeadLetterMover(topics, Runnable::run, this).wake();
  }

  /** An orderly stop. */
  void stop() {
    topics.exit();
    persistMetadata();
    topics.close();
  }

  /** A new process: opens what is on the disk. The old one was stopped, or is dead from now on. */
  void start() throws IOException {
    // What a broker leaves to others is done at once.
    begin(Runnable::run).open();
    persistMetadata();
    dataDir.markSettled();
  }

  /** A new process that has opened no topic yet. */
  Topics begin(Executor workers) throws IOException {
    dead.addAll(topics.all());
    calm();
    dataDir.close();
    dataDir = DataDir.open(root);
    scan = new QueueScan(this, false);
    topics = new Topics(this, this, workers, persisted);
    return topics;
  }

  /** The entry in the metadata file; null when there is none. */
  Metadata.TopicEntry persistedEntry(String topic) {
    return persisted.topics().stream()
        .filter(entry -> entry.name().equals(topic))
        .findFirst()
        .orElse(null);
  }

  /** Dies in the nth writing of the metadata file from now on, before or after it. */
  void crashInWrite(int nth, boolean after) {
    writesToCrash = nth;
    crashAfterWrite = after;
  }

  void calm() {
    writesToCrash = 0;
  }

  void advance(long ms) {
    nowMs += ms;
    for (int i = 0; busy && i < SENDS_ELSEWHERE; i++) {
      settings.pacing().delivered(DeliveryPacing.ENOUGH_MESSAGES - 1, nanos());
    }
    scan.scan(nanos());
  }

  long nowMs() {
    return nowMs;
  }

  // ---------------------------------------------------------------- Clock, TopicContext

  @Override
  public BrokerMeters meters() {
    return meters;
  }

  @Override
  public long nanos() {
    return TimeUnit.MILLISECONDS.toNanos(nowMs);
  }

  @Override
  public long wallMs() {
    return EPOCH_MS + nowMs;
  }

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
    return scan;
  }

  @Override
  public ChannelSettings channelSettings() {
    return settings;
  }

  @Override
  public ChannelSettings.DiskErrors diskErrors() {
    return settings.diskErrors();
  }

  @Override
  public StorageOptions storageOptions(boolean ephemeral) {
    return new StorageOptions(
        simulation.fileBytes(),
        MAX_RECORD_BYTES,
        false,
        0,
        () -> TimeUnit.MILLISECONDS.toNanos(wallMs()));
  }

  @Override
  public FixedPolicies policies() {
    return policies;
  }

  @Override
  public int nodeId() {
    return NODE_ID;
  }

  @Override
  public int memQueueSize() {
    return settings.memQueueSize();
  }

  @Override
  public int maxChannels() {
    return MAX_CHANNELS;
  }

  @Override
  public long idleCloseNs() {
    return TimeUnit.MINUTES.toNanos(1);
  }

  @Override
  public long retentionMs() {
    return 0;
  }

  @Override
  public long maxDiskBytesPerTopic() {
    return 0;
  }

  @Override
  public boolean hasRoom(long bytes) {
    return true;
  }

  @Override
  public String publishRefusal() {
    return null;
  }

  @Override
  public void published() {
    // Nobody counts.
  }

  @Override
  public void channelCreated(String ofTopic, String channel) {
    metadataDue |= !DirNames.isEphemeral(ofTopic);
  }

  @Override
  public void channelDeleted(String ofTopic, String channel) {
    // No nsqlookupd.
  }

  @Override
  public void persistMetadata() {
    boolean crash = writesToCrash > 0 && --writesToCrash == 0;
    if (crash && !crashAfterWrite) {
      throw new SimulatedCrash();
    }
    metadataDue = false;
    persisted = topics.inFile().all();
    if (crash) {
      throw new SimulatedCrash();
    }
  }

  @Override
  public void retireIds(long idEnd) throws IOException {
    topics.retireIds(idEnd);
  }

  @Override
  public int maxTopics() {
    return MAX_TOPICS;
  }

  @Override
  public void makeRoom() {
    // There is plenty.
  }

  @Override
  public String refusal() {
    return null;
  }

  /** Ends the run; closes also what the killed processes left, whose files have to be gone. */
  @Override
  public void close() throws IOException {
    calm();
    topics.close();
    dataDir.close();
  }

  /** After the directory was removed: gives back the mappings of the killed processes. */
  void bury() throws IOException {
    for (Topic topic : dead) {
      try {
        topic.exit(true);
      } catch (IOException e) {
        // The directory is gone; what was open of it is closed all the same.
        LOG.debug("{}", topic.name(), e);
      }
    }
    syncThread.close();
  }
}
