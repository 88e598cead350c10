package io.holdfast.broker.cluster.engine;

import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;

/**
 * How long a node waits for a sign of the leader: longer where leaders that are there lose their
 * terms one after the other, as on machines whose processors are taken by others. Then a second
 * without a sign says nothing, and who elects after each of them does nothing else. Leaders that
 * died do not count. For one thread.
 */
final class ElectionPace {
  /** So many terms lost within so long are too many. */
  private static final int MANY = 4;

  private static final long WINDOW_NS = TimeUnit.SECONDS.toNanos(30);

  /** After so long in one term it waits half as long again. */
  private static final long CALM_NS = TimeUnit.SECONDS.toNanos(60);

  private static final int MAX_FACTOR = 8;

  private final int firstMs;
  private final ArrayDeque<Long> lostNs = new ArrayDeque<>();
  private long term;
  private long sinceNs;
  private int factor = 1;

  /**
   * Begins.
   *
   * @param firstMs on machines that have time
   */
  ElectionPace(int firstMs) {
    this.firstMs = firstMs;
  }

  /**
   * Looks at the present term.
   *
   * @param isThere whether who led before can be reached
   * @return how long to wait for a sign of the leader, ms
   */
  int timeoutMs(long now, boolean isThere, long nowNs) {
    if (now != term) {
      if (term > 0 && isThere) {
        lost(nowNs);
      }
      term = now;
      sinceNs = nowNs;
    } else if (factor > 1 && nowNs - sinceNs > CALM_NS) {
      factor /= 2;
      sinceNs = nowNs;
    }
    return factor * firstMs;
  }

  private void lost(long nowNs) {
    lostNs.add(nowNs);
    while (nowNs - lostNs.peek() > factor * WINDOW_NS) {
      lostNs.poll();
    }
    if (lostNs.size() >= MANY) {
      lostNs.clear();
      factor = Math.min(MAX_FACTOR, 2 * factor);
    }
  }
}
