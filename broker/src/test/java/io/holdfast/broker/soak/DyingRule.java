package io.holdfast.broker.soak;

import io.holdfast.broker.soak.Delivery.Session;
import io.holdfast.broker.soak.SoakTopic.Published;
import io.holdfast.broker.system.support.Frame;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * {@code max_attempts}, and what administrators do to dead letters: nothing comes more often than
 * that, and only what was tried so often may be dead. Thread-safe.
 */
final class DyingRule implements SoakRule {
  /** In force; no limit is {@link Long#MAX_VALUE}. */
  final InForce maxAttempts;

  private final List<Long> sessionEnds = new ArrayList<>();
  private final Set<String> discarded = new HashSet<>();

  /** A redriving of all that was dead then. */
  private static final class Redrive {
    final Set<String> ids; // null for all
    long endNs = Long.MAX_VALUE;

    Redrive(Set<String> ids) {
      this.ids = ids;
    }
  }

  private final List<Redrive> redrives = new ArrayList<>();

  DyingRule(long maxAttempts) {
    this.maxAttempts = new InForce(maxAttempts);
  }

  /** Whether there is a limit. */
  boolean bounds() {
    return maxAttempts.last() != Long.MAX_VALUE;
  }

  @Override
  public synchronized String objection(
      Delivery before, Published published, Frame.Msg frame, Session session) {
    if (discarded.contains(frame.id())) {
      return "was discarded";
    }
    long most = maxAttempts.max(session.emptyNs - ChannelAudit.READ_LAG_NS);
    return frame.attempts() > most ? "max_attempts is " + most : null;
  }

  @Override
  public synchronized void sessionEnded() {
    sessionEnds.add(System.nanoTime());
  }

  @Override
  public synchronized boolean mayComeAnew(Delivery last) {
    return redrives.stream()
        .anyMatch(
            r ->
                r.endNs >= last.sentAfterNs - ChannelAudit.READ_LAG_NS
                    && (r.ids == null || r.ids.contains(last.id)));
  }

  @Override
  public boolean mayBeGone(String key, Published published, Delivery last) {
    return mayBeDead(published, last, System.nanoTime());
  }

  /**
   * Whether it may have been tried often enough until then: each connection that ended may have had
   * a delivery of it that was not read.
   */
  synchronized boolean mayBeDead(Published published, Delivery last, long untilNs) {
    long sinceNs = last == null ? published.startNs : last.sentAfterNs;
    long seen = last == null ? 0 : last.attempts;
    long unseen = sessionEnds.stream().filter(ns -> ns >= sinceNs && ns <= untilNs).count();
    return seen + unseen >= maxAttempts.min(sinceNs);
  }

  /** Whether it may have been redriven. */
  synchronized boolean mayBeRedriven(String id) {
    return redrives.stream().anyMatch(r -> r.ids == null || r.ids.contains(id));
  }

  /** About to be redriven: these ids, or whatever is dead when null. */
  synchronized void redriving(Set<String> ids) {
    redrives.add(new Redrive(ids));
  }

  /** That was answered. */
  synchronized void redriven() {
    redrives.get(redrives.size() - 1).endNs = System.nanoTime();
  }

  /** These were discarded. */
  synchronized void discarded(Set<String> ids) {
    discarded.addAll(ids);
  }

  synchronized boolean isDiscarded(String id) {
    return discarded.contains(id);
  }
}
