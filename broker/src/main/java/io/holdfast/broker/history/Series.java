package io.holdfast.broker.history;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/** The last rows of one topic or channel. Not thread-safe. */
final class Series<T> {
  private static final double NS_PER_S = 1e9;

  private final Supplier<T> of;
  private final List<Column<T>> columns;

  /** Oldest first; the time in ms since 1970, then the columns' values. */
  private final ArrayDeque<double[]> rows = new ArrayDeque<>();

  // Null before the first look: a rate has a beginning and an end.
  private long[] last;
  private long lastNs;

  private long usedIn;
  private long recordedIn;

  /**
   * A figure.
   *
   * @param isRate whether it counts up, and what it gained a second is shown
   */
  record Column<T>(String name, ToLongFunction<T> read, boolean isRate) {
    static <T> Column<T> rate(String name, ToLongFunction<T> read) {
      return new Column<>(name, read, true);
    }

    static <T> Column<T> level(String name, ToLongFunction<T> read) {
      return new Column<>(name, read, false);
    }
  }

  /**
   * @param of looks at the topic or channel; its figures are read from what that gives
   */
  Series(Supplier<T> of, List<Column<T>> columns) {
    this.of = of;
    this.columns = columns;
  }

  /** Adds a row, but for the first time. Takes locks of the topic or channel, one at a time. */
  void record(long round, long timeMs, long nowNs) {
    T at = of.get();
    long[] now = columns.stream().mapToLong(column -> column.read().applyAsLong(at)).toArray();
    if (last != null) {
      double seconds = Math.max(1e-3, (nowNs - lastNs) / NS_PER_S);
      double[] row = new double[1 + now.length];
      row[0] = timeMs;
      for (int i = 0; i < now.length; i++) {
        boolean isRate = columns.get(i).isRate();
        row[1 + i] = isRate ? rate(last[i], now[i], seconds) : now[i];
        if (isRate && now[i] != last[i]) {
          usedIn = round;
        }
      }
      if (rows.size() == History.KEPT) {
        rows.removeFirst();
      }
      rows.addLast(row);
    }
    last = now;
    lastNs = nowNs;
    recordedIn = round;
  }

  /** A second's share, to a tenth. Sums fall when a topic is deleted: 0 is said then. */
  static double rate(long before, long after, double seconds) {
    return Math.round(Math.max(0, after - before) / seconds * 10) / 10.0;
  }

  /** Somebody looks at it. */
  void used(long round) {
    usedIn = round;
  }

  /** The last round in which something happened, or somebody looked. */
  long usedIn() {
    return usedIn;
  }

  /** The last round in which it was recorded. */
  long recordedIn() {
    return recordedIn;
  }

  /** The latest rows as columns, oldest first. */
  Map<String, List<Object>> latest(int max) {
    Map<String, List<Object>> all = new LinkedHashMap<>();
    all.put("time_ms", new ArrayList<>());
    columns.forEach(column -> all.put(column.name(), new ArrayList<>()));
    rows.stream()
        .skip(Math.max(0, rows.size() - max))
        .forEach(
            row -> {
              all.get("time_ms").add((long) row[0]);
              for (int i = 0; i < columns.size(); i++) {
                Column<T> column = columns.get(i);
                double value = row[1 + i];
                all.get(column.name())
                    .add(column.isRate() ? (Object) value : (Object) (long) value);
              }
            });
    return all;
  }
}
