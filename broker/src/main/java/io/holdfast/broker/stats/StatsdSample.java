package io.holdfast.broker.stats;

import io.holdfast.broker.meters.E2eLatency;
import java.util.List;

/**
 * One look at everything {@link StatsdPusher} reports (contract §7). Counters are totals since the
 * process started or the topic or channel was created; the pusher makes differences of them.
 *
 * @param topics in the order to report them
 * @param memory null if there is nothing to say about memory
 */
public record StatsdSample(List<Topic> topics, Memory memory) {
  /**
   * One topic.
   *
   * @param name topic name
   * @param messageCount accepted publishes, total
   * @param messageBytes body bytes of these, total
   * @param depth messages waiting in the topic
   * @param backendDepth those of them on disk
   * @param e2eProcessingLatency over all channels; its percentiles may be null
   * @param channels in the order to report them
   */
  public record Topic(
      String name,
      long messageCount,
      long messageBytes,
      long depth,
      long backendDepth,
      E2eLatency e2eProcessingLatency,
      List<Channel> channels) {}

  /**
   * One channel.
   *
   * @param name channel name
   * @param counters its totals
   * @param depth messages waiting
   * @param backendDepth those of them on disk
   * @param inFlightCount messages in flight
   * @param deferredCount messages deferred
   * @param clientCount subscribers
   * @param e2eProcessingLatency its percentiles may be null
   */
  public record Channel(
      String name,
      Counters counters,
      long depth,
      long backendDepth,
      long inFlightCount,
      long deferredCount,
      long clientCount,
      E2eLatency e2eProcessingLatency) {}

  /**
   * A channel's totals.
   *
   * @param messageCount messages put
   * @param requeueCount messages requeued
   * @param timeoutCount messages timed out
   * @param unreadableCount messages lost to damage on disk
   * @param droppedCount messages an ephemeral channel had no room for
   */
  public record Counters(
      long messageCount,
      long requeueCount,
      long timeoutCount,
      long unreadableCount,
      long droppedCount) {
    /** Nothing unreadable, nothing dropped. */
    public Counters(long messageCount, long requeueCount, long timeoutCount) {
      this(messageCount, requeueCount, timeoutCount, 0, 0);
    }
  }

  /**
   * Memory figures under Go's names (contract §5, /stats memory); what they mean on a JVM is up to
   * whoever fills them in. Bytes and microseconds as the names say.
   */
  public record Memory(
      long heapObjects,
      long heapIdleBytes,
      long heapInUseBytes,
      long heapReleasedBytes,
      long gcPauseUsec100,
      long gcPauseUsec99,
      long gcPauseUsec95,
      long nextGcBytes,
      long gcTotalRuns) {}
}
