package io.holdfast.tools.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.LongSupplier;

/** CPU time of this process over a stretch, and the messages handled in it. One thread. */
final class ProcessCpu {
  private final OperatingSystemMXBean system =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
  private final LongSupplier counter;
  private final long startNanos;
  private final long startMessages;
  private long nanos;
  private long messages;

  private ProcessCpu(LongSupplier counter) {
    this.counter = counter;
    this.startNanos = system.getProcessCpuTime();
    this.startMessages = counter.getAsLong();
  }

  static ProcessCpu begin(LongSupplier messages) {
    return new ProcessCpu(messages);
  }

  void end() {
    nanos = system.getProcessCpuTime() - startNanos;
    messages = counter.getAsLong() - startMessages;
  }

  long nanos() {
    return nanos;
  }

  long messages() {
    return messages;
  }
}
