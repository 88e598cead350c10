package io.holdfast.broker.soak;

import io.holdfast.broker.soak.SoakTopic.Published;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The topic that a channel's dead letters go to: each comes, a second time only after a crash, and
 * none that was finished or tried too seldom.
 */
final class GravesRule implements SoakRule {
  /** When the end of a connection is noticed at the latest. */
  private static final long NOTICED_NS = TimeUnit.SECONDS.toNanos(3);

  private final ChannelAudit source;
  private final DyingRule dying;
  private final Map<String, Long> cameNs = new HashMap<>();

  /**
   * @param source the channel whose dead letters they are
   * @param dying its policy
   */
  GravesRule(ChannelAudit source, DyingRule dying) {
    this.source = source;
    this.dying = dying;
  }

  @Override
  public synchronized void delivered(Delivery message) {
    cameNs.putIfAbsent(message.key, System.nanoTime());
  }

  /** Only what is open in the channel they come from. */
  @Override
  public boolean mayBeGone(String key, Published published, Delivery last) {
    return source.isSettledBut(key, published, dying);
  }

  @Override
  public boolean mayBeStoredTwice() {
    return true;
  }

  /** At the end: whether each had a reason to come; what has none, with its last delivery. */
  synchronized Map<String, String> withoutReason() {
    Map<String, String> wrong = new HashMap<>();
    cameNs.forEach(
        (key, ns) -> {
          Delivery last = source.last(key);
          if (last != null && last.finAccepted) {
            wrong.put(key, "was finished");
          } else if (!dying.mayBeDead(source.topic().get(key), last, ns + NOTICED_NS)) {
            wrong.put(key, "attempts " + (last == null ? 0 : last.attempts));
          }
        });
    return wrong;
  }

  /** How many came, each counted once. */
  synchronized int count() {
    return cameNs.size();
  }
}
