package io.holdfast.tools.bench.peers;

import com.sun.management.OperatingSystemMXBean;
import io.holdfast.tools.bench.suite.ProcFs;
import io.holdfast.tools.cli.StopSignal;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.EnumMap;
import java.util.Map;

/** One server's run: loads it and keeps what was read off, and what it cost. */
final class PeerRun {
  /**
   * Where messages go.
   *
   * @param prompt whether few messages shall come fast
   */
  record Queue(String name, boolean prompt, Bodies bodies) {}

  private final PeerServer server;
  private final PeersOptions options;
  private final StopSignal stop;
  private final OperatingSystemMXBean system =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
  private final Map<Metric, Double> readings = new EnumMap<>(Metric.class);
  private double otherCores;
  private long duplicates;

  // Since begin.
  private double server0;
  private double client0;
  private double machine0;
  private long wall0;

  PeerRun(PeerServer server, PeersOptions options, StopSignal stop) {
    this.server = server;
    this.options = options;
    this.stop = stop;
  }

  PeerServer server() {
    return server;
  }

  Peer peer() {
    return server.peer();
  }

  PeersOptions options() {
    return options;
  }

  /** Creates an empty queue. */
  Queue queue(String name, boolean prompt) throws IOException {
    Protocol protocol = peer().protocol().open(name, prompt);
    PeerConnection.once(server.port(0), protocol, protocol::create);
    return new Queue(name, prompt, new Bodies());
  }

  /** Does a load to its end; every message must be confirmed, and if it consumes must arrive. */
  Load.Result load(Shape shape, Queue queue) throws IOException {
    Load load =
        new Load(
            shape,
            queue.bodies(),
            server::port,
            () -> peer().protocol().open(queue.name(), queue.prompt()),
            stop);
    Load.Result result = load.run();
    duplicates += shape.consumers() > 0 ? queue.bodies().duplicates() : 0;
    return result;
  }

  /** From here on it is measured. */
  void begin() throws IOException {
    server0 = server.cpuSeconds();
    client0 = system.getProcessCpuTime() / 1e9;
    machine0 = ProcFs.machineBusySeconds();
    wall0 = System.nanoTime();
  }

  /** What the server has used since {@link #begin}. */
  void cost(Metric metric, long messages) throws IOException {
    double cpu = server.cpuSeconds() - server0;
    double client = system.getProcessCpuTime() / 1e9 - client0;
    double machine = ProcFs.machineBusySeconds() - machine0;
    double wall = (System.nanoTime() - wall0) / 1e9;
    otherCores = Math.max(otherCores, (machine - cpu - client) / wall);
    put(metric, cpu * 1e6 / Math.max(1, messages));
  }

  void put(Metric metric, double value) {
    readings.put(metric, value);
  }

  Map<Metric, Double> readings() {
    return readings;
  }

  /** Processors that neither the server nor this process used, at the worst. */
  double otherCores() {
    return otherCores;
  }

  /** Messages that came more than once. */
  long duplicates() {
    return duplicates;
  }
}
