package io.holdfast.broker.meters;

import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import java.util.List;

/**
 * Time from publish to FIN over the configured window, as /stats shows it (contract §5, {@code E}).
 *
 * @param count samples in the window
 * @param percentiles one entry per configured quantile; null when none is configured, which JSON
 *     shows as {@code null}. The record itself is never null in a snapshot: nsqadmin crashes on
 *     that.
 */
public record E2eLatency(long count, List<Percentile> percentiles) {
  /** What a broker without configured percentiles reports. */
  public static final E2eLatency NONE = new E2eLatency(0, null);

  /**
   * One quantile.
   *
   * @param quantile in (0, 1]
   * @param value latency at that quantile in ns
   */
  public record Percentile(
      @JsonSerialize(using = GoNumberSerializer.class) double quantile, long value) {}
}
