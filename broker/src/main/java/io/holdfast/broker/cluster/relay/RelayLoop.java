package io.holdfast.broker.cluster.relay;

/** One thread that runs tasks in their order. Thread-safe; after its end nothing is run. */
interface RelayLoop {
  void execute(Runnable task);

  /**
   * Runs a task later.
   *
   * @param delayNs ns from now
   */
  void schedule(Runnable task, long delayNs);
}
