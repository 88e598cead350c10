package io.holdfast.broker.soak;

import io.holdfast.broker.soak.Delivery.Session;
import io.holdfast.broker.soak.SoakTopic.Published;
import io.holdfast.broker.system.support.Frame;
import java.util.ArrayList;
import java.util.List;

/**
 * Rewinds of a channel: what is there from the new position on comes again, nothing older does.
 * Until one is answered, both may be. Thread-safe; ids are sixteen digits each and compare as text.
 */
final class ReplayRule implements SoakRule {
  private final SoakTopic topic;

  /** What is retained for certain of finished messages, in bytes. */
  private final long retainBytes;

  private static final class Rewind {
    final long startNs = System.nanoTime();

    /** Whether nothing can be older. */
    final boolean toStart;

    /** What was published after that is retained for certain. */
    final long retainedFromNs;

    long endNs = Long.MAX_VALUE;

    /** The first message; null while it is not known, and at the end of the topic. */
    String id;

    /** What was published before that may be older than the first message. */
    long olderBeforeNs = Long.MAX_VALUE;

    Rewind(boolean toStart, long retainedFromNs) {
      this.toStart = toStart;
      this.retainedFromNs = retainedFromNs;
    }

    boolean isAnswered() {
      return endNs != Long.MAX_VALUE;
    }

    /** Whether it made the message ready, for certain. */
    boolean covers(Published published, Delivery last) {
      if (!isAnswered() || published.startNs < retainedFromNs) {
        return false;
      }
      if (toStart) {
        return published.isOk() && published.okNs < startNs;
      }
      return id != null && last != null && last.id.compareTo(id) >= 0;
    }

    boolean mayPassOver(Published published, Delivery last) {
      if (toStart) {
        return false;
      }
      if (last != null && id != null) {
        return last.id.compareTo(id) < 0;
      }
      return published.startNs < Math.min(endNs, olderBeforeNs);
    }
  }

  private final List<Rewind> rewinds = new ArrayList<>();

  /**
   * A channel that is where it was from its start on.
   *
   * @param retainBytes {@link Long#MAX_VALUE} when all is retained
   */
  ReplayRule(SoakTopic topic, long retainBytes) {
    this.topic = topic;
    this.retainBytes = retainBytes;
  }

  /** About to be asked for, until it is answered. */
  synchronized void rewinding(boolean toStart) {
    rewinds.add(new Rewind(toStart, retainedFromNs()));
  }

  /** When the oldest one was published of those that are retained in any case. */
  private long retainedFromNs() {
    if (retainBytes == Long.MAX_VALUE) {
      return Long.MIN_VALUE;
    }
    long bytes = 0;
    List<Published> newestFirst =
        topic.published().values().stream()
            .filter(p -> !p.isRefused())
            .sorted((a, b) -> Long.compare(b.startNs, a.startNs))
            .toList();
    for (Published published : newestFirst) {
      bytes += published.bytes;
      if (bytes > retainBytes) {
        return published.startNs + 1;
      }
    }
    return Long.MIN_VALUE;
  }

  /**
   * It was answered.
   *
   * @param id of the first message; null at the end of the topic
   * @param first that message; null when it is not known
   */
  synchronized void rewound(String id, Published first) {
    Rewind rewind = rewinds.get(rewinds.size() - 1);
    rewind.id = id;
    rewind.endNs = System.nanoTime();
    if (first != null && first.isOk()) {
      rewind.olderBeforeNs = first.okNs;
    }
  }

  @Override
  public synchronized String objection(
      Delivery before, Published published, Frame.Msg frame, Session session) {
    if (rewinds.isEmpty()) {
      return null;
    }
    Rewind last = rewinds.get(rewinds.size() - 1);
    boolean sentAfter =
        last.isAnswered() && session.emptyNs - ChannelAudit.READ_LAG_NS > last.endNs;
    if (!sentAfter || last.toStart) {
      return null;
    }
    boolean older =
        last.id == null
            ? published.isOk() && published.okNs < last.startNs
            : frame.id().compareTo(last.id) < 0;
    return older ? "is older than where the channel was put: " + last.id : null;
  }

  @Override
  public synchronized boolean mayComeAnew(Delivery last) {
    return rewinds.stream()
        .anyMatch(
            r ->
                r.endNs >= last.sentAfterNs - ChannelAudit.READ_LAG_NS
                    && (!r.isAnswered() || (r.id != null && last.id.compareTo(r.id) >= 0)));
  }

  @Override
  public synchronized boolean isOwedAgain(Delivery last) {
    Published published = topic.get(last.key);
    for (int i = rewinds.size() - 1; i >= 0; i--) {
      Rewind rewind = rewinds.get(i);
      if (rewind.covers(published, last)) {
        // A FIN that came later was refused, whatever it was an answer to.
        return last.deliveredNs < rewind.startNs;
      }
      if (rewind.mayPassOver(published, last)) {
        return false;
      }
    }
    return false;
  }

  @Override
  public synchronized boolean mayBeGone(String key, Published published, Delivery last) {
    for (int i = rewinds.size() - 1; i >= 0; i--) {
      Rewind rewind = rewinds.get(i);
      if (rewind.covers(published, last)) {
        return false;
      }
      if (rewind.mayPassOver(published, last)) {
        return true;
      }
    }
    return false;
  }
}
