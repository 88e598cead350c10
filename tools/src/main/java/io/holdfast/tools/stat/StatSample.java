package io.holdfast.tools.stat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * All rows of all brokers that answered, summed, at one moment.
 *
 * @param nanoTime when, by {@link System#nanoTime}
 * @param rows by topic, then channel
 * @param answered who answered, with the health each reported
 * @param failures one line per broker that did not
 */
public record StatSample(
    long nanoTime,
    SortedMap<StatRow.Key, StatRow> rows,
    Map<String, String> answered,
    List<String> failures) {

  public StatSample {
    rows = Collections.unmodifiableSortedMap(new TreeMap<>(rows));
  }

  /**
   * A row and how fast it changed since the sample before.
   *
   * @param row the row
   * @param inPerSecond messages taken a second
   * @param outPerSecond messages finished a second; for a topic what left it for its channels
   */
  public record Rated(StatRow row, double inPerSecond, double outPerSecond) {}

  /**
   * Rates against an earlier sample. Counters that fell (a broker restarted or did not answer) give
   * a rate of zero, never a negative one.
   *
   * @param before the earlier sample, or null
   * @return all rows in order
   */
  public List<Rated> since(StatSample before) {
    double seconds = before == null ? 0 : (nanoTime - before.nanoTime) / 1e9;
    List<Rated> rated = new ArrayList<>(rows.size());
    for (StatRow row : rows.values()) {
      StatRow old = before == null ? null : before.rows.get(row.key());
      if (old == null || seconds <= 0) {
        rated.add(new Rated(row, 0, 0));
      } else {
        rated.add(
            new Rated(
                row,
                Math.max(0, row.messages() - old.messages()) / seconds,
                Math.max(0, row.done() - old.done()) / seconds));
      }
    }
    return rated;
  }
}
