package io.holdfast.broker.soak;

import io.holdfast.broker.soak.Delivery.Answer;
import io.holdfast.broker.soak.Delivery.Answered;
import io.holdfast.broker.soak.Delivery.Session;
import io.holdfast.broker.system.support.Frame;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Every delivery of one channel, judged when it happens: is it a message that was published, whole,
 * not too early, not while paused, and if it was delivered before, why again? All methods are
 * synchronized.
 */
final class ChannelAudit {
  /** The broker's timer may round; the connection's buffers add to it, never subtract. */
  private static final long EARLY_TOLERANCE_NS = TimeUnit.MILLISECONDS.toNanos(10);

  /** How late the frame of a message in flight may come, on a machine with too much to do. */
  static final long READ_LAG_NS = TimeUnit.MILLISECONDS.toNanos(2000);

  private final SoakTopic topic;
  private final String channel;
  private final SoakReport report;
  private final long msgTimeoutNs;

  /** Messages whose OK came before this time do not belong to the channel. */
  private final long createdNs;

  private final Map<String, Delivery> byId = new HashMap<>();
  private final Map<String, Delivery> byKey = new HashMap<>();
  private final Set<String> messages = new HashSet<>();
  private long lastNewNs = System.nanoTime();
  private List<SoakRule> rules = List.of();

  // 0 when it is not so, or not for certain.
  private long pausedNs;
  private long emptyingNs;
  private long emptyStartNs;
  private long emptyEndNs;

  /**
   * An audit of a channel that is about to be created.
   *
   * @param createdNs messages whose OK came before do not belong to it
   */
  ChannelAudit(
      SoakTopic topic, String channel, SoakReport report, long msgTimeoutNs, long createdNs) {
    this.topic = topic;
    this.channel = channel;
    this.report = report;
    this.msgTimeoutNs = msgTimeoutNs;
    this.createdNs = createdNs;
  }

  /** Before its first delivery: what policies change. */
  synchronized ChannelAudit with(SoakRule... policies) {
    rules = List.of(policies);
    return this;
  }

  SoakTopic topic() {
    return topic;
  }

  String channel() {
    return channel;
  }

  @Override
  public String toString() {
    return topic.name() + "/" + channel;
  }

  private void violation(String kind, String detail) {
    report.violation(kind, this + " life " + report.brokerLife() + ": " + detail);
  }

  // ---------------------------------------------------------------- deliveries and answers

  /** A frame was read; null when it is not to be answered. */
  synchronized Delivery delivered(Frame.Msg frame, Session session) {
    long now = System.nanoTime();
    report.count("delivered");
    String key = SoakBody.key(frame.body());
    if (key == null || !SoakBody.isIntact(frame.body(), 0xff)) {
      violation("corrupt", frame.id() + " of " + frame.body().length + " bytes, key " + key);
      return null;
    }
    SoakTopic.Published published = topic.get(key);
    if (published == null || (published.isOk() && published.okNs < createdNs)) {
      violation("ghost", key + " id " + frame.id() + " does not belong here");
      return null;
    }
    Delivery message = byId.get(frame.id());
    String what = key + " id " + frame.id() + " attempts " + frame.attempts();
    String user = report.idUsedFor(topic.name(), frame.id(), key);
    if (!user.equals(key)) {
      violation("id used twice", what + " and " + user);
    }
    boolean anew = message != null && mayComeAnew(message);
    if (message != null && message.isOlderThanLast(frame.attempts(), session) && !anew) {
      report.count("frames read after a later delivery");
      return null;
    }
    checkAllowed(published, what, session);
    for (SoakRule rule : rules) {
      String objection = rule.objection(message, published, frame, session);
      if (objection != null) {
        violation("policy", what + " " + objection);
      }
    }
    if (message == null) {
      message = first(frame, key, published, what, now);
    } else if (anew) {
      report.count("duplicate: rewound or redriven");
      message.beginAnew();
      lastNewNs = now;
    } else {
      again(frame, message, what, session, now);
    }
    message.session = session;
    message.deliveries++;
    message.answer = Answer.NONE;
    message.deliveredNs = now;
    message.sentAfterNs = session.emptyNs;
    message.attempts = frame.attempts();
    for (SoakRule rule : rules) {
      rule.delivered(message);
    }
    return message;
  }

  private boolean mayComeAnew(Delivery message) {
    return rules.stream().anyMatch(rule -> rule.mayComeAnew(message));
  }

  /** A consumer's connection has ended. */
  synchronized void sessionEnded() {
    rules.forEach(SoakRule::sessionEnded);
  }

  private void checkAllowed(SoakTopic.Published published, String what, Session session) {
    if (published.isRefused()) {
      violation("refused came", what);
    }
    if (pausedNs != 0 && session.startNs > pausedNs) {
      violation("delivered while paused", what);
    }
    if (topic.holdsBack(published)) {
      violation("delivered while the topic is paused", what);
    }
    if (published.isOk() && published.okNs < emptyStartNs && session.startNs > emptyEndNs) {
      violation("came back after empty", what);
    }
  }

  private Delivery first(
      Frame.Msg frame, String key, SoakTopic.Published published, String what, long now) {
    Delivery message = new Delivery(key, frame.id(), frame.timestampNs());
    byId.put(frame.id(), message);
    lastNewNs = now;
    Delivery other = byKey.put(key, message);
    boolean twice = rules.stream().anyMatch(SoakRule::mayBeStoredTwice);
    if (other != null && twice) {
      report.count("duplicate: dead letter copied twice");
    } else if (other != null) {
      violation("duplicate", what + " was sent once and stored as " + other.id + ", too");
    } else if (!messages.add(SoakTopic.messageOf(key))) {
      report.count("duplicate: publisher's retry after no answer");
    }
    long delayNs = TimeUnit.MILLISECONDS.toNanos(published.delayMs);
    if (published.delayMs > 0) {
      if (now < published.startNs + delayNs - EARLY_TOLERANCE_NS) {
        violation("early", what + " published with delay " + published.delayMs);
      }
      report.count("deferred, delivered in time");
    }
    return message;
  }

  private void again(Frame.Msg frame, Delivery message, String what, Session session, long now) {
    boolean killed = message.session.brokerLife != session.brokerLife;
    if (frame.attempts() <= message.attempts) {
      violation("attempts did not grow", what + ", before " + message.attempts);
    }
    if (frame.timestampNs() != message.timestampNs) {
      violation("corrupt", what + " has another timestamp than before");
    }
    if (message.finAccepted) {
      violation(
          "finished came back",
          what
              + " finished in life "
              + message.session.brokerLife
              + ", ends since: "
              + report.ends(message.session.brokerLife));
      return;
    }
    boolean timedOut = hasTimedOut(message, now);
    boolean mayBeAnyones = message.session.ended || report.isEnding(session.brokerLife);
    switch (message.answer) {
      case FIN -> {
        if (killed) {
          report.count("duplicate: FIN sent, not known to be read before the kill");
          message.finCrossed = false;
        } else if (message.session.ended) {
          report.count("duplicate: FIN sent just before the consumer's own disconnect");
        } else {
          judge(
              "duplicate: FIN crossed with a timeout",
              timedOut || mayBeAnyones,
              message,
              what,
              now);
          message.finCrossed = true;
        }
      }
      case REQ, REQ_READ -> {
        report.count("duplicate: requeued");
        if (message.answer == Answer.REQ_READ && now < message.notBeforeNs - EARLY_TOLERANCE_NS) {
          violation(
              "early", what + " by ms " + TimeUnit.NANOSECONDS.toMillis(message.notBeforeNs - now));
        }
      }
      default -> {
        if (killed) {
          report.count("duplicate: in flight at the kill");
          message.finCrossed = false;
        } else if (message.session.ended) {
          report.count("duplicate: in flight at the consumer's disconnect");
        } else if (timedOut || message.answer == Answer.REFUSED) {
          report.count("duplicate: timed out");
        } else {
          judge(
              "duplicate: the stopping broker closed the other consumer first",
              mayBeAnyones,
              message,
              what,
              now);
        }
      }
    }
  }

  private boolean hasTimedOut(Delivery message, long now) {
    return now - message.sentAfterNs >= msgTimeoutNs - READ_LAG_NS;
  }

  private void judge(String reason, boolean holds, Delivery message, String what, long now) {
    if (holds) {
      report.count(reason);
    } else {
      violation(
          "duplicate",
          what
              + " without a reason, answer "
              + message.answer
              + ", ms since it came "
              + TimeUnit.NANOSECONDS.toMillis(now - message.deliveredNs)
              + ", since it was not there yet "
              + TimeUnit.NANOSECONDS.toMillis(now - message.sentAfterNs));
    }
  }

  /** FIN is about to be sent. */
  synchronized Answered finishing(Delivery message) {
    message.answer = Answer.FIN;
    return new Answered(message, true);
  }

  /** REQ is about to be sent. */
  synchronized Answered requeueing(Delivery message, int delayMs) {
    message.answer = Answer.REQ;
    int heldBackMs = delayMs;
    for (SoakRule rule : rules) {
      heldBackMs = Math.max(heldBackMs, rule.requeueDelayMs(message.attempts, delayMs));
    }
    message.notBeforeNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(heldBackMs);
    return new Answered(message, false);
  }

  /** The broker has answered something that was sent after these answers. */
  synchronized void read(List<Answered> answers) {
    for (Answered answered : answers) {
      Delivery message = answered.message;
      if (answered.refused) {
        continue;
      }
      boolean isLast = message.deliveries == answered.number;
      if (answered.isFin) {
        boolean anew = message.epoch != answered.epoch || mayComeAnew(message);
        if (anew && !isLast) {
          continue;
        }
        if (!anew && message.session.brokerLife > answered.session.brokerLife) {
          violation(
              "finished came back",
              message.key + " id " + message.id + " before its finish was known here");
        }
        message.finAccepted = true;
        report.count("finished");
        if (isLast) {
          message.answer = Answer.FIN_READ;
        }
      } else if (isLast && message.answer == Answer.REQ) {
        message.answer = Answer.REQ_READ;
      }
    }
  }

  /** The broker refused this answer. */
  synchronized void refused(Answered answered) {
    answered.refused = true;
    Delivery message = answered.message;
    if (message.deliveries == answered.number && message.session == answered.session) {
      message.answer = Answer.REFUSED;
    }
    report.count("FIN or REQ refused");
  }

  // ---------------------------------------------------------------- administration

  /** /channel/pause was answered. */
  synchronized void paused() {
    pausedNs = System.nanoTime();
  }

  /** /channel/unpause is about to be sent. */
  synchronized void unpausing() {
    pausedNs = 0;
  }

  /** /channel/empty is about to be sent, and will be until it is answered. */
  synchronized void emptying() {
    emptyingNs = System.nanoTime();
  }

  /** /channel/empty was answered. */
  synchronized void emptied() {
    emptyStartNs = emptyingNs;
    emptyingNs = 0;
    emptyEndNs = System.nanoTime();
  }

  private boolean mayBeEmptied(SoakTopic.Published message) {
    return emptyingNs != 0 || message.startNs < emptyEndNs;
  }

  // ---------------------------------------------------------------- what is left

  /** When a message came that had not come before. */
  synchronized long lastNewNs() {
    return lastNewNs;
  }

  /** Whether nothing more of this message is owed to this channel. */
  synchronized boolean isSettled(String key, SoakTopic.Published published) {
    return isSettledBut(key, published, null);
  }

  /** Whether nothing more of it is owed, if nothing is gone because of that rule. */
  synchronized boolean isSettledBut(String key, SoakTopic.Published published, SoakRule without) {
    Delivery message = byKey.get(key);
    boolean settled = message != null && message.isSettled();
    for (SoakRule rule : rules) {
      if (settled && rule.isOwedAgain(message)) {
        settled = false;
      }
    }
    return settled
        || mayBeEmptied(published)
        || rules.stream().anyMatch(r -> r != without && r.mayBeGone(key, published, message));
  }

  /** The last delivery of a message; null when it never came. */
  synchronized Delivery last(String key) {
    return byKey.get(key);
  }

  /** The message of that id, by its key; null when it never came. */
  synchronized String keyOf(String id) {
    Delivery message = byId.get(id);
    return message == null ? null : message.key;
  }

  /** Whether a rewind has made it ready again since. */
  synchronized boolean isOwedAgain(Delivery last) {
    return rules.stream().anyMatch(rule -> rule.isOwedAgain(last));
  }

  /** The ids of all that came. */
  synchronized List<String> ids() {
    return List.copyOf(byId.keySet());
  }

  /** What is open at the end, if nothing is gone because of that rule; key by key. */
  synchronized List<String> openBut(SoakRule rule) {
    return topic.published().entrySet().stream()
        .filter(e -> e.getValue().isOk() && !isSettledBut(e.getKey(), e.getValue(), rule))
        .map(Map.Entry::getKey)
        .toList();
  }

  /**
   * What was published in this window, answered OK before its end, and never came or came and was
   * not finished; with the id and the last answer if it came.
   */
  synchronized List<String> missing(long fromNs, long toNs) {
    List<String> missing = new ArrayList<>();
    topic
        .published()
        .forEach(
            (key, published) -> {
              if (published.isOk()
                  && published.startNs >= fromNs
                  && published.okNs <= toNs
                  && !isSettled(key, published)) {
                Delivery last = byKey.get(key);
                missing.add(
                    key + (last == null ? "" : " id " + last.id + " came, answer " + last.answer));
              }
            });
    return missing;
  }

  private boolean isGone(String key) {
    Delivery last = byKey.get(key);
    return last == null
        && rules.stream().anyMatch(rule -> rule.mayBeGone(key, topic.get(key), null));
  }

  /** Judges what can only be judged at the end: of every MPUB that was sent, all came or none. */
  synchronized void finalChecks() {
    for (List<String> batch : topic.batches()) {
      boolean emptied =
          batch.stream()
              .anyMatch(k -> mayBeEmptied(topic.get(k)) || (!rules.isEmpty() && isGone(k)));
      long came = batch.stream().filter(byKey::containsKey).count();
      if (!emptied && came != 0 && came != batch.size()) {
        violation("torn MPUB", came + " of " + batch);
      }
    }
  }
}
