package io.holdfast.broker.queue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * The few entries with the lowest keys of very many, in their order. Used by one thread.
 *
 * @param <T> what they are
 */
final class FirstFew<T> {
  private final int max;

  /** The highest key first. */
  private final PriorityQueue<Entry<T>> kept =
      new PriorityQueue<>(Comparator.comparing((Entry<T> entry) -> entry.key).reversed());

  private record Entry<T>(long key, T value) {}

  FirstFew(int max) {
    this.max = max;
  }

  /** Whether an entry with this key would be among them. */
  boolean takes(long key) {
    return kept.size() < max || (max > 0 && key < kept.peek().key());
  }

  /** Adds one that {@link #takes} said yes to. */
  void add(long key, T value) {
    if (kept.size() == max) {
      kept.poll();
    }
    kept.add(new Entry<>(key, value));
  }

  /** The lowest key first. */
  List<T> inOrder() {
    List<Entry<T>> entries = new ArrayList<>(kept);
    entries.sort(Comparator.comparing(Entry::key));
    return entries.stream().map(Entry::value).toList();
  }
}
