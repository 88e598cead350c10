package io.holdfast.broker.history;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.holdfast.broker.cluster.ClusterTopic;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.meters.LatencyCounts;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.ChannelFigures;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.stats.MemoryBudgetStats;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The broker as a whole at one moment; component names are those of /history. A channel's lock is
 * held for one figure at a time, never across channels. Immutable.
 *
 * @param timeMs since 1970
 * @param depth of all topics and channels together
 * @param messages taken from publishers since start
 * @param bytes of their bodies
 * @param finished FINs since start, over all channels
 * @param journalBytes disk that journals take
 * @param diskFreeBytes -1 if the disk cannot be asked
 * @param connections open ones, by kind
 * @param deepest the topics and channels with the most messages, deepest first
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record Figures(
    long timeMs,
    int topics,
    int channels,
    long depth,
    long inFlight,
    long deferred,
    @JsonIgnore long messages,
    @JsonIgnore long bytes,
    @JsonIgnore long finished,
    @JsonIgnore long requeued,
    @JsonIgnore long timedOut,
    long journalBytes,
    long ledgerBytes,
    long diskFreeBytes,
    MemoryBudgetStats memory,
    Map<String, Integer> connections,
    List<Deep> deepest) {
  private static final Logger LOG = LoggerFactory.getLogger(Figures.class);
  private static final int DEEPEST = 10;

  /**
   * A topic or channel with messages.
   *
   * @param channel null, and absent, for what a topic keeps back from its channels
   */
  public record Deep(
      String topic, @JsonInclude(JsonInclude.Include.NON_NULL) String channel, long depth) {}

  /**
   * Reads all topics and channels: not for event loops.
   *
   * @param connections gives the open connections by kind
   */
  static Figures of(Broker broker, Supplier<Map<String, Integer>> connections) {
    Sum sum = new Sum();
    for (Topic topic : broker.topics()) {
      sum.add(topic);
    }
    if (broker.cluster() != null) {
      broker.cluster().followed().forEach(sum::add);
    }
    return new Figures(
        System.currentTimeMillis(),
        sum.topics,
        sum.channels,
        sum.depth,
        sum.inFlight,
        sum.deferred,
        sum.messages,
        sum.bytes,
        sum.finished,
        sum.requeued,
        sum.timedOut,
        sum.journalBytes,
        sum.ledgerBytes,
        diskFreeBytes(broker),
        MemoryBudgetStats.of(broker.memory()),
        connections.get(),
        sum.deepest());
  }

  private static long diskFreeBytes(Broker broker) {
    try {
      return broker.dataDir().usableBytes();
    } catch (IOException e) {
      LOG.debug("free disk space cannot be read", e); // said at WARN by whoever needs it to write
      return -1;
    }
  }

  /** Adds up. */
  private static final class Sum {
    private int topics;
    private int channels;
    private long depth;
    private long inFlight;
    private long deferred;
    private long messages;
    private long bytes;
    private long finished;
    private long requeued;
    private long timedOut;
    private long journalBytes;
    private long ledgerBytes;

    /** The least deep one first. */
    private final PriorityQueue<Deep> deepest =
        new PriorityQueue<>(Comparator.comparingLong(Deep::depth));

    private void add(Topic topic) {
      topics++;
      messages += topic.messageCount();
      bytes += topic.messageBytes();
      journalBytes += topic.journalBytes();
      deep(topic.name(), null, topic.depth());
      for (Channel channel : topic.channels()) {
        channels++;
        ChannelFigures figures = channel.figures();
        inFlight += figures.inFlightCount();
        deferred += figures.deferredCount();
        requeued += figures.requeueCount();
        timedOut += figures.timeoutCount();
        ledgerBytes += channel.diskBytes();
        LatencyCounts counts = channel.times().counts();
        finished += counts == null ? 0 : counts.count();
        deep(topic.name(), channel.name(), figures.depth());
      }
    }

    /** Another broker leads it, which has its figures; its messages are here, too. */
    private void add(ClusterTopic followed) {
      topics++;
      channels += followed.channels().size();
      journalBytes += followed.journalBytes();
    }

    private void deep(String topic, String channel, long messagesThere) {
      depth += messagesThere;
      boolean isDeep = deepest.size() < DEEPEST || messagesThere > deepest.element().depth();
      if (messagesThere > 0 && isDeep) {
        deepest.add(new Deep(topic, channel, messagesThere));
        if (deepest.size() > DEEPEST) {
          deepest.remove();
        }
      }
    }

    private List<Deep> deepest() {
      return deepest.stream().sorted(Comparator.comparingLong(Deep::depth).reversed()).toList();
    }
  }
}
