package io.holdfast.broker.cluster.forward;

import io.holdfast.broker.limits.OutOfMemoryExit;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs tasks one after the other, in the order in which they came, by the threads that bring them:
 * who comes while another thread is at it leaves the task to that one. Nobody ever waits, also not
 * a task that brings another one, which comes when it is over.
 */
final class Serial {
  private static final Logger LOG = LoggerFactory.getLogger(Serial.class);

  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final AtomicInteger count = new AtomicInteger();

  /**
   * Has a task run, perhaps before this returns.
   *
   * @param task must not block
   */
  void run(Runnable task) {
    tasks.add(task);
    if (count.getAndIncrement() > 0) {
      return;
    }
    do {
      Runnable next = tasks.remove();
      try {
        next.run();
      } catch (RuntimeException | Error e) {
        // The next one is not to wait for ever.
        OutOfMemoryExit.check(e);
        LOG.error("CLUSTER: a publish", e);
      }
    } while (count.decrementAndGet() > 0);
  }
}
