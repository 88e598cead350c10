package io.holdfast.tools.bench;

import com.sun.management.OperatingSystemMXBean;
import io.holdfast.tools.bench.load.LoadProbe;
import io.holdfast.tools.bench.load.LoadResult;
import io.holdfast.tools.cli.Progress;
import java.lang.management.ManagementFactory;

/** Shows how far a run has come, and notes what CPU time this process takes for it. One thread. */
final class BenchProbe implements LoadProbe {
  private final OperatingSystemMXBean system =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
  private final BenchOptions options;
  private final BenchShape shape;
  private final Progress progress;
  private final long startNs = System.nanoTime();
  private long cpuNs;

  BenchProbe(BenchOptions options, BenchShape shape, Progress progress) {
    this.options = options;
    this.shape = shape;
    this.progress = progress;
  }

  @Override
  public void begin() {
    cpuNs = -system.getProcessCpuTime();
  }

  @Override
  public void end() {
    cpuNs += system.getProcessCpuTime();
  }

  /** What there is to do is known in messages, or in time: then by how fast it went so far. */
  @Override
  public void goesOn(long messages) {
    long bytes = messages * options.size();
    double part = (System.nanoTime() - startNs) / 1e9 / (options.warmup() + options.seconds());
    long flows = (shape.publish() ? 1L : 0) + (shape.consume() ? shape.channels() : 0);
    progress.expect(
        options.timed()
            ? (long) (bytes / Math.max(1e-9, Math.min(1, part)))
            : options.count() * flows * options.size());
    progress.show(bytes, messages);
  }

  /** The run is over, whatever came of it. */
  void close() {
    progress.end();
  }

  double cpuUsPerMessage(LoadResult result) {
    long messages =
        (shape.publish() ? result.published().messages() : 0)
            + (shape.consume() ? result.consumed().messages() : 0);
    return messages == 0 ? 0 : cpuNs / 1e3 / messages;
  }
}
