package io.holdfast.tools.bench.suite;

import io.holdfast.tools.bench.suite.Reading.Better;
import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.util.List;

/** The workloads about starting and about standing still. */
final class IdleWorkloads {
  /** Files that this process and the broker need besides the connections. */
  private static final int OTHER_FILES = 200;

  private IdleWorkloads() {}

  static List<Workload> all() {
    return List.of(
        new Workload(
            "start",
            "an empty broker: start to /ping OK, memory, CPU",
            null,
            (run, to) -> {
              to.headline("start s", run.broker().startSeconds(), Better.LESS);
              run.broker().settle();
              standStill(run, to, true);
            }),
        new Workload(
            "restart",
            "kill -9 with a backlog of 10M (--restart-count): start to /ping OK, memory, drain",
            null,
            IdleWorkloads::restart),
        new Workload(
            "manytopics",
            "1000 topics (--many-topics) x 2 channels: restart, memory, CPU when idle",
            null,
            IdleWorkloads::manyTopics),
        new Workload(
            "idle",
            "10,000 idle subscribed connections (--idle-connections): memory, CPU",
            null,
            IdleWorkloads::connections));
  }

  private static void restart(WorkloadRun run, Readings to) throws IOException {
    BrokerProcess broker = run.broker();
    long published =
        Workloads.published(run, 1, run.options().restartCount(), 0).published().messages();
    broker.kill();
    broker.start();
    to.headline("start s", broker.startSeconds(), Better.LESS);
    long left = broker.http().depth(WorkloadRun.TOPIC);
    to.note("messages published", published);
    to.headline("messages after kill -9", left, Better.NEITHER);
    broker.settle();
    standStill(run, to, false);
    if (left > 0) {
      run.resetCost();
      var result = Workloads.drained(run, WorkloadRun.TOPIC, 1, left);
      to.detail("drain msg/s", result.consumed().perSecond(), Better.MORE);
      to.headline("RSS peak MB", broker.memoryMb("VmHWM"), Better.LESS);
    }
  }

  private static void manyTopics(WorkloadRun run, Readings to) throws IOException {
    BrokerProcess broker = run.broker();
    run.create(run.plan(WorkloadRun.TOPIC).topics(run.options().manyTopics()).channels("ch", 2));
    broker.terminate();
    broker.start();
    to.headline("start s", broker.startSeconds(), Better.LESS);
    broker.settle();
    standStill(run, to, true);
  }

  private static void connections(WorkloadRun run, Readings to) throws IOException {
    int connections = run.options().idleConnections();
    long limit = ProcFs.openFilesLimit();
    if (limit < connections + OTHER_FILES) {
      throw new ToolException(
          "idle needs "
              + (connections + OTHER_FILES)
              + " open files, the limit is "
              + limit
              + " (ulimit -n, --idle-connections)");
    }
    double freshMb = run.broker().memoryMb("VmRSS");
    run.load(run.plan(WorkloadRun.TOPIC).consume(connections, 1).hold(run.options().idleSeconds()));
    to.headline("RSS peak MB", run.broker().memoryMb("VmHWM"), Better.LESS);
    to.headline("CPU %", run.brokerCpuPercent(), Better.LESS);
    double peakMb = run.broker().memoryMb("VmHWM");
    to.detail("RSS KB/connection", (peakMb - freshMb) * 1024 / connections, Better.LESS);
    to.note("threads", run.broker().threads());
    run.others(to);
  }

  private static void standStill(WorkloadRun run, Readings to, boolean headline)
      throws IOException {
    run.resetCost();
    run.idle(run.options().idleSeconds());
    double rssMb = run.broker().memoryMb("VmRSS");
    double cpuPercent = run.brokerCpuPercent();
    if (headline) {
      to.headline("RSS MB", rssMb, Better.LESS).headline("CPU %", cpuPercent, Better.LESS);
    } else {
      to.detail("RSS MB", rssMb, Better.LESS).detail("CPU %", cpuPercent, Better.LESS);
    }
    to.note("threads", run.broker().threads());
    run.others(to);
  }
}
