package io.holdfast.broker.stats;

import io.holdfast.broker.config.GoDuration;
import io.holdfast.broker.config.OptionsLoader;
import io.holdfast.broker.meters.E2eLatency;
import io.holdfast.broker.stats.StatsSnapshot.ChannelStats;
import io.holdfast.broker.stats.StatsSnapshot.ClientStats;
import io.holdfast.broker.stats.StatsSnapshot.PubCount;
import io.holdfast.broker.stats.StatsSnapshot.TopicStats;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;

/** /stats for people: the text of contract §5, blank by blank. Stateless. */
public final class StatsSnapshotText {
  private static final long NS_PER_MS = 1_000_000;
  private static final long NS_PER_SECOND = 1_000_000_000;
  private static final DateTimeFormatter RFC3339 =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ssXXX", Locale.ROOT);

  private final StringBuilder out = new StringBuilder(1024);

  private StatsSnapshotText() {}

  /**
   * Renders a snapshot.
   *
   * @param startTimeMs start of the broker, unix ms
   * @param uptimeMs ms since then
   */
  public static String render(StatsSnapshot stats, long startTimeMs, long uptimeMs) {
    return render(stats, startTimeMs, uptimeMs, ZoneId.systemDefault());
  }

  static String render(StatsSnapshot stats, long startTimeMs, long uptimeMs, ZoneId zone) {
    StatsSnapshotText text = new StatsSnapshotText();
    text.head(stats, startTimeMs, uptimeMs, zone);
    if (stats.memory() != null) {
      text.memory(stats.memory());
    }
    if (stats.memoryBudget() != null) {
      text.memoryBudget(stats.memoryBudget());
    }
    text.topics(stats.topics());
    text.producers(stats.producers());
    return text.out.toString();
  }

  private void head(StatsSnapshot stats, long startTimeMs, long uptimeMs, ZoneId zone) {
    out.append(OptionsLoader.nsqdVersionLine()).append('\n');
    out.append("start_time ");
    out.append(RFC3339.format(Instant.ofEpochMilli(startTimeMs).atZone(zone))).append('\n');
    out.append("uptime ").append(GoDuration.format(uptimeMs * NS_PER_MS));
    out.append("\n\nHealth: ").append(stats.health()).append('\n');
  }

  private void memory(MemoryStats memory) {
    out.append("\nMemory:\n");
    memoryRow("heap_objects", memory.heapObjects());
    memoryRow("heap_idle_bytes", memory.heapIdleBytes());
    memoryRow("heap_in_use_bytes", memory.heapInUseBytes());
    memoryRow("heap_released_bytes", memory.heapReleasedBytes());
    memoryRow("gc_pause_usec_100", memory.gcPauseUsec100());
    memoryRow("gc_pause_usec_99", memory.gcPauseUsec99());
    memoryRow("gc_pause_usec_95", memory.gcPauseUsec95());
    memoryRow("next_gc_bytes", memory.nextGcBytes());
    memoryRow("gc_total_runs", memory.gcTotalRuns());
  }

  private void memoryRow(String name, long value) {
    memoryRow(name, Long.toString(value));
  }

  private void memoryRow(String name, String value) {
    out.append("   ");
    pad(name, 25);
    out.append('\t').append(value).append('\n');
  }

  /** Holdfast's own row of the block: used of limit, of all and of each part, in bytes. */
  private void memoryBudget(MemoryBudgetStats budget) {
    StringBuilder row = new StringBuilder();
    row.append(budget.usedBytes()).append('/').append(budget.limitBytes());
    budget
        .parts()
        .forEach(
            (name, part) -> {
              row.append(' ').append(name).append(' ');
              row.append(part.usedBytes()).append('/').append(part.limitBytes());
            });
    memoryRow("memory_budget", row.toString());
  }

  private void topics(List<TopicStats> topics) {
    if (topics == null || topics.isEmpty()) {
      out.append("\nTopics: None\n");
      return;
    }
    out.append("\nTopics:");
    for (TopicStats topic : topics) {
      out.append(topic.paused() ? "\n*P [" : "\n   [");
      pad(topic.topicName(), 15);
      out.append("] ");
      field("depth", topic.depth(), 5);
      field("be-depth", topic.backendDepth(), 5);
      field("msgs", topic.messageCount(), 8);
      ownField("dropped", topic.bound().droppedCount());
      ownField("rejected", topic.bound().rejectedCount());
      replica(topic.replica());
      latency(topic.e2eProcessingLatency());
      topic.channels().forEach(this::channel);
    }
  }

  /** Where a topic's figures are, that several brokers share. */
  private void replica(ReplicaStats replica) {
    if (replica != null) {
      field("group", replica.group(), 2);
      out.append("leader: ").append(replica.leader() == null ? "none" : replica.leader());
      out.append(' ');
    }
  }

  /** One that nsqd does not have; left out while it is 0. */
  private void ownField(String name, long value) {
    if (value > 0) {
      field(name, value, 5);
    }
  }

  private void channel(ChannelStats channel) {
    out.append(channel.paused() ? "   *P [" : "      [");
    pad(channel.channelName(), 25);
    out.append("] ");
    field("depth", channel.depth(), 5);
    field("be-depth", channel.backendDepth(), 5);
    field("inflt", channel.inFlightCount(), 4);
    field("def", channel.deferredCount(), 4);
    field("re-q", channel.requeueCount(), 5);
    field("timeout", channel.timeoutCount(), 5);
    field("msgs", channel.messageCount(), 8);
    ownField("unreadable", channel.unreadableCount());
    ownField("dropped", channel.droppedCount());
    ownField("dead", channel.dead().deadCount());
    ownField("dead-letters", channel.dead().deadLetterCount());
    ownField("dead-dropped", channel.dead().deadDroppedCount());
    ownField("expired", channel.dead().expiredCount());
    latency(channel.e2eProcessingLatency());
    if (channel.clients() != null) {
      for (ClientStats client : channel.clients()) {
        out.append("        ");
        client(client);
      }
    }
  }

  private void producers(List<ClientStats> producers) {
    if (producers == null || producers.isEmpty()) {
      out.append("\nProducers: None\n");
      return;
    }
    out.append("\nProducers:\n");
    for (ClientStats producer : producers) {
      out.append("   ");
      client(producer);
    }
  }

  /** A connection that ever published has the producer's form, in a channel's list too. */
  private void client(ClientStats client) {
    out.append('[').append(client.version()).append(' ');
    pad(client.hostname() + ":" + port(client.remoteAddress()) + " " + client.userAgent(), 21);
    out.append("] ");
    if (client.pubCounts().isEmpty()) {
      out.append("state: ").append(client.state()).append(' ');
      field("inflt", client.inFlightCount(), 4);
      field("rdy", client.readyCount(), 4);
      field("fin", client.finishCount(), 8);
      field("re-q", client.requeueCount(), 8);
      field("msgs", client.messageCount(), 8);
    } else {
      field("msgs", client.pubCounts().stream().mapToLong(PubCount::count).sum(), 8);
      out.append("topics: ");
      String separator = "";
      for (PubCount count : client.pubCounts()) {
        out.append(separator).append(count.topic()).append('=').append(count.count());
        separator = ",";
      }
      out.append(' ');
    }
    out.append("connected: ");
    out.append(GoDuration.format(client.connectedS() * NS_PER_SECOND)).append('\n');
  }

  /** Returns what follows the last colon; empty for a unix socket. */
  private static String port(String remoteAddress) {
    int colon = remoteAddress.lastIndexOf(':');
    return colon < 0 ? "" : remoteAddress.substring(colon + 1);
  }

  private void latency(E2eLatency latency) {
    out.append("e2e%: ");
    if (latency.percentiles() != null) {
      String separator = "";
      for (E2eLatency.Percentile percentile : latency.percentiles()) {
        out.append(separator).append(humanNs(percentile.value()));
        separator = ", ";
      }
    }
    out.append('\n');
  }

  /** One decimal; a unit begins just above its first whole value, as in nsqd. */
  static String humanNs(long ns) {
    if (ns > 1_000_000_000) {
      return String.format(Locale.ROOT, "%.1fs", ns / 1e9);
    }
    if (ns > 1_000_000) {
      return String.format(Locale.ROOT, "%.1fms", ns / 1e6);
    }
    if (ns > 1_000) {
      return String.format(Locale.ROOT, "%.1fus", ns / 1e3);
    }
    return ns + ".0ns";
  }

  private void field(String name, long value, int width) {
    out.append(name).append(": ");
    pad(Long.toString(value), width);
    out.append(' ');
  }

  private void pad(String text, int width) {
    out.append(text);
    for (int i = text.codePointCount(0, text.length()); i < width; i++) {
      out.append(' ');
    }
  }
}
