package io.holdfast.broker.history;

import io.holdfast.broker.core.Broker;
import io.holdfast.broker.meters.LatencyCounts;
import java.io.Closeable;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Rates and depths of the last 15 min, a row every 5 s, in memory: a chart has its past when the
 * page opens. Thread-safe.
 */
public final class History implements Closeable {
  /** From one row to the next. */
  public static final int INTERVAL_S = 5;

  /** So many rows are kept: 15 min. */
  public static final int KEPT = 180;

  private static final Logger LOG = LoggerFactory.getLogger(History.class);
  private static final long FRESH_NS = TimeUnit.SECONDS.toNanos(1);
  private static final double NS_PER_S = 1e9;

  private final Broker broker;
  private final QueueHistory queues = new QueueHistory();
  private final QueueRates rates = new QueueRates();
  private final Supplier<Map<String, Integer>> connections;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread made = new Thread(task, "history");
            made.setDaemon(true);
            return made;
          });

  /** Oldest first; guarded by itself. */
  private final ArrayDeque<Row> rows = new ArrayDeque<>(KEPT);

  // The end of the last row; only for the history's own thread.
  private Counted last;

  // What was read last for who looks; guarded by nowLock.
  private final Object nowLock = new Object();
  private Figures now;
  private long nowReadNs;

  /** What the counters said at a moment of the monotonic clock. */
  @SuppressWarnings("ArrayRecordComponent") // a pair of them is never compared
  private record Counted(long ns, Figures figures, long[] publish, long[] sync) {}

  /**
   * Records nothing before {@link #begin}.
   *
   * @param connections gives the open connections by kind
   */
  public History(Broker broker, Supplier<Map<String, Integer>> connections) {
    this.broker = broker;
    this.connections = connections;
  }

  /** Begins to record, until it is closed. */
  public void begin() {
    thread.scheduleAtFixedRate(this::record, 0, INTERVAL_S, TimeUnit.SECONDS);
  }

  private void record() {
    try {
      Counted counted =
          new Counted(
              System.nanoTime(),
              Figures.of(broker, connections),
              broker.meters().publish().bucketCounts(),
              broker.meters().sync().bucketCounts());
      if (last != null) {
        add(row(last, counted));
      }
      last = counted;
      rates.record(broker.topics(), counted.ns());
      queues.record(broker.topics(), counted.figures().timeMs(), counted.ns());
    } catch (RuntimeException e) {
      // Thrown on, it would end the recording for good.
      LOG.warn("history: a row is missing", e);
    }
  }

  private Row row(Counted from, Counted to) {
    double seconds = Math.max(1e-3, (to.ns() - from.ns()) / NS_PER_S);
    Figures before = from.figures();
    Figures after = to.figures();
    long[] publish = difference(from.publish(), to.publish());
    LatencyCounts publishes = broker.meters().publish();
    return new Row(
        after.timeMs(),
        Series.rate(before.messages(), after.messages(), seconds),
        Series.rate(before.bytes(), after.bytes(), seconds),
        Series.rate(before.finished(), after.finished(), seconds),
        Series.rate(before.requeued(), after.requeued(), seconds),
        Series.rate(before.timedOut(), after.timedOut(), seconds),
        after.depth(),
        after.inFlight(),
        after.deferred(),
        publishes.quantileSeconds(publish, 0.5),
        publishes.quantileSeconds(publish, 0.99),
        broker.meters().sync().quantileSeconds(difference(from.sync(), to.sync()), 0.99),
        after.diskFreeBytes(),
        after.memory().usedBytes());
  }

  private static long[] difference(long[] before, long[] after) {
    long[] counts = after.clone();
    for (int i = 0; i < counts.length; i++) {
      counts[i] -= before[i];
    }
    return counts;
  }

  private void add(Row row) {
    synchronized (rows) {
      if (rows.size() == KEPT) {
        rows.removeFirst();
      }
      rows.addLast(row);
    }
  }

  /** What single topics and channels did. */
  public QueueHistory queues() {
    return queues;
  }

  /** What each topic and channel takes in now. */
  public QueueRates rates() {
    return rates;
  }

  /** Returns the latest rows, oldest first. */
  public List<Row> latest(int max) {
    synchronized (rows) {
      List<Row> all = new ArrayList<>(rows);
      return all.subList(Math.max(0, all.size() - max), all.size());
    }
  }

  /** The figures, at most a second old; may visit all topics, so not on an event loop. */
  public Figures now() {
    synchronized (nowLock) {
      if (now == null || System.nanoTime() - nowReadNs > FRESH_NS) {
        now = Figures.of(broker, connections);
        nowReadNs = System.nanoTime();
      }
      return now;
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
