package io.holdfast.broker.channel;

import io.holdfast.broker.stats.E2eProcessingLatency;
import io.holdfast.broker.topic.Topic;
import io.holdfast.broker.topic.TopicContext;
import io.holdfast.storage.DataDir;
import io.holdfast.storage.Metadata;
import io.holdfast.storage.StorageOptions;
import io.holdfast.storage.SyncThread;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** What a topic needs of its broker, with a clock that stands still until it is moved. */
final class SimulatedBroker implements TopicContext, ChannelSettings.Clock, AutoCloseable {
  static final String TOPIC = "t";
  static final long MAX_MSG_TIMEOUT_MS = 10_000;
  static final long ID_BASE = 1L << 30;
  private static final long EPOCH_MS = 1_700_000_000_000L;
  private static final long FILE_BYTES = 32 << 10;
  private static final int MAX_RECORD_BYTES = 40_000;
  private static final int MAX_CHANNELS = 10;

  private final DataDir dataDir;
  private final SyncThread syncThread = new SyncThread(3_600_000);
  private final ChannelSettings settings;
  private QueueScan scan;
  private long nowMs = 1;

  final List<IOException> diskErrors = new ArrayList<>();
  Topic topic;

  /** Kept, so that nothing of them is closed before the end of the run. */
  private final List<Topic> dead = new ArrayList<>();

  /** What the metadata file says of the topic. */
  Metadata.TopicEntry persisted;

  SimulatedBroker(Path root, int memQueueSize, long memQueueBytes, int maxDeferred)
      throws IOException {
    dataDir = DataDir.open(root);
    settings =
        new ChannelSettings(
            memQueueSize,
            memQueueBytes,
            maxDeferred,
            0,
            TimeUnit.MILLISECONDS.toNanos(MAX_MSG_TIMEOUT_MS),
            this,
            () -> E2eProcessingLatency.NONE,
            new Topology("", "", false),
            (what, cause) -> diskErrors.add(cause),
            this::persistMetadata);
    scan = new QueueScan(this, false);
    topic = Topic.create(TOPIC, this, ID_BASE);
    persistMetadata();
  }

  /** Begins anew from the disk; the old topic was closed or is as good as dead. */
  void restore() throws IOException {
    dead.add(topic);
    scan = new QueueScan(this, false);
    topic = Topic.restore(TOPIC, this, persisted, ID_BASE);
  }

  void advance(long ms) {
    nowMs += ms;
    scan.scan(nanos());
  }

  long nowMs() {
    return nowMs;
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
        FILE_BYTES, MAX_RECORD_BYTES, false, 0, () -> TimeUnit.MILLISECONDS.toNanos(wallMs()));
  }

  @Override
  public int nodeId() {
    return 7;
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
  public String publishRefusal() {
    return null;
  }

  @Override
  public void published() {
    // Nobody counts.
  }

  @Override
  public void channelCreated(String ofTopic, String channel) {
    // The metadata file follows later, if at all.
  }

  @Override
  public void channelDeleted(String ofTopic, String channel) {
    // No nsqlookupd.
  }

  @Override
  public void persistMetadata() {
    persisted = topic.metadata();
  }

  @Override
  public void close() throws IOException {
    topic.exit(false);
    syncThread.close();
    dataDir.close();
  }
}
