package io.holdfast.broker.metrics;

import io.holdfast.broker.cluster.ClusterTopic;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.meters.BrokerMeters;
import io.holdfast.broker.meters.LatencyCounts;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.ChannelFigures;
import io.holdfast.broker.queue.Topic;
import io.holdfast.storage.topic.DirNames;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the figures of a broker for one scrape: those of /stats under the names that NSQ's
 * exporters gave them, and Holdfast's own. A channel's lock is held for one figure at a time, never
 * across channels. Thread-safe.
 */
public final class BrokerCollector implements MultiCollector {
  private static final Logger LOG = LoggerFactory.getLogger(BrokerCollector.class);

  private final Broker broker;
  private final boolean isEphemeralLeftOut;
  private final Labels build;
  private final Supplier<Map<String, Integer>> connections;

  // Counters must not fall when a channel that counted them is deleted.
  private final AtomicLong skipped = new AtomicLong();
  private final AtomicLong damaged = new AtomicLong();

  /**
   * @param isEphemeralLeftOut whether {@code #ephemeral} topics and channels have no series
   * @param build labels of the build's series
   * @param connections open connections by kind: tcp, http, https
   */
  public BrokerCollector(
      Broker broker,
      boolean isEphemeralLeftOut,
      Map<String, String> build,
      Supplier<Map<String, Integer>> connections) {
    this.broker = broker;
    this.isEphemeralLeftOut = isEphemeralLeftOut;
    this.build =
        Labels.of(build.keySet().toArray(new String[0]), build.values().toArray(new String[0]));
    this.connections = connections;
  }

  /**
   * Writes the families that have a sample of every topic or channel, which {@link #collect} has
   * not.
   */
  void writeEach(Metrics.Format format, ByteArrayOutputStream out) {
    TopicFamilies topics = new TopicFamilies();
    ChannelFamilies channels = new ChannelFamilies();
    for (Topic topic : shownTopics()) {
      topics.add(topic);
      shownChannels(topic).forEach(channels::add);
    }
    topics.all.forEach(family -> family.write(format, topics.labels, out));
    channels.all.forEach(family -> family.write(format, channels.labels, out));
  }

  @Override
  public MetricSnapshots collect() {
    MetricSnapshots.Builder all = MetricSnapshots.builder();
    Storage storage = new Storage();
    broker.topics().forEach(storage::add);
    if (broker.cluster() != null) {
      broker.cluster().followed().forEach(storage::add);
    }
    put(all, processing());
    broker(all);
    storage.put(all);
    if (broker.cluster() != null) {
      ClusterFamilies.put(all, broker.cluster());
    }
    return all.build();
  }

  private List<Topic> shownTopics() {
    return broker.topics().stream()
        .filter(topic -> !(isEphemeralLeftOut && DirNames.isEphemeral(topic.name())))
        .toList();
  }

  private List<Channel> shownChannels(Topic topic) {
    return topic.channels().stream()
        .filter(channel -> !(isEphemeralLeftOut && channel.isEphemeral()))
        .toList();
  }

  private Family<LatencyCounts> processing() {
    Family<LatencyCounts> family =
        Family.histogram(
            "holdfast_channel_processing_duration_seconds", "From publish to FIN of a message.");
    for (Topic topic : shownTopics()) {
      for (Channel channel : shownChannels(topic)) {
        LatencyCounts counts = channel.times().counts();
        if (counts != null) {
          family.add(Labels.of("topic", topic.name(), "channel", channel.name()), counts);
        }
      }
    }
    return family;
  }

  private static void put(MetricSnapshots.Builder to, Family<?> family) {
    MetricSnapshot snapshot = family.snapshot();
    if (snapshot != null) {
      to.metricSnapshot(snapshot);
    }
  }

  /** What is there once, whatever the topics. */
  private void broker(MetricSnapshots.Builder all) {
    BrokerMeters meters = broker.meters();
    histogram(
        all,
        "holdfast_publish_duration_seconds",
        "From a publish command being complete to its OK being sent.",
        meters.publish());
    histogram(all, "holdfast_sync_duration_seconds", "One force of a log to disk.", meters.sync());
    histogram(
        all,
        "holdfast_event_loop_delay_seconds",
        "How late an event loop runs what is due.",
        meters.eventLoopDelay());
    histogram(
        all,
        "holdfast_reclaim_duration_seconds",
        "One look for journal files that can go, over one topic.",
        meters.reclaim());
    histogram(
        all,
        "holdfast_checkpoint_duration_seconds",
        "One checkpoint of a channel's ledger.",
        meters.checkpoint());
    Family<LongAdder> errors =
        Family.counter(
            "holdfast_protocol_errors", "Error frames sent to TCP clients.", LongAdder::sum);
    meters.protocolErrors().forEach((code, sum) -> errors.add(Labels.of("code", code), sum));
    put(all, errors);
    Family<Integer> open =
        Family.gauge("holdfast_connections", "Open connections.", Integer::doubleValue);
    connections.get().forEach((kind, count) -> open.add(Labels.of("kind", kind), count));
    put(all, open);
    memory(all);
    all.metricSnapshot(
        InfoSnapshot.builder()
            .name("holdfast_build")
            .help("What is running.")
            .dataPoint(InfoSnapshot.InfoDataPointSnapshot.builder().labels(build).build())
            .build());
  }

  /** The parts that /stats shows as memory_budget. */
  private void memory(MetricSnapshots.Builder all) {
    Family<MemoryBudget.Usage> budget =
        Family.gauge(
            "holdfast_memory_budget_bytes",
            "Memory that a part of the broker may use.",
            MemoryBudget.Usage::limitBytes);
    Family<MemoryBudget.Usage> used =
        Family.gauge(
            "holdfast_memory_used_bytes",
            "Memory that a part of the broker uses, as it estimates.",
            MemoryBudget.Usage::usedBytes);
    broker
        .memory()
        .parts()
        .forEach(
            (part, usage) -> {
              budget.add(Labels.of("part", part), usage);
              used.add(Labels.of("part", part), usage);
            });
    put(all, budget);
    put(all, used);
  }

  private static void histogram(
      MetricSnapshots.Builder to, String name, String help, LatencyCounts counts) {
    Family<LatencyCounts> family = Family.histogram(name, help);
    family.add(Labels.EMPTY, counts);
    put(to, family);
  }

  /** The families with the label topic. */
  private static final class TopicFamilies {
    private final List<byte[]> labels = new ArrayList<>();
    private final List<NumberFamily<Topic>> all =
        List.of(
            Family.gauge(
                "nsq_topic_depth", "Messages the topic keeps back from channels.", Topic::depth),
            Family.gauge(
                "nsq_topic_paused", "1 while the topic is paused.", t -> one(t.isPaused())),
            Family.untyped(
                "nsq_topic_message_count", "Messages taken since start.", Topic::messageCount),
            Family.untyped(
                "nsq_topic_message_bytes", "Bytes of messages since start.", Topic::messageBytes),
            Family.counter(
                "nsq_topic_messages", "Messages taken since start.", Topic::messageCount),
            Family.counter(
                "nsq_topic_bytes", "Bytes of messages since start.", Topic::messageBytes),
            Family.counter(
                "holdfast_topic_dropped",
                "Messages dropped since start to make room in a full topic.",
                Topic::droppedCount),
            Family.counter(
                "holdfast_topic_rejected",
                "Messages refused since start as the topic was full.",
                Topic::rejectedCount));

    private void add(Topic topic) {
      // Nothing to be quoted is in a name.
      labels.add(NumberFamily.ascii("topic=\"" + topic.name() + "\"} "));
      all.forEach(family -> family.add(Labels.EMPTY, topic));
    }
  }

  /** The families with the labels topic and channel. */
  private static final class ChannelFamilies {
    private final List<byte[]> labels = new ArrayList<>();
    private final List<NumberFamily<ChannelFigures>> all =
        List.of(
            Family.gauge(
                "nsq_channel_depth", "Messages ready to be delivered.", ChannelFigures::depth),
            Family.gauge(
                "nsq_channel_backend_depth",
                "Those of them on disk only.",
                ChannelFigures::backendDepth),
            Family.gauge(
                "nsq_channel_paused", "1 while the channel is paused.", c -> one(c.isPaused())),
            Family.untyped(
                "nsq_channel_in_flight_count",
                "Messages delivered and not answered.",
                ChannelFigures::inFlightCount),
            Family.untyped(
                "nsq_channel_deferred_count",
                "Messages that wait for a time.",
                ChannelFigures::deferredCount),
            Family.untyped(
                "nsq_channel_message_count", "Messages since start.", ChannelFigures::messageCount),
            Family.untyped(
                "nsq_channel_requeue_count",
                "Messages sent back by REQ since start.",
                ChannelFigures::requeueCount),
            Family.untyped(
                "nsq_channel_timeout_count",
                "Messages timed out since start.",
                ChannelFigures::timeoutCount),
            Family.untyped(
                "nsq_channel_client_count", "Consumers connected.", ChannelFigures::clientCount),
            Family.counter(
                "nsq_channel_messages", "Messages since start.", ChannelFigures::messageCount),
            Family.counter(
                "nsq_channel_requeues",
                "Messages sent back by REQ since start.",
                ChannelFigures::requeueCount),
            Family.counter(
                "nsq_channel_timeouts",
                "Messages timed out since start.",
                ChannelFigures::timeoutCount),
            Family.untyped(
                "nsq_channel_dead_count", "Dead letters kept.", ChannelFigures::deadCount),
            Family.counter(
                "holdfast_channel_dead_letter",
                "Messages that became dead letters since start, kept or not.",
                ChannelFigures::deadLetterCount),
            Family.counter(
                "holdfast_channel_dead_dropped",
                "Dead letters given up since start.",
                ChannelFigures::deadDroppedCount),
            Family.counter(
                "holdfast_channel_expired",
                "Messages that expired since start.",
                ChannelFigures::expiredCount));

    private void add(Channel channel) {
      labels.add(
          NumberFamily.ascii(
              "channel=\"" + channel.name() + "\",topic=\"" + channel.topicName() + "\"} "));
      ChannelFigures figures = channel.figures();
      all.forEach(family -> family.add(Labels.EMPTY, figures));
    }
  }

  private static double one(boolean yes) {
    return yes ? 1 : 0;
  }

  /** Sums over all topics. */
  private final class Storage {
    private long journalBytes;
    private long journalFiles;
    private long ledgerBytes;
    private long ledgerFiles;
    private long skippedNow;
    private long damagedNow;

    private void add(Topic topic) {
      journalBytes += topic.journalBytes();
      journalFiles += topic.journalFiles();
      long unreadable = 0;
      for (Channel channel : topic.channels()) {
        ledgerBytes += channel.diskBytes();
        ledgerFiles += channel.diskFiles();
        long unreadableHere = channel.figures().unreadableCount();
        skippedNow += unreadableHere;
        unreadable = Math.max(unreadable, unreadableHere);
      }
      damagedNow += unreadable;
    }

    /** Another broker leads it; here are its messages all the same. */
    private void add(ClusterTopic followed) {
      journalBytes += followed.journalBytes();
      journalFiles += followed.journalFiles();
    }

    private void put(MetricSnapshots.Builder to) {
      value(to, "holdfast_journal_bytes", "Disk that journals take.", journalBytes);
      value(to, "holdfast_journal_files", "Files of all journals.", journalFiles);
      value(to, "holdfast_ledger_bytes", "Disk that channels' ledgers take.", ledgerBytes);
      value(to, "holdfast_ledger_files", "Files of all ledgers.", ledgerFiles);
      try {
        value(
            to,
            "holdfast_disk_free_bytes",
            "Free space on the disk of the data path.",
            broker.dataDir().usableBytes());
      } catch (IOException e) {
        LOG.warn("free disk space cannot be read: {}", e.getMessage());
      }
      count(
          to,
          "holdfast_skipped_messages",
          "Messages that channels passed over as unreadable.",
          skipped.accumulateAndGet(skippedNow, Math::max));
      count(
          to,
          "holdfast_damaged_messages",
          "Messages in journals found damaged.",
          damaged.accumulateAndGet(damagedNow, Math::max));
    }

    private void value(MetricSnapshots.Builder to, String name, String help, long value) {
      Family<Long> family = Family.gauge(name, help, Long::doubleValue);
      family.add(Labels.EMPTY, value);
      BrokerCollector.put(to, family);
    }

    private void count(MetricSnapshots.Builder to, String name, String help, long value) {
      Family<Long> family = Family.counter(name, help, Long::doubleValue);
      family.add(Labels.EMPTY, value);
      BrokerCollector.put(to, family);
    }
  }
}
