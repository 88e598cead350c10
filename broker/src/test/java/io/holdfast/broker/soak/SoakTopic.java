package io.holdfast.broker.soak;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What was published to a topic, as the publishers know it. Thread-safe; times are {@link
 * System#nanoTime()}.
 */
final class SoakTopic {
  private final String name;
  private final Map<String, Published> published = new ConcurrentHashMap<>();
  private final List<List<String>> batches = new ArrayList<>(); // guarded by itself

  /** A message from before its first attempt on. */
  static final class Published {
    final long startNs = System.nanoTime();
    final int delayMs;
    volatile int tries;
    volatile long okNs; // 0 while there was no OK

    Published(int delayMs) {
      this.delayMs = delayMs;
    }

    boolean isOk() {
      return okNs != 0;
    }
  }

  SoakTopic(String name) {
    this.name = name;
  }

  String name() {
    return name;
  }

  /** Notes one more attempt; to be called before anything is sent. */
  void trying(List<String> keys, int delayMs) {
    for (String key : keys) {
      published.computeIfAbsent(key, k -> new Published(delayMs)).tries++; // by one thread only
    }
  }

  void ok(String key) {
    published.get(key).okNs = System.nanoTime();
  }

  /** These are always published in one MPUB. */
  void batch(List<String> keys) {
    synchronized (batches) {
      batches.add(keys);
    }
  }

  /** Null when nobody published that. */
  Published get(String key) {
    return published.get(key);
  }

  Map<String, Published> published() {
    return published;
  }

  List<List<String>> batches() {
    synchronized (batches) {
      return List.copyOf(batches);
    }
  }

  long okCount() {
    return published.values().stream().filter(Published::isOk).count();
  }

  long retriedCount() {
    return published.values().stream().filter(p -> p.tries > 1).count();
  }
}
