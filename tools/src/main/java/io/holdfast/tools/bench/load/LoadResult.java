package io.holdfast.tools.bench.load;

import org.HdrHistogram.Histogram;

/**
 * What a run measured.
 *
 * @param published messages whose OK came
 * @param publishSeconds from the start to the last OK
 * @param consumed deliveries
 * @param consumedWhilePublishing those that came before the last OK
 * @param consumed99 how many had come when 99 % had: the rest may have waited for a timer of the
 *     broker's output buffer
 * @param consume99Seconds from the start to then
 * @param redelivered deliveries that were not the first
 * @param refusedFins FINs the broker refused
 * @param toOkNs from sending (or being due) to the OK; empty without publishers
 * @param endToEndNs from sending (or being due) to the consumer; empty unless both are there
 */
public record LoadResult(
    long published,
    double publishSeconds,
    long consumed,
    long consumedWhilePublishing,
    long consumed99,
    double consume99Seconds,
    long redelivered,
    long refusedFins,
    Histogram toOkNs,
    Histogram endToEndNs) {

  /**
   * @return messages a second, published
   */
  public double publishRate() {
    return rate(published, publishSeconds);
  }

  /**
   * @return deliveries a second while publishing went on
   */
  public double consumeRateWhilePublishing() {
    return rate(consumedWhilePublishing, publishSeconds);
  }

  /**
   * @return deliveries a second, the drain after the last publish included
   */
  public double consumeRate() {
    return rate(consumed99, consume99Seconds);
  }

  private static double rate(long messages, double seconds) {
    return seconds > 0 ? messages / seconds : 0;
  }
}
