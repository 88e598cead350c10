package io.holdfast.broker.queue;

import java.util.Random;

/**
 * What a run is configured with; drawn from its seed.
 *
 * @param memQueueSize messages in a memory queue
 * @param memQueueBytes bytes in a memory queue
 * @param maxDeferred deferred and requeued references per channel
 * @param fileBytes a journal file rolls when it is larger
 * @param sampling whether some consumers sample
 * @param maxAttempts of all channels, 0 for no limit
 * @param ordered whether all channels keep the order
 */
record SimulationSettings(
    int memQueueSize,
    long memQueueBytes,
    int maxDeferred,
    long fileBytes,
    boolean sampling,
    int maxAttempts,
    boolean ordered) {
  /** What sampling consumers want, percent. */
  static final int SAMPLE_RATE = 60;

  private static final int[] SIZES = {0, 1, 10, 1000};
  private static final int[] DEFERRED = {5, 20, 100_000};
  private static final int[] FILES = {4 << 10, 32 << 10};

  /** Without policies. */
  SimulationSettings(
      int memQueueSize, long memQueueBytes, int maxDeferred, long fileBytes, boolean sampling) {
    this(memQueueSize, memQueueBytes, maxDeferred, fileBytes, sampling, 0, false);
  }

  static SimulationSettings draw(Random random) {
    return new SimulationSettings(
        SIZES[random.nextInt(SIZES.length)],
        random.nextBoolean() ? 1 << 20 : 3000,
        DEFERRED[random.nextInt(DEFERRED.length)],
        FILES[random.nextInt(FILES.length)],
        random.nextInt(4) == 0,
        random.nextBoolean() ? 0 : 1 + random.nextInt(3),
        random.nextInt(4) == 0);
  }
}
