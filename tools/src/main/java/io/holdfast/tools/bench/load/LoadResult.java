package io.holdfast.tools.bench.load;

import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * What a run measured: what came after the warm-up, unless said otherwise.
 *
 * @param published messages whose OK came; null when nobody published
 * @param consumed deliveries; null when nobody consumed
 * @param consumedWhilePublishing deliveries until the last OK
 * @param lost own messages published (warm-up too), times channels, less own messages consumed;
 *     never below 0; 0 when the run cannot know
 * @param foreign consumed messages of other runs, warm-up too; 0 when the run cannot know
 * @param redelivered deliveries with attempts above 1, warm-up too
 * @param refusedFins FINs the broker refused, warm-up too
 * @param failures what broke; empty when all went well
 */
public record LoadResult(
    Flow published,
    Flow consumed,
    long consumedWhilePublishing,
    long lost,
    long foreign,
    long redelivered,
    long refusedFins,
    List<String> failures) {

  /**
   * One direction.
   *
   * @param messages how many
   * @param seconds in what time: to the last OK, or by how fast 99 % of the deliveries came
   * @param latencyNs from sending, or being due, to the OK or the consumer; may be empty
   */
  public record Flow(long messages, double seconds, Histogram latencyNs) {
    /**
     * @return messages a second
     */
    public double perSecond() {
      return seconds > 0 ? messages / seconds : 0;
    }
  }

  /**
   * @return deliveries a second while publishing went on
   */
  public double consumeRateWhilePublishing() {
    return published.seconds() > 0 ? consumedWhilePublishing / published.seconds() : 0;
  }
}
