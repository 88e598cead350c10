package io.holdfast.broker.stats;

import io.holdfast.broker.meters.E2eLatency;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Turns snapshots into statsd lines packed into packets (contract §7), remembering the last
 * counters. Not thread-safe: {@link StatsdPusher}'s thread owns it.
 */
final class StatsdReport {
  private static final String EPHEMERAL = "#ephemeral";

  private final StatsdOptions options;

  /** By key; replaced at each report, so that what was deleted is forgotten. */
  private Map<String, Long> lastCounters = new HashMap<>();

  private Map<String, Long> counters = new HashMap<>();
  private List<byte[]> packets = new ArrayList<>();
  private final ByteArrayOutputStream packet = new ByteArrayOutputStream();

  StatsdReport(StatsdOptions options) {
    this.options = options;
  }

  /** The packets of one report, each ended by a newline and split only between lines. */
  List<byte[]> packets(StatsSnapshot sample) {
    counters = new HashMap<>();
    packets = new ArrayList<>();
    for (StatsSnapshot.TopicStats topic : sample.topics()) {
      if (isReported(topic.topicName())) {
        report(topic);
      }
    }
    if (options.memStats() && sample.memory() != null) {
      report(sample.memory());
    }
    endPacket();
    lastCounters = counters;
    return packets;
  }

  private boolean isReported(String name) {
    return !options.excludeEphemeral() || !name.endsWith(EPHEMERAL);
  }

  private void report(StatsSnapshot.TopicStats topic) {
    String prefix = "topic." + topic.topicName() + ".";
    counter(prefix + "message_count", topic.messageCount());
    counter(prefix + "message_bytes", topic.messageBytes());
    gauge(prefix + "depth", topic.depth());
    gauge(prefix + "backend_depth", topic.backendDepth());
    ownGauge(prefix + "dropped_count", topic.bound().droppedCount());
    ownGauge(prefix + "rejected_count", topic.bound().rejectedCount());
    latency(prefix, topic.e2eProcessingLatency());
    for (StatsSnapshot.ChannelStats channel : topic.channels()) {
      if (isReported(channel.channelName())) {
        report(prefix + "channel." + channel.channelName() + ".", channel);
      }
    }
  }

  private void report(String prefix, StatsSnapshot.ChannelStats channel) {
    counter(prefix + "message_count", channel.messageCount());
    gauge(prefix + "depth", channel.depth());
    gauge(prefix + "backend_depth", channel.backendDepth());
    gauge(prefix + "in_flight_count", channel.inFlightCount());
    gauge(prefix + "deferred_count", channel.deferredCount());
    counter(prefix + "requeue_count", channel.requeueCount());
    counter(prefix + "timeout_count", channel.timeoutCount());
    ownGauge(prefix + "unreadable_count", channel.unreadableCount());
    ownGauge(prefix + "dropped_count", channel.droppedCount());
    ownGauge(prefix + "dead_count", channel.dead().deadCount());
    ownGauge(prefix + "dead_letter_count", channel.dead().deadLetterCount());
    ownGauge(prefix + "dead_dropped_count", channel.dead().deadDroppedCount());
    ownGauge(prefix + "expired_count", channel.dead().expiredCount());
    gauge(prefix + "clients", channel.clientCount());
    latency(prefix, channel.e2eProcessingLatency());
  }

  private void report(MemoryStats memory) {
    gauge("mem.heap_objects", memory.heapObjects());
    gauge("mem.heap_idle_bytes", memory.heapIdleBytes());
    gauge("mem.heap_in_use_bytes", memory.heapInUseBytes());
    gauge("mem.heap_released_bytes", memory.heapReleasedBytes());
    gauge("mem.gc_pause_usec_100", memory.gcPauseUsec100());
    gauge("mem.gc_pause_usec_99", memory.gcPauseUsec99());
    gauge("mem.gc_pause_usec_95", memory.gcPauseUsec95());
    gauge("mem.next_gc_bytes", memory.nextGcBytes());
    counter("mem.gc_runs", memory.gcTotalRuns());
  }

  private void latency(String prefix, E2eLatency latency) {
    if (latency == null || latency.percentiles() == null) {
      return;
    }
    for (E2eLatency.Percentile percentile : latency.percentiles()) {
      // rint rounds halves to even, as Go's %.0f does.
      long percent = (long) Math.rint(percentile.quantile() * 100.0);
      gauge(prefix + "e2e_processing_latency_" + percent, percentile.value());
    }
  }

  private void counter(String key, long total) {
    long last = lastCounters.getOrDefault(key, 0L);
    counters.put(key, total);
    // A smaller total is that of a topic or channel deleted and created again.
    line(key, total >= last ? total - last : total, "c");
  }

  /** Not nsqd's; left out while it is 0, as in /stats. */
  private void ownGauge(String key, long value) {
    if (value > 0) {
      gauge(key, value);
    }
  }

  private void gauge(String key, long value) {
    line(key, value, "g");
  }

  private void line(String key, long value, String type) {
    // Names are ASCII, the prefix need not be: bytes count, not characters.
    byte[] line =
        (options.prefix() + key + ":" + value + "|" + type + "\n").getBytes(StandardCharsets.UTF_8);
    if (packet.size() + line.length > options.udpPacketSize()) {
      endPacket();
    }
    packet.writeBytes(line);
  }

  private void endPacket() {
    if (packet.size() > 0) {
      packets.add(packet.toByteArray());
      packet.reset();
    }
  }
}
