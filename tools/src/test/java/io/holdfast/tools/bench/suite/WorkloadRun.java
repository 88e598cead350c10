package io.holdfast.tools.bench.suite;

import com.sun.management.OperatingSystemMXBean;
import io.holdfast.tools.bench.load.LoadPlan;
import io.holdfast.tools.bench.load.LoadProbe;
import io.holdfast.tools.bench.load.LoadResult;
import io.holdfast.tools.bench.load.LoadRun;
import io.holdfast.tools.bench.suite.Reading.Better;
import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.StopSignal;
import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.List;

/** A workload's view of its run: the broker, and what it has cost since the last {@link #load}. */
final class WorkloadRun {
  /** Topic of what is measured. */
  static final String TOPIC = "load";

  /** Topic of the warm-up. */
  static final String WARM = "warm";

  private final BrokerProcess broker;
  private final SuiteOptions options;
  private final StopSignal stop;
  private final OperatingSystemMXBean system =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

  // Since resetCost: costs of the loads added up.
  private double brokerCpuS;
  private double clientCpuS;
  private double machineCpuS;
  private double wallS;

  WorkloadRun(BrokerProcess broker, SuiteOptions options, StopSignal stop) {
    this.broker = broker;
    this.options = options;
    this.stop = stop;
  }

  BrokerProcess broker() {
    return broker;
  }

  SuiteOptions options() {
    return options;
  }

  LoadPlan plan(String topic) {
    return new LoadPlan(List.of(broker.tcp()), topic);
  }

  /** Creates the topics and channels that a plan uses. */
  void create(LoadPlan plan) throws IOException {
    broker.http().create(plan.topicNames(), plan.channelNames());
  }

  /** Removes topics of the warm-up and lets the broker come to rest. */
  void remove(LoadPlan plan) throws IOException {
    broker.http().delete(plan.topicNames());
  }

  /**
   * @throws ToolException when it was stopped, something broke, or messages are missing
   */
  LoadResult load(LoadPlan plan) throws IOException {
    LoadResult result = new LoadRun(plan, new Probe(), stop).run();
    if (stop.stopped()) {
      throw new ToolException("stopped");
    }
    if (!result.failures().isEmpty()) {
      throw new ToolException(String.join("; ", result.failures()));
    }
    if (result.lost() > 0) {
      throw new ToolException(Quantities.count(result.lost(), "message") + " did not arrive");
    }
    return result;
  }

  /** Forgets what the loads so far have cost. */
  void resetCost() {
    brokerCpuS = 0;
    clientCpuS = 0;
    machineCpuS = 0;
    wallS = 0;
  }

  /**
   * Adds what the loads have cost.
   *
   * @param messages all together
   * @param headline whether CPU per message is what the workload is about
   */
  void cost(Readings to, long messages, boolean headline) throws IOException {
    double perMessage = messages == 0 ? 0 : 1e6 / messages;
    if (headline) {
      to.headline("broker us/msg", brokerCpuS * perMessage, Better.LESS);
    } else {
      to.detail("broker us/msg", brokerCpuS * perMessage, Better.LESS);
    }
    to.note("broker cores", brokerCpuS / wallS);
    to.note("client us/msg", clientCpuS * perMessage);
    to.note("client cores", clientCpuS / wallS);
    others(to);
    to.detail("RSS peak MB", broker.memoryMb("VmHWM"), Better.LESS);
  }

  /** CPU of the broker in percent of one core. */
  double brokerCpuPercent() {
    return 100 * brokerCpuS / wallS;
  }

  void others(Readings to) {
    to.note(Readings.OTHER_CORES, Math.max(0, machineCpuS - brokerCpuS - clientCpuS) / wallS);
  }

  /** Does nothing for a while, at the cost that the broker has then. */
  void idle(double seconds) throws IOException {
    Probe probe = new Probe();
    probe.begin();
    broker.pause((long) (seconds * 1000));
    probe.end();
  }

  /** Looks at the clocks before and after a load. */
  private final class Probe implements LoadProbe {
    private double broker0;
    private double client0;
    private double machine0;
    private long wall0;

    @Override
    public void begin() throws IOException {
      broker0 = broker.cpuSeconds();
      client0 = system.getProcessCpuTime() / 1e9;
      machine0 = ProcFs.machineBusySeconds();
      wall0 = System.nanoTime();
    }

    @Override
    public void end() throws IOException {
      brokerCpuS += broker.cpuSeconds() - broker0;
      clientCpuS += system.getProcessCpuTime() / 1e9 - client0;
      machineCpuS += ProcFs.machineBusySeconds() - machine0;
      wallS += (System.nanoTime() - wall0) / 1e9;
    }
  }
}
