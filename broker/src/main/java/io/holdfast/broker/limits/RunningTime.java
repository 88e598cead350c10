package io.holdfast.broker.limits;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * A clock that stands still while this process does not run: stopped by a signal, with its virtual
 * machine, or kept from the processor. What a client has to do within a time is measured by it, as
 * nothing that came meanwhile could be looked at. After such an absence it goes on a moment later
 * than the process, which first sees what has come.
 *
 * <p>Thread-safe. A daemon thread tells it a few times a second that the process runs.
 */
public final class RunningTime {
  private static final long TICK_NS = TimeUnit.MILLISECONDS.toNanos(250);

  /** Without a tick for so long, the process did not run. */
  private static final long ABSENT_NS = TimeUnit.SECONDS.toNanos(1);

  /** How long what came meanwhile is looked at first. */
  private static final long CATCH_UP_NS = TimeUnit.MILLISECONDS.toNanos(500);

  private static final RunningTime OF_THIS_PROCESS = ofThisProcess();

  /** What was counted at a time of the monotonic clock; that is ahead while the clock stands. */
  private record Tick(long atNs, long countedNs) {}

  private final LongSupplier monotonicNs;
  private volatile Tick last;

  /**
   * @param monotonicNs goes on while the process does not run
   */
  RunningTime(LongSupplier monotonicNs) {
    this.monotonicNs = monotonicNs;
    last = new Tick(monotonicNs.getAsLong(), 0);
  }

  private static RunningTime ofThisProcess() {
    RunningTime time = new RunningTime(System::nanoTime);
    Thread thread =
        new Thread(
            () -> {
              while (true) {
                time.tick();
                LockSupport.parkNanos(TICK_NS);
              }
            },
            "running-time");
    thread.setDaemon(true);
    thread.start();
    return time;
  }

  /** For how long the process has run, ns; only differences mean something. Any thread. */
  public static long nowNs() {
    return OF_THIS_PROCESS.now();
  }

  /** As {@link #nowNs}. After an absence it may be less than before by a tick. */
  long now() {
    Tick tick = last;
    long sinceNs = monotonicNs.getAsLong() - tick.atNs();
    boolean isRunning = sinceNs > 0 && sinceNs < ABSENT_NS;
    return tick.countedNs() + (isRunning ? sinceNs : 0);
  }

  /** The process runs. One thread calls it. */
  void tick() {
    long nowNs = monotonicNs.getAsLong();
    long sinceNs = nowNs - last.atNs();
    if (sinceNs >= ABSENT_NS) {
      last = new Tick(nowNs + CATCH_UP_NS, last.countedNs());
    } else if (sinceNs > 0) {
      last = new Tick(nowNs, last.countedNs() + sinceNs);
    }
  }
}
