package io.holdfast.broker.history;

import io.holdfast.broker.meters.LatencyCounts;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.ChannelFigures;
import io.holdfast.broker.queue.Topic;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Rates and depths of the last 15 min of single topics and channels: of all while they are few,
 * else one that was idle and not looked at for 15 min makes room for another that has had messages,
 * and one that somebody looks at takes the place of the one that was of no use the longest. What is
 * deleted is forgotten; made again it begins anew. Thread-safe; of a channel all figures are of one
 * moment.
 */
public final class QueueHistory {
  /** So many topics and channels are followed: some 5 MB. */
  static final int MAX = 256;

  private static final List<Series.Column<Topic>> TOPIC =
      List.of(
          Series.Column.rate("published", Topic::messageCount),
          Series.Column.rate("published_bytes", Topic::messageBytes),
          Series.Column.level("depth", Topic::depth),
          Series.Column.level("waiting", QueueHistory::waiting));

  /** A channel at one moment. */
  private record ChannelNow(ChannelFigures figures, long finished) {
    private static ChannelNow of(Channel channel) {
      LatencyCounts counts = channel.times().counts();
      return new ChannelNow(channel.figures(), counts == null ? 0 : counts.count());
    }
  }

  private static final List<Series.Column<ChannelNow>> CHANNEL =
      List.of(
          Series.Column.rate("arrived", now -> now.figures().messageCount()),
          Series.Column.rate("finished", ChannelNow::finished),
          Series.Column.rate("requeued", now -> now.figures().requeueCount()),
          Series.Column.rate("timed_out", now -> now.figures().timeoutCount()),
          Series.Column.level("depth", now -> now.figures().depth()),
          Series.Column.level("in_flight", now -> now.figures().inFlightCount()),
          Series.Column.level("deferred", now -> now.figures().deferredCount()));

  private final int max;

  /** By topic or channel, the object: one that was made again is another. Guarded by this. */
  private final IdentityHashMap<Object, Series<?>> followed = new IdentityHashMap<>();

  /** Guarded by this. */
  private long round;

  QueueHistory() {
    this(MAX);
  }

  /**
   * @param max how many topics and channels are followed
   */
  QueueHistory(int max) {
    this.max = max;
  }

  private static long waiting(Topic topic) {
    return topic.channels().stream().mapToLong(channel -> channel.figures().depth()).sum();
  }

  /** The latest rows of a topic as columns, oldest first; it is followed from now on. */
  public Map<String, List<Object>> latest(Topic topic, int rows) {
    return latest((Object) topic, rows);
  }

  /** The same of a channel. */
  public Map<String, List<Object>> latest(Channel channel, int rows) {
    return latest((Object) channel, rows);
  }

  private synchronized Map<String, List<Object>> latest(Object queue, int rows) {
    Series<?> series = followed.get(queue);
    if (series == null) {
      if (followed.size() >= max) {
        followed.values().remove(leastUsed());
      }
      series = follow(queue);
    }
    series.used(round);
    return series.latest(rows);
  }

  private Series<?> leastUsed() {
    return followed.values().stream().min(Comparator.comparingLong(Series::usedIn)).orElseThrow();
  }

  /** Adds a row to each; to be called at regular intervals, not on an event loop. */
  synchronized void record(Collection<Topic> topics, long timeMs, long nowNs) {
    round++;
    List<Object> others = new ArrayList<>();
    for (Topic topic : topics) {
      record(topic, topic::messageCount, others, timeMs, nowNs);
      for (Channel channel : topic.channels()) {
        record(channel, () -> channel.figures().messageCount(), others, timeMs, nowNs);
      }
    }
    followed.values().removeIf(series -> series.recordedIn() != round); // deleted
    replaceIdle(others);
  }

  private void record(
      Object queue, LongSupplier messages, List<Object> others, long timeMs, long nowNs) {
    Series<?> series = followed.get(queue);
    if (series == null && followed.size() < max) {
      series = follow(queue);
    }
    if (series != null) {
      series.record(round, timeMs, nowNs);
    } else if (others.size() < max && messages.getAsLong() > 0) {
      others.add(queue);
    }
  }

  private Series<?> follow(Object queue) {
    Series<?> series =
        queue instanceof Topic topic
            ? new Series<>(() -> topic, TOPIC)
            : new Series<>(() -> ChannelNow.of((Channel) queue), CHANNEL);
    series.used(round);
    followed.put(queue, series);
    return series;
  }

  private void replaceIdle(List<Object> others) {
    Iterator<Object> next = others.iterator();
    for (Object queue : List.copyOf(followed.keySet())) {
      if (!next.hasNext()) {
        return;
      }
      if (followed.get(queue).usedIn() <= round - History.KEPT) {
        followed.remove(queue);
        follow(next.next());
      }
    }
  }
}
