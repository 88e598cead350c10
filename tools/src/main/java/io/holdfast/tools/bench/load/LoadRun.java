package io.holdfast.tools.bench.load;

import io.holdfast.tools.cli.StopSignal;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.client.BrokerAddress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run of load: connects, lets go, waits for the end, adds up. Everything happens on the calling
 * thread, except that a paced run has a {@link Pacer}, and connections that are encrypted or
 * compressed have a {@link StreamBridge}.
 */
public final class LoadRun {
  private static final Logger log = LoggerFactory.getLogger(LoadRun.class);
  private static final int IN_BYTES = 256 << 10;
  private static final int FINS_BYTES = 64 << 10;
  private static final long SELECT_MS = 5;
  private static final long TICK_NS = 1_000_000;

  /** How long nothing at all may come while something is due. */
  private static final long STALL_NS = 30_000_000_000L;

  /** How long the last OKs may take, and the answers to CLS. */
  private static final long WIND_UP_NS = 5_000_000_000L;

  private final LoadPlan plan;
  private final LoadProbe probe;
  private final StopSignal stop;
  private final LoadCounts counts;
  private final List<LoadPublisher> publishers = new ArrayList<>();
  private final List<LoadConsumer> consumers = new ArrayList<>();

  /** The first one of each broker. */
  private final Map<BrokerAddress, String> failures = new LinkedHashMap<>();

  private ByteBuffer in;
  private Selector selector;
  private Pacer pacer;
  private long measureFromNs;
  private boolean measuring;
  private long endNs = Long.MAX_VALUE;
  private boolean publishing;

  // What there is to publish: claimed by a publisher, sent or about to be.
  private long claimed;
  private long claimedOfCount;

  // When what has come was last looked at, and when it last changed.
  private long nowNs;
  private long tickNs;
  private long changeNs;
  private long changeCount;

  /**
   * @param plan what to do
   * @param probe told when the measurement begins and ends
   * @param stop ends the run early
   */
  public LoadRun(LoadPlan plan, LoadProbe probe, StopSignal stop) {
    this.plan = plan;
    this.probe = probe;
    this.stop = stop;
    this.counts = new LoadCounts(plan);
    this.in = ByteBuffer.allocateDirect(IN_BYTES);
  }

  /**
   * Runs to the end, or until stopped or something breaks, which still gives a result.
   *
   * @return what was measured
   * @throws ToolException when a broker cannot be reached or refuses a connection
   * @throws IOException when the probe cannot look
   */
  public LoadResult run() throws IOException {
    try (Selector open = Selector.open()) {
      selector = open;
      connect();
      begin();
      if (plan.publishers > 0) {
        publish();
      }
      if (plan.consumers > 0) {
        consume();
      }
      if (!plan.holds) {
        closeConsumers(); // The broker has handled all FINs when it answers.
      }
      beginToMeasure();
      probe.end();
      if (plan.holds) {
        closeConsumers();
      }
      return counts.result(List.copyOf(failures.values()));
    } finally {
      if (pacer != null) {
        pacer.stop();
      }
      for (LoadConnection connection : connections()) {
        connection.close();
      }
    }
  }

  private List<LoadConnection> connections() {
    List<LoadConnection> all = new ArrayList<>(publishers);
    all.addAll(consumers);
    return all;
  }

  private void connect() throws IOException {
    ByteBuffer fins = ByteBuffer.allocateDirect(FINS_BYTES);
    List<String> topics = plan.topicNames();
    List<String> channels = plan.channelNames();
    for (int i = 0; i < plan.consumers && !stop.stopped(); i++) {
      String topic = topics.get(i / channels.size() % topics.size());
      String channel = channels.get(i % channels.size());
      BrokerAddress broker = broker(i / channels.size() / topics.size());
      consumers.add(new LoadConsumer(plan, broker, counts, fins, topic, channel));
    }
    for (int i = 0; i < plan.publishers && !stop.stopped(); i++) {
      publishers.add(new LoadPublisher(plan, broker(i), this, counts));
    }
    for (LoadConnection connection : connections()) {
      connection.register(selector);
    }
  }

  private BrokerAddress broker(int index) {
    return plan.brokers.get(index % plan.brokers.size());
  }

  private void begin() throws IOException {
    if (plan.warmupSeconds == 0) {
      beginToMeasure();
    }
    for (LoadConsumer consumer : consumers) {
      attempt(consumer, consumer::start);
    }
    long startNs = System.nanoTime();
    nowNs = startNs;
    measureFromNs = startNs + (long) (plan.warmupSeconds * 1e9);
    double lengthNs = plan.seconds > 0 ? plan.seconds * 1e9 : Double.POSITIVE_INFINITY;
    if (plan.seconds > 0) {
      endNs = measureFromNs + (long) lengthNs;
    }
    counts.measure(
        measureFromNs, plan.rate > 0 && plan.seconds > 0 ? endNs - tailNs() : Long.MAX_VALUE);
    publishing = true;
    if (plan.rate > 0) {
      long commands = (plan.count + plan.batch - 1) / plan.batch;
      pacer =
          new Pacer(
              publishers,
              1e9 * plan.batch / plan.rate,
              startNs,
              plan.warmupSeconds * 1e9 + lengthNs,
              plan.count == 0 ? Long.MAX_VALUE : commands);
      pacer.start();
    } else {
      pump();
    }
  }

  private long tailNs() {
    return (long) (plan.tailSeconds * 1e9);
  }

  /** The first time, and at the latest when it ends. */
  private void beginToMeasure() throws IOException {
    if (!measuring) {
      measuring = true;
      probe.begin();
    }
  }

  /** Lets all publishers send what they may. */
  private void pump() {
    for (LoadPublisher publisher : publishers) {
      attempt(publisher, () -> publisher.pump(nowNs));
    }
  }

  // ---------------------------------------------------------------- the loop

  /** Until a condition holds, the run is to end, or for too long nothing has come. */
  private void loopUntil(BooleanSupplier done, double silenceNs) throws IOException {
    changeNs = nowNs;
    while (!done.getAsBoolean()
        && !stop.stopped()
        && failures.isEmpty()
        && nowNs - changeNs <= silenceNs) {
      turn();
    }
  }

  /** Until a condition holds, but not for long. */
  private void windUp(BooleanSupplier done) throws IOException {
    long deadlineNs = nowNs + WIND_UP_NS;
    while (!done.getAsBoolean() && nowNs - deadlineNs < 0) {
      turn();
    }
  }

  /** One look at all connections. */
  private void turn() throws IOException {
    selector.select(this::handle, SELECT_MS);
    nowNs = System.nanoTime();
    if (nowNs - measureFromNs >= 0) {
      beginToMeasure();
    }
    if (plan.window > 0 && pacer == null) {
      pump();
    }
    if (pacer != null && pacer.failure() != null) {
      broken(pacer.failedOn(), pacer.failure());
    }
    long count = counts.inAll();
    if (count != changeCount) {
      changeCount = count;
      changeNs = nowNs;
    }
    if (nowNs - tickNs >= TICK_NS) {
      tickNs = nowNs;
      counts.note(nowNs);
      probe.goesOn(count);
    }
  }

  private void handle(SelectionKey key) {
    LoadConnection connection = (LoadConnection) key.attachment();
    if (key.isValid() && key.isReadable()) {
      attempt(connection, () -> connection.onReadable(this));
    }
    if (key.isValid() && key.isWritable()) {
      attempt(connection, connection::onWritable);
    }
  }

  private interface Step {
    void run() throws IOException;
  }

  /** A connection that breaks is closed and ends the run. */
  private void attempt(LoadConnection connection, Step step) {
    try {
      step.run();
    } catch (IOException e) {
      broken(connection, e);
    }
  }

  private void broken(LoadConnection connection, IOException why) {
    failures.putIfAbsent(
        connection.address(), connection.address() + ": " + ToolException.describe(why));
    try {
      connection.close();
    } catch (IOException e) {
      log.debug("closing a connection to {}", connection.address(), e);
    }
  }

  // ---------------------------------------------------------------- the phases

  private void publish() throws IOException {
    loopUntil(this::allPublished, STALL_NS);
    publishing = false;
    if (pacer != null) {
      pacer.stop();
    }
    windUp(
        () -> (pacer == null || pacer.isDone()) && publishers.stream().allMatch(this::isAnswered));
    for (LoadPublisher publisher : publishers) {
      if (!isAnswered(publisher)) {
        broken(publisher, new IOException("the broker does not answer any more"));
      }
    }
    counts.publishingEnds();
  }

  private boolean isAnswered(LoadPublisher publisher) {
    return publisher.outstanding() == 0;
  }

  private boolean allPublished() {
    if (pacer != null) {
      return pacer.isDone();
    }
    return isOver()
        || (plan.count > 0
            && claimedOfCount >= plan.count
            && publishers.stream().allMatch(this::isAnswered));
  }

  private boolean isOver() {
    return endNs != Long.MAX_VALUE && nowNs - endNs >= 0;
  }

  /** Until everything published has come, the count or the time is reached, or nothing comes. */
  private void consume() throws IOException {
    loopUntil(this::allConsumed, plan.idleSeconds * 1e9);
    counts.consumingEnds(nowNs);
  }

  private boolean allConsumed() {
    if (plan.publishers > 0) {
      return plan.isStamped() && counts.own() >= counts.expected();
    }
    return plan.count > 0 ? counts.consumed() >= plan.count : isOver();
  }

  private void closeConsumers() throws IOException {
    for (LoadConsumer consumer : consumers) {
      if (!consumer.isClosed()) {
        attempt(consumer, consumer::startClose);
      }
    }
    windUp(() -> consumers.stream().allMatch(LoadConsumer::isClosed));
  }

  // ---------------------------------------------------------------- for the connections

  /**
   * The loop's input buffer.
   *
   * @param least bytes that it must have room for
   */
  ByteBuffer input(int least) {
    if (in.capacity() < least) {
      in = ByteBuffer.allocateDirect(Math.max(least, 2 * in.capacity()));
    }
    return in;
  }

  boolean isPaced() {
    return pacer != null;
  }

  /** When the n-th command of a paced publisher was due. */
  long dueNs(LoadPublisher publisher, long n) {
    return pacer.dueNs(publisher, n);
  }

  /**
   * Asks to publish; during the warm-up it costs nothing of the count.
   *
   * @return how many messages are granted; 0 when it must not, now or ever again
   */
  int claim(int messages, long now) {
    if (!publishing
        || (endNs != Long.MAX_VALUE && now - endNs >= 0)
        || (plan.window > 0 && claimed - counts.own() / plan.channels >= plan.window)) {
      return 0;
    }
    int granted = messages;
    if (plan.count > 0 && now - measureFromNs >= 0) {
      granted = (int) Math.min(messages, plan.count - claimedOfCount);
      claimedOfCount += granted;
    }
    claimed += granted;
    return granted;
  }
}
