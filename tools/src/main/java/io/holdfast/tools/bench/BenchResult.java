package io.holdfast.tools.bench;

import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * What a run measured. Counts and rates are those after the warm-up, unless said otherwise.
 *
 * @param plan what was done
 * @param brokers addresses
 * @param topics names
 * @param size bytes of a body
 * @param batch messages per command
 * @param pubConns publishing connections
 * @param subConns consuming connections, all together
 * @param published OKs came for these messages
 * @param consumed deliveries
 * @param lost own messages published (warm-up too), times channels, less own messages consumed;
 *     never below 0; 0 when the mode cannot know
 * @param foreign consumed messages of other runs, warm-up too
 * @param redelivered deliveries with attempts above 1, warm-up too
 * @param refusedFins FINs the broker refused
 * @param clientCpuNs CPU time of this process
 * @param clientCpuMessages messages published and consumed in that time
 * @param failures what broke; empty when all went well
 */
record BenchResult(
    BenchPlan plan,
    List<String> brokers,
    List<String> topics,
    int size,
    int batch,
    int pubConns,
    int subConns,
    Flow published,
    Flow consumed,
    long lost,
    long foreign,
    long redelivered,
    long refusedFins,
    long clientCpuNs,
    long clientCpuMessages,
    List<String> failures) {

  /**
   * One direction.
   *
   * @param messages how many
   * @param seconds in what time
   * @param latency ns; null when there is none
   */
  record Flow(long messages, double seconds, Histogram latency) {
    double perSecond() {
      return seconds > 0 ? messages / seconds : 0;
    }
  }

  double clientCpuUsPerMessage() {
    return clientCpuMessages == 0 ? 0 : clientCpuNs / 1e3 / clientCpuMessages;
  }
}
