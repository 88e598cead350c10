package io.holdfast.broker.queue;

import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.meters.E2eProcessingLatency;
import java.io.IOException;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;

/**
 * What a channel needs to know from outside.
 *
 * @param memQueueSize messages in the memory queue
 * @param memQueueBytes bytes in the memory queue
 * @param maxDeferred deferred and requeued references
 * @param maxChannelConsumers 0 for no limit
 * @param maxMsgTimeoutNs the longest a message stays in flight, with any number of TOUCHes
 * @param maxReqTimeoutMs the longest deferral, also of what an earlier process has left
 * @param clock the time
 * @param dice for sampling: a random number from 0 to below its argument
 * @param newLatency makes the percentiles of a channel
 * @param topology where the broker is
 * @param pacing whether messages wait for company
 * @param diskErrors told of each disk error
 * @param persistence called when the channel was paused or unpaused
 * @param memory what all channels share
 */
public record ChannelSettings(
    int memQueueSize,
    long memQueueBytes,
    int maxDeferred,
    int maxChannelConsumers,
    long maxMsgTimeoutNs,
    long maxReqTimeoutMs,
    Clock clock,
    IntUnaryOperator dice,
    Supplier<E2eProcessingLatency> newLatency,
    Topology topology,
    DeliveryPacing pacing,
    DiskErrors diskErrors,
    Persistence persistence,
    MemoryBudget memory) {

  /** Keeps pause flags over a restart. */
  public interface Persistence {
    /** Returns when they are on disk. */
    void persist() throws IOException;
  }

  /** The time, so that tests can move it. */
  public interface Clock {
    /** Monotonic, {@link System#nanoTime}. */
    long nanos();

    /** Wall clock, ms since 1970. */
    long wallMs();

    /**
     * For ages: ms since 1970, as the wall clock, but a step of that moves it slowly only. See
     * {@link SteadyClock}.
     */
    default long steadyMs() {
      return wallMs();
    }

    /** The machine's. */
    static Clock system() {
      return new SteadyClock(System::nanoTime, System::currentTimeMillis);
    }
  }

  /** Told of disk errors, for the log and /ping. */
  public interface DiskErrors {
    /** Something could not be written. */
    void failed(String what, IOException cause);

    /**
     * Makes room for what is on the way to free space, if a full disk is what failed: from what is
     * kept back for that.
     *
     * @return whether there is more room now, so that it is worth another try
     */
    default boolean makeRoom(IOException cause) {
      return false;
    }
  }
}
