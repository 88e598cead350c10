package io.holdfast.tools.bench.suite;

import io.holdfast.tools.bench.load.LoadPlan;
import io.holdfast.tools.bench.load.LoadResult;
import io.holdfast.tools.bench.suite.Reading.Better;
import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;

/** The workloads of load; those about starting and standing still are in {@link IdleWorkloads}. */
final class Workloads {
  private static final int BODY = 200;
  private static final int BATCH = 200;
  private static final int RDY = 2500;
  private static final int BIG_BODY = 64 << 10;
  private static final int MANY_TOPICS = 200;
  private static final double LATENCY_RATE = 10_000;
  private static final double RAMP_S = 1;

  /** nsqd may hold its last messages back for 250 ms. */
  private static final double TAIL_S = 0.5;

  private Workloads() {}

  /** All workloads, in the order in which they run. */
  static List<Workload> all() {
    return Stream.concat(load().stream(), IdleWorkloads.all().stream()).toList();
  }

  /** Those that put load on the broker: what a change of code may make slower. */
  static List<Workload> load() {
    return List.of(
        publish("pub200", "MPUB 200 x 200 B, 2 connections, one channel, nobody reads", 2, BATCH),
        drain(),
        both(
            "both200",
            "MPUB 200 x 200 B and consumption at once, 2 + 2 connections, unlimited backlog",
            plan -> plan.publish(2, BODY, BATCH, 1).consume(2, RDY)),
        publish("pub1", "PUB one by one, 200 B, 2 connections closed loop", 2, 1),
        publish("pub1x50", "PUB one by one, 200 B, 50 connections closed loop", 50, 1),
        backlog("fan5", "5 channels: publish all, then drain all", 5, SuiteOptions::fanCount),
        both(
            "big",
            "64 KiB bodies, PUB pipeline 4, at most 512 messages in the broker",
            plan -> plan.publish(2, BIG_BODY, 1, 4).consume(2, 100).window(512)),
        latency(),
        both(
            "topics",
            "200 topics x 1 channel, PUB in turn, pipeline 50, at most 100k messages in the broker",
            plan ->
                plan.topics(MANY_TOPICS)
                    .publish(2, BODY, 1, 50)
                    .consume(MANY_TOPICS, 100)
                    .window(100_000)),
        backlog(
            "backlog", "publish a large backlog, then drain it", 1, SuiteOptions::backlogCount));
  }

  private static Workload publish(String name, String about, int connections, int batch) {
    return new Workload(
        name,
        about,
        (run, seconds) -> {
          LoadPlan plan = run.plan(WorkloadRun.WARM).publish(connections, BODY, batch, 1);
          run.create(plan);
          run.load(plan.seconds(seconds));
          run.remove(plan);
        },
        (run, to) -> {
          LoadPlan plan = run.plan(WorkloadRun.TOPIC).publish(connections, BODY, batch, 1);
          run.create(plan);
          LoadResult result = run.load(plan.seconds(run.options().seconds()));
          to.headline("pub msg/s", result.published().perSecond(), Better.MORE);
          percentiles(to, "pub->OK", "us", result.published().latencyNs(), 50, 99);
          run.cost(to, result.published().messages(), batch == 1);
        });
  }

  private static Workload both(String name, String about, Function<LoadPlan, LoadPlan> shape) {
    return new Workload(
        name,
        about,
        (run, seconds) -> {
          LoadPlan plan = shape.apply(run.plan(WorkloadRun.WARM));
          run.create(plan);
          run.load(plan.seconds(seconds));
          run.remove(plan);
        },
        (run, to) -> {
          LoadPlan plan = shape.apply(run.plan(WorkloadRun.TOPIC));
          run.create(plan);
          LoadResult result = run.load(plan.seconds(run.options().seconds()));
          to.headline("sub msg/s", result.consumeRateWhilePublishing(), Better.MORE);
          to.detail("pub msg/s", result.published().perSecond(), Better.MORE);
          to.detail("sub msg/s with drain", result.consumed().perSecond(), Better.MORE);
          if (name.equals("big")) {
            to.detail("sub MB/s", result.consumed().perSecond() * BIG_BODY / 1e6, Better.MORE);
          }
          percentiles(to, "e2e", "ms", result.consumed().latencyNs(), 50, 99);
          to.note("redelivered", result.redelivered());
          run.cost(to, result.consumed().messages(), name.equals("both200"));
        });
  }

  private static Workload latency() {
    return new Workload(
        "latency10k",
        "10k msg/s open loop, PUB on 2 connections, one consumer with RDY 100",
        (run, seconds) -> {
          LoadPlan plan = latencyPlan(run, WorkloadRun.WARM, seconds);
          run.create(plan);
          run.load(plan);
          run.remove(plan);
        },
        (run, to) -> {
          double seconds = run.options().latencySeconds() + RAMP_S + TAIL_S;
          LoadPlan plan = latencyPlan(run, WorkloadRun.TOPIC, seconds);
          run.create(plan);
          LoadResult result = run.load(plan);
          Histogram endToEnd = result.consumed().latencyNs();
          to.headline("e2e p50 ms", millis(endToEnd, 50), Better.LESS);
          to.headline("e2e p99 ms", millis(endToEnd, 99), Better.LESS);
          to.detail("e2e p99.9 ms", millis(endToEnd, 99.9), Better.LESS);
          to.detail("e2e max ms", endToEnd.getMaxValue() / 1e6, Better.LESS);
          percentiles(to, "pub->OK", "us", result.published().latencyNs(), 50, 99);
          to.note("sub msg/s", result.consumed().perSecond());
          run.cost(to, result.consumed().messages(), false);
        });
  }

  private static LoadPlan latencyPlan(WorkloadRun run, String topic, double seconds) {
    double ramp = Math.min(RAMP_S, seconds / 4);
    return run.plan(topic)
        .publish(2, BODY, 1, 1)
        .consume(1, 100)
        .warmup(ramp)
        .seconds(seconds - ramp)
        .rate(LATENCY_RATE, Math.min(TAIL_S, seconds / 4));
  }

  private static Workload drain() {
    return new Workload(
        "sub200",
        "drain of a backlog with FIN, 2 connections, RDY 2500",
        (run, seconds) -> warmBacklog(run, 1, run.options().subCount(), seconds),
        (run, to) -> {
          long count = published(run, 1, run.options().subCount(), 0).published().messages();
          run.broker().pause(1000);
          run.broker().settle();
          run.resetCost();
          LoadResult result = drained(run, WorkloadRun.TOPIC, 1, count);
          to.headline("sub msg/s", result.consumed().perSecond(), Better.MORE);
          run.cost(to, result.consumed().messages(), false);
        });
  }

  private static Workload backlog(
      String name, String about, int channels, ToLongFunction<SuiteOptions> count) {
    return new Workload(
        name,
        about,
        (run, seconds) -> warmBacklog(run, channels, count.applyAsLong(run.options()), seconds),
        (run, to) -> {
          LoadResult pub = published(run, channels, count.applyAsLong(run.options()), 0);
          double rssMb = run.broker().memoryMb("VmRSS");
          double dataMb = run.broker().dataMb();
          LoadResult sub = drained(run, WorkloadRun.TOPIC, channels, pub.published().messages());
          to.headline("pub msg/s", pub.published().perSecond(), Better.MORE);
          to.headline("drain msg/s", sub.consumed().perSecond(), Better.MORE);
          to.detail(
              "pub+drain s", pub.published().seconds() + sub.consumed().seconds(), Better.LESS);
          to.detail("RSS after pub MB", rssMb, Better.LESS);
          to.note("data dir MB", dataMb);
          run.cost(to, sub.consumed().messages(), false);
        });
  }

  private static void warmBacklog(WorkloadRun run, int channels, long count, double seconds)
      throws IOException {
    LoadPlan plan = backlogPlan(run, WorkloadRun.WARM, channels).count(count).seconds(seconds / 2);
    run.create(plan);
    LoadResult result = run.load(plan);
    drained(run, WorkloadRun.WARM, channels, result.published().messages());
    run.remove(plan);
  }

  private static LoadPlan backlogPlan(WorkloadRun run, String topic, int channels) {
    return run.plan(topic).channels("ch", channels).publish(2, BODY, BATCH, 1);
  }

  /** Publishes a backlog; the time is a limit, 0 for none. */
  static LoadResult published(WorkloadRun run, int channels, long count, double seconds)
      throws IOException {
    LoadPlan plan = backlogPlan(run, WorkloadRun.TOPIC, channels).count(count).seconds(seconds);
    run.create(plan);
    return run.load(plan);
  }

  static LoadResult drained(WorkloadRun run, String topic, int channels, long published)
      throws IOException {
    LoadResult result =
        run.load(
            run.plan(topic)
                .channels("ch", channels)
                .consume(Math.max(2, channels), RDY)
                .count(published * channels));
    long consumed = result.consumed().messages();
    if (consumed < published * channels) {
      throw new ToolException(consumed + " of " + published * channels + " came back");
    }
    return result;
  }

  private static void percentiles(
      Readings to, String what, String unit, Histogram histogram, double... points) {
    double scale = unit.equals("ms") ? 1e6 : 1e3;
    for (double point : points) {
      String name = what + " p" + (point == Math.rint(point) ? "" + (long) point : "" + point);
      to.detail(name + " " + unit, histogram.getValueAtPercentile(point) / scale, Better.LESS);
    }
  }

  private static double millis(Histogram histogram, double percentile) {
    return histogram.getValueAtPercentile(percentile) / 1e6;
  }
}
