package io.holdfast.broker.net;

import io.holdfast.broker.meters.LatencyCounts;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import java.util.concurrent.TimeUnit;

/** Measures how late event loops run what is due: what a message waits for its turn. Stateless. */
public final class LoopDelay {
  private static final long INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(250);

  private LoopDelay() {}

  /** Counts the delay of every loop four times a second, until it ends. */
  public static void watch(EventLoopGroup loops, LatencyCounts counts) {
    for (EventExecutor loop : loops) {
      next(loop, counts);
    }
  }

  private static void next(EventExecutor loop, LatencyCounts counts) {
    long dueNs = System.nanoTime() + INTERVAL_NS;
    loop.schedule(
        () -> {
          counts.record(System.nanoTime() - dueNs);
          if (!loop.isShuttingDown()) {
            next(loop, counts);
          }
        },
        INTERVAL_NS,
        TimeUnit.NANOSECONDS);
  }
}
