package io.holdfast.broker.queue;

import io.holdfast.broker.policy.AttemptsLimit;
import io.holdfast.broker.policy.ChannelPolicy;
import io.holdfast.broker.policy.TimeToLive;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Where each delivery of a channel begins, and where it ends: {@link #begin} when a message goes to
 * a consumer, {@link #end} when it is answered or its consumer or its time is gone. The channel's
 * lock guards it; what it has done is in the ledger when a method returns.
 */
final class Deliveries {
  /** How a delivery ends. */
  private enum End {
    /** The consumer is done with the message. */
    FIN,
    /** It wants it delivered again. */
    REQ,
    /** It did not answer in time. */
    TIMEOUT,
    /** Its connection has ended, or it said that it takes no more. */
    CONSUMER_LEFT
  }

  /** Messages looked at in one turn, those that are sampled out included. */
  private static final int MAX_LOOKED = 4096;

  private static final int PERCENT = 100;

  private final ChannelSettings settings;
  private final PolicyInForce<ChannelPolicy> policy;
  private final GuidFactory guids;
  private final ReadyMessages ready;
  private final InFlightMessages inFlight;
  private final Consumers consumers;
  private final DeadLetters dead;
  private final ChannelLedger ledger;
  private final ProcessingTimes times;

  /** Whether the last turn did not end for want of messages, or of memory for them. */
  private boolean more;

  /** Whether a client could not get a message for want of memory, for it or its records. */
  private boolean starved;

  /** Whether a client could not get a message before another delivery has ended. */
  private boolean full;

  private long requeueCount;
  private long timeoutCount;

  Deliveries(
      ChannelSettings settings,
      PolicyInForce<ChannelPolicy> policy,
      GuidFactory guids,
      ReadyMessages ready,
      InFlightMessages inFlight,
      Consumers consumers,
      DeadLetters dead,
      ChannelLedger ledger,
      ProcessingTimes times) {
    this.settings = settings;
    this.policy = policy;
    this.guids = guids;
    this.ready = ready;
    this.inFlight = inFlight;
    this.consumers = consumers;
    this.dead = dead;
    this.ledger = ledger;
    this.times = times;
  }

  /**
   * Takes what the ledger knows of: the end of the last process was the end of its deliveries, too.
   */
  void restore(Collection<HeldMessage> held) {
    dead.restore(held.stream().filter(HeldMessage::isDead).toList());
    ready.restore(held, this::isDeadNow);
    if (policy.get().maxAttempts() == 1) {
      // They had their only attempt.
      while (ready.takeDelivered(message -> dead.die(message, false)) > 0) {
        ledger.write();
      }
    }
    dead.bound(policy.get().maxDead());
    ledger.write();
  }

  /** Whether a message that was delivered has no more attempts; then it is dead from now on. */
  private boolean isDeadNow(Message message) {
    return isDeadNow(message, policy.get());
  }

  private boolean isDeadNow(Message message, ChannelPolicy rules) {
    boolean isDead = AttemptsLimit.isReached(rules, message.attempts());
    if (isDead) {
      dead.die(message, false);
    }
    return isDead;
  }

  // ---------------------------------------------------------------- begin

  /**
   * Gives a consumer messages.
   *
   * @param max messages
   * @param maxBytes stops once this much was written
   * @return how many it got
   */
  int turn(Consumer client, int max, DeliverySink out, int maxBytes, long nowNs)
      throws IOException {
    if (ledger.isCongested()) {
      // Asked again in a while.
      starved = true;
      more = false;
      return 0;
    }
    int bytesLimit = out.size() + maxBytes;
    ChannelPolicy rules = policy.get();
    int room = room(client, rules, max);
    long nowMs = rules.messageTtlMs() == 0 ? 0 : settings.clock().steadyMs();
    long timeoutNs = timeoutNs(client, rules);
    int count = 0;
    int looked = 0;
    more = true;
    try {
      while (more && count < room && looked++ < MAX_LOOKED && out.size() < bytesLimit) {
        Message message = next(client);
        if (message == null) {
          more = false;
        } else if (begin(message, client, rules, nowNs, nowMs, timeoutNs, out)) {
          count++;
        }
      }
    } finally {
      // Before the frames go out, so that attempts survive a crash, too.
      ledger.write();
    }
    if (count == room && room < max) {
      // Woken when a delivery ends.
      full = true;
      more = false;
    }
    return count;
  }

  /** How many deliveries may begin, of so many that a client has room for. */
  private int room(Consumer client, ChannelPolicy rules, int max) {
    if (rules.ordered()) {
      return inFlight.size() == 0 && consumers.served() == client ? Math.min(1, max) : 0;
    }
    int bound = rules.maxInFlight();
    return bound == 0 ? max : Math.max(0, Math.min(max, bound - inFlight.size()));
  }

  /** The next message, with memory for it in flight; null for none. */
  private Message next(Consumer client) throws IOException {
    if (!inFlight.reserve(client)) {
      // Asked again when somebody finishes, or in a while.
      starved = true;
      return null;
    }
    Message message = null;
    try {
      message = ready.poll(ledger.lost());
    } finally {
      if (message == null) {
        inFlight.unreserve();
      }
    }
    return message;
  }

  /**
   * A delivery begins, unless the consumer is not to have this message.
   *
   * @return whether it did
   */
  private boolean begin(
      Message message,
      Consumer client,
      ChannelPolicy rules,
      long nowNs,
      long nowMs,
      long timeoutNs,
      DeliverySink out) {
    if (isOver(message, rules, nowMs)) {
      inFlight.unreserve();
      return false;
    }
    if (isSampledOut(client)) {
      inFlight.unreserve();
      ledger.finished(message.ordinal());
      return false;
    }
    inFlight.start(message, client, nowNs, timeoutNs);
    message.nextAttempt();
    ledger.delivered(message);
    send(message, out);
    return true;
  }

  /**
   * Whether a message is not delivered any more, by its age or a limit that was lowered; then it is
   * finished or dead.
   */
  private boolean isOver(Message message, ChannelPolicy rules, long nowMs) {
    if (rules.messageTtlMs() > 0) {
      boolean isInMemory = message.bytes != null;
      long timestampNs = isInMemory ? message.timestampNs : ready.view().timestampNs();
      // Memory has no body of what was published with a delay.
      long deferMs = isInMemory ? 0 : ready.view().deferMs();
      if (TimeToLive.isOver(rules, timestampNs, deferMs, message.lives(), nowMs)) {
        dead.expire(message);
        return true;
      }
    }
    return isDeadNow(message, rules);
  }

  /** How long a message may stay in flight to a client, ns. */
  long timeoutNs(Consumer client) {
    return timeoutNs(client, policy.get());
  }

  static long timeoutNs(Consumer client, ChannelPolicy rules) {
    long byPolicyMs = rules.msgTimeoutMs();
    return byPolicyMs == 0 || client.askedMsgTimeout()
        ? client.msgTimeoutNs()
        : TimeUnit.MILLISECONDS.toNanos(byPolicyMs);
  }

  private boolean isSampledOut(Consumer client) {
    int rate = client.sampleRate();
    return rate > 0 && settings.dice().applyAsInt(PERCENT) >= rate;
  }

  private void send(Message message, DeliverySink out) {
    int attempts = message.attempts();
    long id = guids.idOf(message.ordinal());
    if (message.bytes == null) {
      MessageView view = ready.view();
      out.message(view.timestampNs(), attempts, id, view.body());
      return;
    }
    out.message(
        message.timestampNs, attempts, id, message.bytes, message.bodyStart, message.bodyLength());
    // If it comes back it is read from the journal.
    message.bytes = null;
  }

  // ---------------------------------------------------------------- end

  /** A delivery ends, whatever the reason: the message is finished, or it comes back. */
  private void end(Message message, End how, long delayMs) {
    inFlight.pop(message);
    if (how == End.FIN) {
      ledger.finished(message.ordinal());
      return;
    }
    if (how == End.REQ) {
      requeueCount++;
    } else if (how == End.TIMEOUT) {
      timeoutCount++;
    }
    if (isDeadNow(message)) {
      return;
    }
    long waitMs = delayMs > 0 ? delayMs : backoffMs(message, how);
    if (waitMs > 0) {
      ready.defer(message, waitMs);
    } else {
      ready.requeue(message);
    }
    ledger.cameBack(message, waitMs);
  }

  /** How long a message waits that comes back without a delay of its own; 0 for not at all. */
  private long backoffMs(Message message, End how) {
    ChannelPolicy.Backoff backoff = policy.get().requeueBackoff();
    boolean isFor = backoff.minMs() > 0 && how != End.CONSUMER_LEFT;
    return isFor && ready.mayDefer() ? backoff.delayMs(message.attempts()) : 0;
  }

  /**
   * FIN for the messages of one socket read.
   *
   * @param outcomes receives one for each id
   * @return whether any was in flight
   */
  boolean finish(Consumer client, long[] ids, int count, Outcome[] outcomes) {
    times.look();
    boolean any = false;
    for (int i = 0; i < count; i++) {
      Message message = inFlight.get(guids.ordinalOf(ids[i]));
      outcomes[i] = InFlightMessages.check(message, client);
      if (outcomes[i] == Outcome.OK) {
        end(message, End.FIN, 0);
        times.finished(message);
        any = true;
      }
    }
    ledger.write();
    return any;
  }

  /**
   * REQ.
   *
   * @param delayMs 0 for at once
   */
  Outcome requeue(Consumer client, long id, long delayMs) {
    Message message = inFlight.get(guids.ordinalOf(id));
    Outcome outcome = InFlightMessages.check(message, client);
    if (outcome != Outcome.OK) {
      return outcome;
    }
    boolean isLast = AttemptsLimit.isReached(policy.get(), message.attempts());
    if (delayMs > 0 && !isLast && !ready.mayDefer()) {
      return Outcome.TOO_MANY_DEFERRED;
    }
    end(message, End.REQ, delayMs);
    ledger.write();
    return Outcome.OK;
  }

  /**
   * What these consumers did not answer in time comes back.
   *
   * @param late receives those that have room now
   * @return how many messages
   */
  int timeOut(Collection<Consumer> clients, long nowNs, List<Consumer> late) {
    int count = 0;
    for (Consumer client : clients) {
      int before = count;
      for (Message message = inFlight.firstTimedOut(client, nowNs);
          message != null;
          message = inFlight.firstTimedOut(client, nowNs)) {
        end(message, End.TIMEOUT, 0);
        count++;
      }
      if (count > before) {
        late.add(client);
      }
    }
    ledger.write();
    return count;
  }

  /**
   * What a consumer that leaves has in flight comes back at once.
   *
   * @return how many messages
   */
  int leave(Consumer client) {
    int count = 0;
    for (Message message = client.inFlight().first();
        message != null;
        message = client.inFlight().first()) {
      end(message, End.CONSUMER_LEFT, 0);
      count++;
    }
    ledger.write();
    return count;
  }

  /** TOUCH: the timeout begins anew, up to max-msg-timeout after the delivery. */
  Outcome touch(Consumer client, long id) {
    Message message = inFlight.get(guids.ordinalOf(id));
    Outcome outcome = InFlightMessages.check(message, client);
    if (outcome == Outcome.OK) {
      inFlight.touch(message, settings.clock().nanos(), timeoutNs(client));
    }
    return outcome;
  }

  // ---------------------------------------------------------------- state

  /** Whether the consumer of the last turn may come again at once. */
  boolean hasMore() {
    return more;
  }

  /** Whether a client waits for memory. */
  boolean isStarved() {
    return starved;
  }

  /** A delivery has ended; returns whether a client may wait for that, whatever became of it. */
  boolean isAwaited() {
    // Where the order is kept the next one may have another consumer.
    boolean was = full || starved || policy.get().ordered();
    full = false;
    return was;
  }

  /** Those clients are woken; returns whether there may be any. */
  boolean endStarving() {
    boolean was = starved;
    starved = false;
    return was;
  }

  int inFlightCount() {
    return inFlight.size();
  }

  /** When the first message times out of what these clients have, or another, earlier time. */
  long firstDeadlineNs(Collection<Consumer> clients, long otherwiseNs) {
    return inFlight.firstDeadlineNs(clients, otherwiseNs);
  }

  long requeueCount() {
    return requeueCount;
  }

  long timeoutCount() {
    return timeoutCount;
  }
}
