package io.holdfast.broker.soak;

import java.util.ArrayList;
import java.util.List;

/**
 * The values that a policy's field had, and since when: from the moment that one was asked for
 * until the next was answered, so that between both each may be in force. Thread-safe.
 */
final class InForce {
  private static final class Value {
    final long value;
    long toNs = Long.MAX_VALUE;

    Value(long value) {
      this.value = value;
    }
  }

  private final List<Value> values = new ArrayList<>();

  /**
   * One that is in force from the start.
   *
   * @param value {@link Long#MAX_VALUE} for no limit
   */
  InForce(long value) {
    values.add(new Value(value));
  }

  synchronized long last() {
    return values.get(values.size() - 1).value;
  }

  /** It is about to be set. */
  synchronized void asking(long value) {
    values.add(new Value(value));
  }

  /** What was asked for last holds now, and only that. */
  synchronized void answered() {
    long now = System.nanoTime();
    for (Value value : values.subList(0, values.size() - 1)) {
      value.toNs = Math.min(value.toNs, now);
    }
  }

  /** The lowest that may have been in force at any time since then. */
  synchronized long min(long sinceNs) {
    return values.stream().filter(v -> v.toNs >= sinceNs).mapToLong(v -> v.value).min().orElse(0);
  }

  /** The highest that may have been in force at any time since then. */
  synchronized long max(long sinceNs) {
    return values.stream().filter(v -> v.toNs >= sinceNs).mapToLong(v -> v.value).max().orElse(0);
  }
}
