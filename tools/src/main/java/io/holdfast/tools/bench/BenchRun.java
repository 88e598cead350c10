package io.holdfast.tools.bench;

import io.holdfast.tools.Progress;
import io.holdfast.tools.StopSignal;
import io.holdfast.tools.ToolException;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.ConnectOptions;
import io.holdfast.tools.client.NsqConnection;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One run: connects everybody, lets them go, waits, and adds up. Runs on the command's thread. */
final class BenchRun {
  private static final Logger log = LoggerFactory.getLogger(BenchRun.class);
  private static final long POLL_MS = 5;

  /** How long a publisher may wait for its last OKs, and a consumer for CLOSE_WAIT. */
  private static final int WIND_UP_MS = 5_000;

  /** How long nothing at all may happen while publishing. */
  private static final long STALL_NS = 30_000_000_000L;

  /** Share of all deliveries after which the rest counts as the broker's output buffering. */
  private static final double RATE_SHARE = 0.99;

  private final BenchPlan plan;
  private final BenchOptions options;
  private final StopSignal stop;
  private final Progress progress;
  private long startNs;
  private final Schedule schedule;
  private final List<BrokerAddress> brokers;
  private final List<String> topics;
  private final long runId = ThreadLocalRandom.current().nextLong() | 1;

  private final List<Worker> publishers = new ArrayList<>();
  private final List<Subscriber> subscribers = new ArrayList<>();

  // How many had been consumed when, one point per poll after the warm-up.
  private final List<long[]> timeline = new ArrayList<>();
  private ProcessCpu cpu;

  BenchRun(BenchPlan plan, BenchOptions options, StopSignal stop, Progress progress)
      throws IOException {
    this.plan = plan;
    this.options = options;
    this.stop = stop;
    this.progress = progress;
    this.schedule = new Schedule(plan.publish() ? options.count() : 0, plan.window());
    this.topics = options.topicNames();
    this.brokers = List.copyOf(options.brokers().accepting(topics.get(0)));
    if (brokers.isEmpty()) {
      throw new ToolException("nsqlookupd knows no broker");
    }
  }

  /**
   * Runs to the end, or until stopped, which still gives a result.
   *
   * @return what was measured
   * @throws IOException when a broker cannot be reached
   */
  BenchResult run() throws IOException, InterruptedException {
    try {
      connect();
      schedule.begin(
          System.nanoTime(),
          (long) (options.warmup() * 1e9),
          options.timed() ? (long) (options.seconds() * 1e9) : Long.MAX_VALUE);
      schedule.countOutstanding(
          () ->
              sum(publishers, w -> w.tally().all())
                  - sum(subscribers, Subscriber::own) / Math.max(1, plan.channels()));
      stop.onStop(schedule::stop);
      startNs = System.nanoTime();
      cpu = ProcessCpu.begin(this::messagesSoFar);
      startAll();
      if (options.warmup() > 0) {
        awaitWarmup();
        cpu = ProcessCpu.begin(this::messagesSoFar);
      }
      if (plan.publish()) {
        awaitPublishers();
        if (plan.consume()) {
          awaitConsumers(true);
        }
      } else {
        awaitConsumers(false);
      }
      cpu.end();
      closeSubscribers();
      return result();
    } finally {
      progress.end();
      publishers.forEach(Worker::close);
      subscribers.forEach(Worker::close);
    }
  }

  private long messagesSoFar() {
    return sum(publishers, w -> w.tally().all()) + sum(subscribers, w -> w.tally().all());
  }

  private void connect() throws IOException {
    ConnectOptions connect =
        ConnectOptions.defaults("bench")
            .over(options.wire())
            .withReadTimeoutMs(0)
            .withOutputBufferTimeoutMs(options.outputBufferTimeoutMs());
    if (plan.consume()) {
      int perChannel = Math.max(options.subConns(), brokers.size());
      for (String topic : topics) {
        for (String channel : options.channelNames(plan.channels())) {
          for (int i = 0; i < perChannel; i++) {
            NsqConnection conn = open(i, connect);
            subscribers.add(new Subscriber(conn, schedule, plan.publish() ? runId : 0));
            conn.subscribe(topic, channel);
          }
        }
      }
    }
    if (plan.publish()) {
      for (int i = 0; i < options.conns(); i++) {
        publishers.add(publisher(open(i, connect), i));
      }
    }
  }

  private NsqConnection open(int index, ConnectOptions connect) throws IOException {
    BrokerAddress address = brokers.get(index % brokers.size());
    try {
      return NsqConnection.open(address, connect);
    } catch (IOException e) {
      throw new ToolException(address + ": " + ToolException.describe(e), e);
    }
  }

  private Worker publisher(NsqConnection conn, int index) {
    if (plan.ratePerSecond() == 0) {
      return new ClosedLoopPublisher(conn, schedule, options, topics, runId);
    }
    List<PubTemplate> templates =
        topics.stream()
            .map(topic -> new PubTemplate(topic, options.batch(), options.size(), runId))
            .toList();
    double commandsPerSecond = plan.ratePerSecond() / options.batch();
    double betweenNs = 1e9 / commandsPerSecond;
    long commands = (options.count() + options.batch() - 1) / options.batch();
    long share = (commands + options.conns() - 1 - index) / options.conns();
    return new OpenLoopPublisher(
        conn,
        schedule,
        templates,
        betweenNs * options.conns(),
        betweenNs * index,
        options.count() == 0 ? Long.MAX_VALUE : share);
  }

  private void startAll() throws IOException {
    for (int i = 0; i < subscribers.size(); i++) {
      subscribers.get(i).start("sub-" + i);
      subscribers.get(i).conn.ready(options.rdy());
    }
    for (int i = 0; i < publishers.size(); i++) {
      publishers.get(i).start("pub-" + i);
    }
  }

  private void awaitWarmup() {
    while (!schedule.measures(System.nanoTime()) && !stop.stopped() && failures().isEmpty()) {
      stop.await(POLL_MS);
    }
  }

  private void awaitPublishers() throws InterruptedException {
    long lastCount = -1;
    long lastChangeNs = System.nanoTime();
    while (publishers.stream().anyMatch(Worker::running)
        && !stop.stopped()
        && !schedule.over(System.nanoTime())) {
      note();
      long count = messagesSoFar();
      if (count != lastCount) {
        lastCount = count;
        lastChangeNs = System.nanoTime();
      } else if (System.nanoTime() - lastChangeNs > STALL_NS) {
        break;
      }
      stop.await(POLL_MS);
    }
    schedule.stop();
    long deadlineNs = System.nanoTime() + WIND_UP_MS * 1_000_000L;
    for (Worker publisher : publishers) {
      while (publisher.running() && System.nanoTime() - deadlineNs < 0) {
        note();
        publisher.join(POLL_MS);
      }
      if (publisher.running()) {
        publisher.giveUp("the broker does not answer any more");
        publisher.join(WIND_UP_MS);
      }
    }
  }

  /** Until everything published has come, the count is reached, or nothing more comes. */
  private void awaitConsumers(boolean published) {
    long lastCount = -1;
    long lastChangeNs = System.nanoTime();
    while (!stop.stopped() && failures().isEmpty()) {
      note();
      long nowNs = System.nanoTime();
      long count = sum(subscribers, w -> w.tally().all());
      if (published
          ? sum(subscribers, Subscriber::own) >= expected()
          : options.count() > 0
              ? sum(subscribers, w -> w.tally().measured()) >= options.count()
              : schedule.over(nowNs)) {
        return;
      }
      if (count != lastCount) {
        lastCount = count;
        lastChangeNs = nowNs;
      } else if (nowNs - lastChangeNs > options.idleNs()) {
        return;
      }
      stop.await(POLL_MS);
    }
  }

  private long expected() {
    return options.size() < BenchBody.HEADER
        ? Long.MAX_VALUE
        : sum(publishers, w -> w.tally().all()) * plan.channels();
  }

  /** What there is to do is known in messages, or in time: then by how fast it went so far. */
  private void showProgress(long nowNs) {
    long messages = messagesSoFar();
    long bytes = messages * options.size();
    double part = (nowNs - startNs) / 1e9 / (options.warmup() + options.seconds());
    long commands = (plan.publish() ? 1 : 0) + (plan.consume() ? plan.channels() : 0);
    progress.expect(
        options.timed()
            ? (long) (bytes / Math.max(1e-9, Math.min(1, part)))
            : options.count() * commands * options.size());
    progress.show(bytes, messages);
  }

  private void note() {
    long nowNs = System.nanoTime();
    showProgress(nowNs);
    if (plan.consume() && schedule.measures(nowNs)) {
      timeline.add(new long[] {nowNs, sum(subscribers, w -> w.tally().measured())});
    }
  }

  private void closeSubscribers() throws InterruptedException {
    for (Subscriber subscriber : subscribers) {
      try {
        if (subscriber.running()) {
          subscriber.conn.startClose(WIND_UP_MS);
        }
      } catch (IOException e) {
        log.debug("CLS to {}", subscriber.conn.address(), e);
      }
    }
    long deadlineNs = System.nanoTime() + WIND_UP_MS * 1_000_000L;
    for (Subscriber subscriber : subscribers) {
      if (!subscriber.join((deadlineNs - System.nanoTime()) / 1_000_000)) {
        subscriber.close();
        subscriber.join(WIND_UP_MS);
      }
    }
  }

  private BenchResult result() {
    boolean knowsLoss = plan.publish() && plan.consume() && options.size() >= BenchBody.HEADER;
    return new BenchResult(
        plan,
        brokers.stream().map(BrokerAddress::toString).toList(),
        topics,
        options.size(),
        options.batch(),
        publishers.size(),
        subscribers.size(),
        plan.publish() ? publishedFlow() : null,
        plan.consume() ? consumedFlow() : null,
        knowsLoss ? Math.max(0, expected() - sum(subscribers, Subscriber::own)) : 0,
        sum(subscribers, Subscriber::foreign),
        sum(subscribers, Subscriber::redelivered),
        sum(subscribers, Subscriber::errors),
        cpu.nanos(),
        cpu.messages(),
        failures());
  }

  private BenchResult.Flow publishedFlow() {
    long messages = sum(publishers, w -> w.tally().measured());
    long lastNs = publishers.stream().mapToLong(w -> w.tally().lastNs()).max().orElse(0);
    double seconds = Math.max(0, (lastNs - schedule.measureNs()) / 1e9);
    return new BenchResult.Flow(messages, messages == 0 ? 0 : seconds, merged(publishers));
  }

  /** To the moment at which 99 % had come: a broker may sit on the last few until a timer fires. */
  private BenchResult.Flow consumedFlow() {
    long messages = sum(subscribers, w -> w.tally().measured());
    double share = messages * RATE_SHARE;
    long at = timeline.size() - 1;
    for (int i = 0; i < timeline.size(); i++) {
      if (timeline.get(i)[1] >= share) {
        at = i;
        break;
      }
    }
    double seconds = 0;
    if (at >= 0 && messages > 0) {
      long[] point = timeline.get((int) at);
      double part = point[1] / (double) messages;
      seconds = part == 0 ? 0 : (point[0] - schedule.measureNs()) / 1e9 / part;
    }
    return new BenchResult.Flow(messages, seconds, plan.publish() ? merged(subscribers) : null);
  }

  private static Histogram merged(List<? extends Worker> workers) {
    Histogram all = new Histogram(workers.get(0).latency());
    all.reset();
    workers.forEach(worker -> all.add(worker.latency()));
    return all;
  }

  private List<String> failures() {
    return Stream.concat(publishers.stream(), subscribers.stream())
        .map(Worker::failure)
        .filter(Objects::nonNull)
        .distinct()
        .toList();
  }

  private static <W extends Worker> long sum(List<W> workers, ToLongFunction<W> count) {
    long sum = 0;
    for (W worker : workers) {
      sum += count.applyAsLong(worker);
    }
    return sum;
  }
}
