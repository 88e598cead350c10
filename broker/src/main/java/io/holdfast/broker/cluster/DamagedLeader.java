package io.holdfast.broker.cluster;

import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has another node lead a group of which this one's disk has lost messages that the others do not
 * give: one of them may have them. At once, then after longer and longer times, for others may be
 * damaged as well. For one thread.
 */
final class DamagedLeader {
  private static final Logger LOG = LoggerFactory.getLogger(DamagedLeader.class);
  private static final long FIRST_WAIT_NS = TimeUnit.MINUTES.toNanos(1);
  private static final long LAST_WAIT_NS = TimeUnit.HOURS.toNanos(1);

  private final LongSupplier nanoClock;
  private long waitNs = FIRST_WAIT_NS;
  private long notBeforeNs;

  /** Whether there is such a message. */
  private volatile boolean isDamaged;

  DamagedLeader(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    notBeforeNs = nanoClock.getAsLong();
  }

  /** Others were asked for a message for a while, and none gives it. Any thread. */
  void unreadable() {
    isDamaged = true;
  }

  /**
   * Hands over when there is such a message, and it is time.
   *
   * @param successor who may lead a group, null for nobody
   */
  void visit(LedGroup group, Function<LedGroup, String> successor) {
    if (!isDamaged) {
      return;
    }
    // Said again while it is so.
    isDamaged = false;
    long nowNs = nanoClock.getAsLong();
    String to = nowNs - notBeforeNs >= 0 && group.isServing() ? successor.apply(group) : null;
    if (to != null) {
      notBeforeNs = nowNs + waitNs;
      waitNs = Math.min(LAST_WAIT_NS, 2 * waitNs);
      LOG.warn("CLUSTER: group {}: messages cannot be read here: {} is to lead", group.group(), to);
      group.handOverOrSay(to);
    }
  }
}
