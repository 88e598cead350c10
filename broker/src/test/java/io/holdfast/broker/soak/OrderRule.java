package io.holdfast.broker.soak;

import io.holdfast.broker.soak.Delivery.Answer;
import io.holdfast.broker.soak.Delivery.Session;
import io.holdfast.broker.soak.SoakTopic.Published;
import io.holdfast.broker.system.support.Frame;

/**
 * {@code ordered}: one message at a time, and never one that is older than one that came; but for a
 * rewind or a redrive, after which it begins anew. Thread-safe.
 */
final class OrderRule implements SoakRule {
  private final SoakReport report;
  private final long msgTimeoutNs;
  private Delivery last;
  private long suspendedUntilNs = System.nanoTime();

  OrderRule(SoakReport report, long msgTimeoutNs) {
    this.report = report;
    this.msgTimeoutNs = msgTimeoutNs;
  }

  /** Older messages are about to come again. */
  synchronized void suspend() {
    suspendedUntilNs = Long.MAX_VALUE;
    last = null;
  }

  private boolean isSuspended() {
    return suspendedUntilNs == Long.MAX_VALUE || System.nanoTime() < suspendedUntilNs;
  }

  /** They are ready. */
  synchronized void resume() {
    suspendedUntilNs = System.nanoTime() + ChannelAudit.READ_LAG_NS;
  }

  @Override
  public synchronized String objection(
      Delivery before, Published published, Frame.Msg frame, Session session) {
    if (isSuspended() || last == null || last.id.equals(frame.id())) {
      return null;
    }
    // Sixteen digits each.
    if (frame.id().compareTo(last.id) < 0) {
      return "comes after " + last.key + " id " + last.id;
    }
    report.count("ordered: next ones in order");
    boolean open =
        last.answer == Answer.NONE
            && !last.session.ended
            && !report.isEnding(last.session.brokerLife)
            && System.nanoTime() - last.sentAfterNs < msgTimeoutNs - ChannelAudit.READ_LAG_NS;
    return open ? "comes while " + last.key + " id " + last.id + " is in flight" : null;
  }

  @Override
  public synchronized void delivered(Delivery message) {
    // What was in flight before may come late: nothing follows from that.
    if (!isSuspended()) {
      last = message;
    }
  }
}
