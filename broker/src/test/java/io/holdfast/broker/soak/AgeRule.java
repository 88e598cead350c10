package io.holdfast.broker.soak;

import io.holdfast.broker.soak.Delivery.Session;
import io.holdfast.broker.soak.SoakTopic.Published;
import io.holdfast.broker.system.support.Frame;
import java.util.concurrent.TimeUnit;

/** {@code message_ttl}: what is older does not come, and only what is older may be gone. */
final class AgeRule implements SoakRule {
  /** How much later a frame is sent than its message was found to be young enough. */
  private static final long TOLERANCE_MS = TimeUnit.NANOSECONDS.toMillis(ChannelAudit.READ_LAG_NS);

  private final long ttlMs;

  /** Whose redriven messages live for ever; null when there are none. */
  private final DyingRule redriven;

  AgeRule(long ttlMs, DyingRule redriven) {
    this.ttlMs = ttlMs;
    this.redriven = redriven;
  }

  @Override
  public String objection(Delivery before, Published published, Frame.Msg frame, Session session) {
    // It was sent when the socket had been empty, or later.
    long sentMs =
        System.currentTimeMillis()
            - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - session.emptyNs);
    long bornMs = TimeUnit.NANOSECONDS.toMillis(frame.timestampNs()) + published.delayMs;
    if (sentMs - bornMs <= ttlMs + TOLERANCE_MS) {
      return null;
    }
    if (redriven != null && redriven.mayBeRedriven(frame.id())) {
      return null;
    }
    return "is " + (sentMs - bornMs) + " ms old, message_ttl is " + ttlMs;
  }

  @Override
  public boolean mayBeGone(String key, Published published, Delivery last) {
    long ageNs = System.nanoTime() - published.startNs;
    return ageNs >= TimeUnit.MILLISECONDS.toNanos(ttlMs + published.delayMs);
  }
}
