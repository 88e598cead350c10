package io.holdfast.tools.bench.load;

import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.HdrHistogram.Histogram;

/**
 * What has gone through a run's connections, and what of it came after the warm-up and is measured.
 * Owned by the loop's thread.
 */
final class LoadCounts {
  private static final long MAX_LATENCY_NS = 3_600_000_000_000L;

  /** Share of all deliveries after which the rest counts as the broker's output buffering. */
  private static final double RATE_SHARE = 0.99;

  private static final long POINT_NS = 1_000_000;

  private final LoadPlan plan;
  private final long runId = ThreadLocalRandom.current().nextLong() | 1;
  private final Histogram toOk = new Histogram(100, MAX_LATENCY_NS, 3);
  private final Histogram endToEnd = new Histogram(100, MAX_LATENCY_NS, 3);

  /** How many measured deliveries there were when. */
  private final Timeline arrivals = new Timeline(POINT_NS);

  private long measureFromNs;
  private long latencyToNs = Long.MAX_VALUE;
  private long publishedInAll;
  private long published;
  private long lastOkNs;
  private long consumedInAll;
  private long consumed;
  private long consumedWhilePublishing;
  private long own;
  private long redelivered;
  private long refusedFins;

  LoadCounts(LoadPlan plan) {
    this.plan = plan;
  }

  /**
   * Says what is measured, before anything is counted.
   *
   * @param fromNs the end of the warm-up
   * @param toNs latencies of messages after this are left out; {@link Long#MAX_VALUE} for none
   */
  void measure(long fromNs, long toNs) {
    measureFromNs = fromNs;
    latencyToNs = toNs;
    lastOkNs = fromNs;
  }

  /** Marks this run's messages. */
  long runId() {
    return runId;
  }

  // ---------------------------------------------------------------- from the connections

  /** An OK came for messages that were sent, or due, at a time. */
  void published(int messages, long sinceNs, long nowNs) {
    publishedInAll += messages;
    lastOkNs = nowNs;
    if (sinceNs - measureFromNs >= 0) {
      published += messages;
      if (hasLatency(sinceNs)) {
        toOk.recordValue(latency(sinceNs, nowNs));
      }
    }
  }

  /** Messages of this run came that were sent, or due, at a time. */
  void arrived(long sinceNs, long nowNs, int messages) {
    own += messages;
    if (sinceNs - measureFromNs >= 0 && hasLatency(sinceNs)) {
      endToEnd.recordValueWithCount(latency(sinceNs, nowNs), messages);
    }
  }

  private boolean hasLatency(long sinceNs) {
    return latencyToNs == Long.MAX_VALUE || sinceNs - latencyToNs < 0;
  }

  /** A clock that seems to run backwards counts as zero. */
  private static long latency(long sinceNs, long nowNs) {
    return Math.max(0, Math.min(nowNs - sinceNs, MAX_LATENCY_NS));
  }

  /** Messages came, of this run or not. */
  void consumed(int messages, long nowNs) {
    consumedInAll += messages;
    if (nowNs - measureFromNs >= 0) {
      consumed += messages;
    }
  }

  void redelivered() {
    redelivered++;
  }

  void finRefused() {
    refusedFins++;
  }

  // ---------------------------------------------------------------- from the run

  /** Keeps how far consumption has come; most often, that is too soon after the last time. */
  void note(long nowNs) {
    if (nowNs - measureFromNs >= 0) {
      arrivals.note(nowNs, consumed);
    }
  }

  void publishingEnds() {
    consumedWhilePublishing = consumed;
  }

  void consumingEnds(long nowNs) {
    arrivals.end(nowNs, consumed);
  }

  /** OKs and deliveries, the warm-up's too. */
  long inAll() {
    return publishedInAll + consumedInAll;
  }

  /** Measured deliveries. */
  long consumed() {
    return consumed;
  }

  /** Deliveries of this run's messages, the warm-up's too. */
  long own() {
    return own;
  }

  /** Deliveries of this run's messages that are to come in all, by what has been published. */
  long expected() {
    return publishedInAll * plan.channels;
  }

  LoadResult result(List<String> failures) {
    boolean knowsOwn = plan.publishers > 0 && plan.consumers > 0 && plan.isStamped();
    double publishSeconds = published == 0 ? 0 : (lastOkNs - measureFromNs) / 1e9;
    return new LoadResult(
        plan.publishers == 0 ? null : new LoadResult.Flow(published, publishSeconds, toOk),
        plan.consumers == 0 ? null : consumedFlow(),
        consumedWhilePublishing,
        knowsOwn ? Math.max(0, expected() - own) : 0,
        knowsOwn ? consumedInAll - own : 0,
        redelivered,
        refusedFins,
        List.copyOf(failures));
  }

  /** To the moment at which 99 % had come: a broker may sit on the last few until a timer fires. */
  private LoadResult.Flow consumedFlow() {
    long[] point = arrivals.reached((long) Math.ceil(consumed * RATE_SHARE));
    double part = consumed == 0 ? 0 : point[1] / (double) consumed;
    double seconds = part == 0 ? 0 : (point[0] - measureFromNs) / 1e9 / part;
    return new LoadResult.Flow(consumed, seconds, endToEnd);
  }
}
