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
 */
record SimulationSettings(
    int memQueueSize, long memQueueBytes, int maxDeferred, long fileBytes, boolean sampling) {
  /** What sampling consumers want, percent. */
  static final int SAMPLE_RATE = 60;

  private static final int[] SIZES = {0, 1, 10, 1000};
  private static final int[] DEFERRED = {5, 20, 100_000};
  private static final int[] FILES = {4 << 10, 32 << 10};

  static SimulationSettings draw(Random random) {
    return new SimulationSettings(
        SIZES[random.nextInt(SIZES.length)],
        random.nextBoolean() ? 1 << 20 : 3000,
        DEFERRED[random.nextInt(DEFERRED.length)],
        FILES[random.nextInt(FILES.length)],
        random.nextInt(4) == 0);
  }
}
