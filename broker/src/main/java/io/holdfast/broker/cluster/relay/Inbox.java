package io.holdfast.broker.cluster.relay;

import io.holdfast.broker.queue.Consumer;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;

/** Brings what other threads have for a client to its own, in order. Thread-safe. */
final class Inbox {
  private final Consumer client;
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean scheduled = new AtomicBoolean();

  Inbox(Consumer client) {
    this.client = client;
  }

  /** Has something run soon, unless the client's thread has ended. */
  void post(Runnable task) {
    tasks.add(task);
    if (scheduled.compareAndSet(false, true)) {
      client.runLater(this::run, 0);
    }
  }

  private void run() {
    scheduled.set(false);
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      task.run();
    }
  }
}
