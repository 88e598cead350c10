package io.holdfast.broker.cluster.lead;

import io.holdfast.broker.meters.BrokerMeters;
import io.holdfast.broker.policy.Policies;
import io.holdfast.broker.queue.ChannelSettings;
import io.holdfast.broker.queue.QueueFixture;
import io.holdfast.broker.queue.QueueScan;
import io.holdfast.broker.queue.TopicContext;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.topic.DataDir;
import java.util.concurrent.TimeUnit;

/** What a leader's topics need of their broker, without one: no directory, and a clock by hand. */
public final class LeadContext implements TopicContext {
  private static final int MEM_QUEUE_SIZE = 100;
  private static final int MAX_DEFERRED = 100;

  private final HandClock clock;
  private final StorageOptions options;
  private final ChannelSettings settings;
  private final BrokerMeters meters = new BrokerMeters();
  private final QueueScan scan;

  /** What channels and topics follow. */
  volatile Policies policies = Policies.NONE;

  /** How long finished messages stay. */
  volatile long retentionMs;

  /** Whether the disk has room for more. */
  volatile boolean hasRoom = true;

  /** Neither a thread nor a file. */
  public LeadContext(HandClock clock, StorageOptions options) {
    this.clock = clock;
    this.options = options;
    settings = QueueFixture.settings(clock, MEM_QUEUE_SIZE, MAX_DEFERRED);
    scan = QueueFixture.scan(clock);
  }

  /** Time passes: what is due by then becomes ready, what is late comes back. */
  void advance(long ms) {
    clock.advance(ms);
    QueueFixture.scanNow(scan, clock);
  }

  @Override
  public DataDir dataDir() {
    throw new AssertionError("replicated topics have no directories of their own");
  }

  @Override
  public SyncThread syncThread() {
    throw new AssertionError("replicated channels have no files");
  }

  @Override
  public void persistMetadata() {
    throw new AssertionError("replicated topics are not in the metadata file");
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
    return options;
  }

  @Override
  public BrokerMeters meters() {
    return meters;
  }

  @Override
  public int nodeId() {
    return 1;
  }

  @Override
  public int memQueueSize() {
    return MEM_QUEUE_SIZE;
  }

  @Override
  public int maxChannels() {
    return MEM_QUEUE_SIZE;
  }

  @Override
  public long idleCloseNs() {
    return TimeUnit.MINUTES.toNanos(1);
  }

  @Override
  public Policies policies() {
    return policies;
  }

  @Override
  public long retentionMs() {
    return retentionMs;
  }

  @Override
  public long maxDiskBytesPerTopic() {
    return 0;
  }

  @Override
  public String publishRefusal() {
    return null;
  }

  @Override
  public boolean hasRoom(long bytes) {
    return hasRoom;
  }

  @Override
  public void published() {
    // Nobody counts.
  }

  @Override
  public void channelCreated(String topic, String channel) {
    // No nsqlookupd.
  }

  @Override
  public void channelDeleted(String topic, String channel) {
    // No nsqlookupd.
  }
}
