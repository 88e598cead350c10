package io.holdfast.broker.queue;

import io.holdfast.broker.meters.E2eLatency;
import io.holdfast.broker.meters.E2eProcessingLatency;
import io.holdfast.broker.meters.LatencyCounts;
import java.util.concurrent.TimeUnit;

/** How long a channel's messages take from publish to FIN. The channel's lock guards writing. */
public final class ProcessingTimes {
  private final ChannelSettings.Clock clock;
  private final E2eProcessingLatency percentiles;

  /** Made with the first FIN: most of very many channels may have none. */
  private volatile LatencyCounts counts;

  /** What the clocks said for all that a client finishes at once; the wall clock 0: not read. */
  private long nowNs;

  private long wallNs;

  ProcessingTimes(ChannelSettings settings) {
    clock = settings.clock();
    percentiles = settings.newLatency().get();
  }

  /** Looks at the clock, once for all that a client finishes at once. */
  void look() {
    nowNs = clock.nanos();
    wallNs = 0;
  }

  /** A message is finished, at the time of the last {@link #look}. */
  void finished(Message message) {
    if (message.timestampNs > 0) {
      if (counts == null) {
        counts = LatencyCounts.owned(LatencyCounts.LONG_SECONDS);
      }
      long ns = ageNs(message);
      counts.recordOwned(ns);
      if (percentiles != E2eProcessingLatency.NONE) {
        percentiles.record(ns);
      }
    }
  }

  /**
   * How long ago a message was published, ns: by the monotonic clock, for the other may be set
   * meanwhile. Only of what comes from the journal its publish time alone is known.
   */
  private long ageNs(Message message) {
    if (message.bornNs != 0) {
      return nowNs - message.bornNs;
    }
    if (wallNs == 0) {
      wallNs = TimeUnit.MILLISECONDS.toNanos(clock.wallMs());
    }
    return Math.max(0, wallNs - message.timestampNs);
  }

  /** The percentiles. Any thread. */
  public E2eLatency snapshot() {
    return percentiles.snapshot();
  }

  /** Where the percentiles come from. Any thread. */
  E2eProcessingLatency percentiles() {
    return percentiles;
  }

  /** The histogram; null while no message was finished. Any thread. */
  public LatencyCounts counts() {
    return counts;
  }
}
