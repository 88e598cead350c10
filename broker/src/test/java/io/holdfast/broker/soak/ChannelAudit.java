package io.holdfast.broker.soak;

import io.holdfast.broker.system.support.Frame;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Every delivery of one channel, judged when it happens: is it a message that was published, whole,
 * not too early, and if it was delivered before, why again? All methods are synchronized.
 */
final class ChannelAudit {
  /** The broker's timer may round; the connection's buffers add to it, never subtract. */
  private static final long EARLY_TOLERANCE_NS = TimeUnit.MILLISECONDS.toNanos(10);

  private final SoakTopic topic;
  private final String channel;
  private final SoakReport report;
  private final long msgTimeoutNs;

  /** Messages whose OK came before this time do not belong to the channel. */
  private final long createdNs;

  private final Map<String, Seen> byId = new HashMap<>();
  private final Map<String, Integer> copies = new HashMap<>();
  private long lastNewNs = System.nanoTime();

  enum Answer {
    NONE,
    FIN,
    FIN_READ,
    REQ,
    REQ_READ,
    REFUSED
  }

  /** A message id, and its last delivery. Guarded by the audit. */
  static final class Seen {
    final String key;
    Session session;
    Answer answer = Answer.NONE;
    long deliveredNs;
    long notBeforeNs;
    int attempts;
    int deliveries;

    Seen(String key) {
      this.key = key;
    }
  }

  /** An answer to one delivery of a message. */
  record Answered(Seen seen, int delivery) {}

  /** A consumer's connection. */
  static final class Session {
    final int brokerLife;

    /** Set before the consumer closes it, and when it finds it closed. */
    volatile boolean ended;

    Session(int brokerLife) {
      this.brokerLife = brokerLife;
    }
  }

  ChannelAudit(SoakTopic topic, String channel, SoakReport report, long msgTimeoutNs) {
    this.topic = topic;
    this.channel = channel;
    this.report = report;
    this.msgTimeoutNs = msgTimeoutNs;
    this.createdNs = System.nanoTime();
  }

  SoakTopic topic() {
    return topic;
  }

  String channel() {
    return channel;
  }

  private void violation(String kind, String detail) {
    report.violation(
        kind, topic.name() + "/" + channel + " life " + report.brokerLife() + ": " + detail);
  }

  synchronized Seen delivered(Frame.Msg message, Session session) {
    long now = System.nanoTime();
    report.count("delivered");
    String key = SoakBody.key(message.body());
    if (key == null || !SoakBody.isIntact(message.body(), 0xff)) {
      violation("corrupt", message.id() + " of " + message.body().length + " bytes, key " + key);
      return new Seen("corrupt");
    }
    SoakTopic.Published published = topic.get(key);
    if (published == null || published.isOk() && published.okNs < createdNs) {
      violation("ghost", key + " id " + message.id() + " does not belong here");
      return new Seen(key);
    }
    Seen seen = byId.get(message.id());
    if (seen == null) {
      seen = new Seen(key);
      byId.put(message.id(), seen);
      lastNewNs = now;
      int copy = copies.merge(key, 1, Integer::sum);
      if (copy > published.tries) {
        violation("duplicate", key + " stored " + copy + " times, sent " + published.tries);
      } else if (copy > 1) {
        report.count("duplicate: publisher's retry");
      }
      long delayNs = TimeUnit.MILLISECONDS.toNanos(published.delayMs);
      if (published.delayMs > 0 && now < published.startNs + delayNs - EARLY_TOLERANCE_NS) {
        violation("early", key + " published with delay " + published.delayMs);
      }
    } else if (!seen.key.equals(key)) {
      violation("id used twice", message.id() + " for " + seen.key + " and " + key);
    } else {
      again(message, seen, session, now);
    }
    seen.session = session;
    seen.deliveries++;
    seen.answer = Answer.NONE;
    seen.deliveredNs = now;
    seen.attempts = message.attempts();
    return seen;
  }

  private void again(Frame.Msg message, Seen seen, Session session, long now) {
    String what = seen.key + " id " + message.id() + " attempts " + message.attempts();
    boolean killed = seen.session.brokerLife != session.brokerLife;
    if (message.attempts() <= seen.attempts) {
      report.count(
          "attempts did not grow: before "
              + seen.attempts
              + " now "
              + message.attempts()
              + " last answer "
              + seen.answer
              + (killed ? " ended by " + report.ends(seen.session.brokerLife) : "")
              + (seen.session.ended ? " disconnected" : ""));
    }
    switch (seen.answer) {
      case FIN_READ ->
          violation(
              "finished came back",
              what
                  + " finished in life "
                  + seen.session.brokerLife
                  + ", ends since: "
                  + report.ends(seen.session.brokerLife));
      case FIN -> {
        if (killed) {
          report.count("duplicate: FIN sent, not known to be read before the kill");
        } else if (seen.session.ended) {
          report.count("duplicate: FIN sent just before the consumer's own disconnect");
        } else {
          report.count("duplicate: FIN crossed with a timeout");
        }
      }
      case REQ, REQ_READ -> {
        report.count("duplicate: requeued");
        if (seen.answer == Answer.REQ_READ && now < seen.notBeforeNs - EARLY_TOLERANCE_NS) {
          violation(
              "early", what + " by ms " + TimeUnit.NANOSECONDS.toMillis(seen.notBeforeNs - now));
        }
      }
      default -> {
        if (killed) {
          report.count("duplicate: in flight at the kill");
        } else if (seen.session.ended) {
          report.count("duplicate: in flight at the consumer's disconnect");
        } else if (now - seen.deliveredNs >= msgTimeoutNs - TimeUnit.MILLISECONDS.toNanos(500)
            || seen.answer == Answer.REFUSED) {
          report.count("duplicate: timed out");
        } else if (report.isEnding(session.brokerLife)) {
          report.count("duplicate: the stopping broker closed the other consumer first");
        } else {
          violation(
              "duplicate",
              what
                  + " without a reason after ms "
                  + TimeUnit.NANOSECONDS.toMillis(now - seen.deliveredNs));
        }
      }
    }
  }

  /** FIN is about to be sent. */
  synchronized Answered finishing(Seen seen) {
    seen.answer = Answer.FIN;
    return new Answered(seen, seen.deliveries);
  }

  /** REQ is about to be sent. */
  synchronized Answered requeueing(Seen seen, int delayMs) {
    seen.answer = Answer.REQ;
    seen.notBeforeNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(delayMs);
    return new Answered(seen, seen.deliveries);
  }

  /** The broker has answered something that was sent after these answers. */
  synchronized void read(List<Answered> answers) {
    for (Answered answered : answers) {
      Seen seen = answered.seen;
      if (seen.deliveries != answered.delivery) {
        continue; // delivered again since, as after a REQ
      }
      if (seen.answer == Answer.FIN) {
        seen.answer = Answer.FIN_READ;
        report.count("finished");
      } else if (seen.answer == Answer.REQ) {
        seen.answer = Answer.REQ_READ;
      }
    }
  }

  /** The broker refused the FIN or REQ of that id. */
  synchronized void refused(String id, Session session) {
    Seen seen = byId.get(id);
    if (seen != null && seen.session == session) {
      seen.answer = Answer.REFUSED;
    }
    report.count("FIN or REQ refused after a timeout");
  }

  synchronized long lastNewNs() {
    return lastNewNs;
  }

  /** OK'd keys that began in this window, whose OK came before its end, and that never came. */
  synchronized List<String> missing(long fromNs, long toNs) {
    List<String> missing = new ArrayList<>();
    topic
        .published()
        .forEach(
            (key, published) -> {
              if (published.isOk()
                  && published.startNs >= fromNs
                  && published.okNs <= toNs
                  && !copies.containsKey(key)) {
                missing.add(key);
              }
            });
    return missing;
  }

  /** Judges what can only be judged at the end: every batch came as often as a whole. */
  synchronized void finalChecks() {
    for (List<String> batch : topic.batches()) {
      long different = batch.stream().map(k -> copies.getOrDefault(k, 0)).distinct().count();
      if (different > 1) {
        violation("torn MPUB", batch.toString());
      }
    }
  }
}
