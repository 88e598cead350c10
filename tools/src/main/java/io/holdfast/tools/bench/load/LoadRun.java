package io.holdfast.tools.bench.load;

import io.holdfast.tools.StopSignal;
import io.holdfast.tools.ToolException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.HdrHistogram.Histogram;

/**
 * One run of load: connects, lets go, waits for the end, adds up. Everything happens on the calling
 * thread, except that a paced run has a {@link Pacer}.
 */
public final class LoadRun {
  private static final int IN_BYTES = 256 << 10;
  private static final int FINS_BYTES = 64 << 10;
  private static final long SELECT_MS = 5;
  private static final long POINT_NS = 1_000_000;

  /** How long nothing at all may come while something is due. */
  private static final long STALL_NS = 30_000_000_000L;

  /** How long connections have been idle when holding them begins to count. */
  private static final long HOLD_AFTER_NS = 1_000_000_000L;

  private static final long WIND_UP_NS = 5_000_000_000L;
  private static final long MAX_LATENCY_NS = 3_600_000_000_000L;

  private final LoadPlan plan;
  private final LoadProbe probe;
  private final StopSignal stop;
  private final long id = ThreadLocalRandom.current().nextLong() | 1;
  private final List<LoadPublisher> publishers = new ArrayList<>();
  private final List<LoadConsumer> consumers = new ArrayList<>();
  private final Histogram toOk = new Histogram(100, MAX_LATENCY_NS, 3);
  private final Histogram endToEnd = new Histogram(100, MAX_LATENCY_NS, 3);
  private final Timeline arrivals = new Timeline(POINT_NS);
  private final ByteBuffer in;

  private Pacer pacer;
  private long startNs;
  private long endNs = Long.MAX_VALUE;
  private long measureFromNs;
  private long measureToNs = Long.MAX_VALUE;
  private long claimed;
  private long published;
  private long lastOkNs;
  private long consumed;
  private long consumedWhilePublishing;
  private long redelivered;
  private long refusedFins;
  private boolean publishingOver;

  /**
   * @param plan what to do
   * @param probe told when the load begins and ends
   * @param stop ends the run early
   */
  public LoadRun(LoadPlan plan, LoadProbe probe, StopSignal stop) {
    this.plan = plan;
    this.probe = probe;
    this.stop = stop;
    this.in = ByteBuffer.allocateDirect(Math.max(IN_BYTES, 4 * plan.size));
  }

  /**
   * Runs to the end.
   *
   * @return what was measured
   * @throws ToolException when the broker went silent or messages are missing, or when stopped
   * @throws IOException when the broker refuses or is gone
   */
  public LoadResult run() throws IOException {
    try (Selector selector = Selector.open()) {
      connect(selector);
      if (isHolding()) {
        hold(selector);
      } else {
        probe.begin();
        begin();
        loop(selector);
        closeConsumers(selector);
        probe.end();
      }
      return result();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } finally {
      if (pacer != null) {
        pacer.stop();
      }
      for (LoadConnection connection : connections()) {
        connection.close();
      }
    }
  }

  /** Watches idle connections, but neither their RDY nor their CLS. */
  private void hold(Selector selector) throws IOException {
    begin();
    endNs = System.nanoTime() + HOLD_AFTER_NS;
    loop(selector);
    probe.begin();
    endNs = System.nanoTime() + (long) (plan.seconds * 1e9);
    loop(selector);
    probe.end();
    closeConsumers(selector);
  }

  private List<LoadConnection> connections() {
    List<LoadConnection> all = new ArrayList<>(publishers);
    all.addAll(consumers);
    return all;
  }

  private void connect(Selector selector) throws IOException {
    ByteBuffer fins = ByteBuffer.allocateDirect(FINS_BYTES);
    List<String> topics = plan.topicNames();
    List<String> channels = plan.channelNames();
    for (int i = 0; i < plan.consumers; i++) {
      String topic = topics.get(i / channels.size() % topics.size());
      consumers.add(new LoadConsumer(plan, this, fins, topic, channels.get(i % channels.size())));
      checkStop();
    }
    for (int i = 0; i < plan.publishers; i++) {
      publishers.add(new LoadPublisher(plan, this));
    }
    for (LoadConnection connection : connections()) {
      connection.register(selector);
    }
  }

  private void begin() throws IOException {
    for (LoadConsumer consumer : consumers) {
      consumer.start();
    }
    startNs = System.nanoTime();
    lastOkNs = startNs;
    if (plan.seconds > 0) {
      endNs = startNs + (long) (plan.seconds * 1e9);
    }
    measureFromNs = startNs + (long) (plan.rampSeconds * 1e9);
    if (plan.rate > 0) {
      measureToNs = endNs - (long) (plan.tailSeconds * 1e9);
      pacer = new Pacer(publishers, 1e9 * plan.batch / plan.rate, plan.seconds * 1e9, plan.batch);
      pacer.start(startNs);
    } else {
      for (LoadPublisher publisher : publishers) {
        publisher.pump(startNs);
      }
    }
  }

  private void loop(Selector selector) throws IOException {
    long lastCount = -1;
    long lastChangeNs = startNs;
    while (true) {
      selector.select(this::handle, SELECT_MS);
      long nowNs = System.nanoTime();
      if (plan.window > 0 && pacer == null) {
        for (LoadPublisher publisher : publishers) {
          publisher.pump(nowNs);
        }
      }
      arrivals.note(nowNs, consumed);
      checkStop();
      if (isOver(nowNs)) {
        arrivals.end(nowNs, consumed);
        return;
      }
      long count = published + consumed;
      if (count != lastCount || isHolding()) {
        lastCount = count;
        lastChangeNs = nowNs;
      } else if (nowNs - lastChangeNs > STALL_NS) {
        throw new ToolException(
            plan.broker
                + ": silent for 30 s after "
                + published
                + " OKs and "
                + consumed
                + " deliveries");
      }
    }
  }

  private void handle(SelectionKey key) {
    LoadConnection connection = (LoadConnection) key.attachment();
    try {
      if (key.isReadable()) {
        connection.onReadable(in);
      }
      if (key.isWritable()) {
        connection.onWritable();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          new IOException(plan.broker + ": " + ToolException.describe(e), e));
    }
  }

  private void checkStop() {
    if (stop.stopped()) {
      throw new ToolException("stopped");
    }
    if (pacer != null && pacer.failure() != null) {
      throw new ToolException(plan.broker + ": " + pacer.failure());
    }
  }

  private boolean isHolding() {
    return plan.publishers == 0 && plan.drain == 0;
  }

  private boolean isOver(long nowNs) {
    if (isHolding()) {
      return nowNs - endNs >= 0;
    }
    if (plan.publishers > 0 && !publishingOver) {
      publishingOver = publishersDone(nowNs);
      consumedWhilePublishing = consumed;
    }
    if (plan.publishers == 0) {
      return consumed >= plan.drain;
    }
    return publishingOver && (plan.consumers == 0 || consumed >= published * plan.channels);
  }

  private boolean publishersDone(long nowNs) {
    if (pacer != null) {
      return pacer.isDone() && published >= pacer.sentMessages();
    }
    if (!over(nowNs) && (plan.count == 0 || claimed < plan.count)) {
      return false;
    }
    for (LoadPublisher publisher : publishers) {
      if (publisher.outstanding() > 0) {
        return false;
      }
    }
    return true;
  }

  /** CLS is answered when the FINs before it have been handled. */
  private void closeConsumers(Selector selector) throws IOException {
    for (LoadConsumer consumer : consumers) {
      consumer.startClose();
    }
    long deadlineNs = System.nanoTime() + WIND_UP_NS;
    while (!consumers.stream().allMatch(LoadConsumer::isClosed)) {
      if (System.nanoTime() - deadlineNs > 0) {
        throw new ToolException(plan.broker + ": no answer to CLS within 5 s");
      }
      selector.select(this::handle, SELECT_MS);
    }
  }

  private LoadResult result() {
    long[] point = arrivals.reached((long) Math.ceil(consumed * 0.99));
    return new LoadResult(
        published,
        (lastOkNs - startNs) / 1e9,
        consumed,
        consumedWhilePublishing,
        point[1],
        Math.max(0, point[0] - startNs) / 1e9,
        redelivered,
        refusedFins,
        toOk,
        endToEnd);
  }

  // ---------------------------------------------------------------- for the connections

  /** Marks this run's messages. */
  long id() {
    return id;
  }

  boolean isPaced() {
    return pacer != null;
  }

  /** When the n-th command of a paced publisher was due. */
  long dueNs(LoadPublisher publisher, long n) {
    return pacer.dueNs(publisher, n);
  }

  private boolean over(long nowNs) {
    return endNs != Long.MAX_VALUE && nowNs - endNs >= 0;
  }

  /** Asks to publish a batch; false when it must not, now or ever again. */
  boolean claim(int messages, long nowNs) {
    if (over(nowNs)
        || (plan.count > 0 && claimed >= plan.count)
        || (plan.window > 0 && claimed - consumed / plan.channels >= plan.window)) {
      return false;
    }
    claimed += messages;
    return true;
  }

  /** An OK came. */
  void published(int messages, long sinceNs, long nowNs) {
    published += messages;
    lastOkNs = nowNs;
    if (measures(sinceNs)) {
      toOk.recordValue(latency(sinceNs, nowNs));
    }
  }

  boolean measuresEndToEnd() {
    return plan.publishers > 0;
  }

  /** Messages with this time in them came. */
  void arrived(long sinceNs, long nowNs, int messages) {
    if (measures(sinceNs)) {
      endToEnd.recordValueWithCount(latency(sinceNs, nowNs), messages);
    }
  }

  private boolean measures(long sinceNs) {
    return sinceNs - measureFromNs >= 0
        && (measureToNs == Long.MAX_VALUE || sinceNs - measureToNs < 0);
  }

  private static long latency(long sinceNs, long nowNs) {
    return Math.max(0, Math.min(nowNs - sinceNs, MAX_LATENCY_NS));
  }

  void consumed(int messages) {
    consumed += messages;
  }

  void redelivered() {
    redelivered++;
  }

  void finRefused() {
    refusedFins++;
  }
}
