package io.holdfast.broker.soak;

import io.holdfast.broker.soak.SoakTopic.Published;
import java.util.concurrent.TimeUnit;

/**
 * {@code max_depth} with {@code drop_oldest}: only what so many younger ones may have pushed out is
 * gone. Thread-safe.
 */
final class OldestRule implements SoakRule {
  private static final long LOOK_EVERY_NS = TimeUnit.SECONDS.toNanos(1);

  private final SoakTopic topic;
  private final int maxDepth;
  private long lookedNs = System.nanoTime() - LOOK_EVERY_NS;

  /** So many messages were, perhaps, published after this time. */
  private long goneBeforeNs = Long.MIN_VALUE;

  OldestRule(SoakTopic topic, int maxDepth) {
    this.topic = topic;
    this.maxDepth = maxDepth;
  }

  @Override
  public synchronized boolean mayBeGone(String key, Published published, Delivery last) {
    if (System.nanoTime() - lookedNs >= LOOK_EVERY_NS) {
      lookedNs = System.nanoTime();
      long now = lookedNs;
      long[] times =
          topic.published().values().stream()
              .filter(p -> !p.isRefused())
              .mapToLong(p -> p.isOk() ? p.okNs : now)
              .sorted()
              .toArray();
      if (times.length > maxDepth) {
        goneBeforeNs = times[times.length - 1 - maxDepth];
      }
    }
    return published.startNs < goneBeforeNs;
  }
}
