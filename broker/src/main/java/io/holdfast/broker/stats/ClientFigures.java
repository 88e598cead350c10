package io.holdfast.broker.stats;

/** A connection whose figures /stats shows. */
public interface ClientFigures {
  /**
   * Its figures now. Any thread.
   *
   * @param topicFilter the topic whose publishes are shown; empty for any
   */
  StatsSnapshot.ClientStats figures(String topicFilter);
}
