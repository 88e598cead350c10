package io.holdfast.broker.queue;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.broker.policy.ChannelPolicy;
import io.holdfast.storage.topic.BackendQueue;
import io.holdfast.storage.topic.DirNames;
import io.holdfast.storage.values.HeldMessage;
import java.io.IOException;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A channel: every message of the topic since its creation, each in exactly one place: memory
 * queue, backend, in flight, deferred, dead, or finished. Any number of consumers share it.
 *
 * <p>{@link #lock} guards everything that is not volatile. It is held for short, bounded work only
 * (a quantum of deliveries, the finishes of a socket read), never while a socket is written. It is
 * taken after the topic's lock where both are needed.
 */
public final class Channel implements MessageSource {
  /** What {@link #poll} returns when the channel is paused or ends: it will wake its clients. */
  public static final int CLOSED = -1;

  /** When clients try again that found no memory for messages in flight. */
  private static final long STARVED_NS = TimeUnit.MILLISECONDS.toNanos(100);

  private final String topicName;
  private final String name;
  private final ChannelSettings settings;
  private final BackendQueue backend;
  private final ProcessingTimes times;

  private final Object lock = new Object();
  private final Consumers consumers;

  @GuardedBy("lock")
  private final ReadyMessages ready;

  @GuardedBy("lock")
  private final ChannelMessages messages;

  private final ChannelLedger ledger;

  @GuardedBy("lock")
  private final Deliveries deliveries;

  @GuardedBy("lock")
  private final Wakeups wakeups;

  @GuardedBy("lock")
  private final DeadLetters dead;

  private final ChannelIntake intake;
  private final Subscriptions subscriptions;
  private final ChannelScan timing;
  private final ChannelUpkeep upkeep;

  private final ChannelState state = new ChannelState();
  private final PolicyInForce<ChannelPolicy> policy;
  private final ChannelAdmin admin;
  private final DeadLetterSteps deadLetters;

  /** Messages delivered from memory, by the consumer's {@link Locality}. */
  @GuardedBy("lock")
  private final LocalityCounts memoryCounts = new LocalityCounts();

  /**
   * Makes a channel on top of its backend.
   *
   * @param held messages that the ledger knows with attempts or due times
   * @param handPolicy what was set by hand
   */
  public Channel(
      String topicName,
      String name,
      TopicContext context,
      GuidFactory guids,
      BackendQueue backend,
      Collection<HeldMessage> held,
      Map<String, String> handPolicy) {
    this.topicName = topicName;
    this.name = name;
    settings = context.channelSettings();
    this.backend = backend;
    policy =
        new PolicyInForce<>(
            byHand -> context.policies().ofChannel(topicName, name, byHand),
            handPolicy,
            settings.persistence());
    consumers = new Consumers(topicName + ":" + name, settings.maxChannelConsumers());
    times = new ProcessingTimes(settings);
    ready = new ReadyMessages(settings, backend, isEphemeral() ? this::demand : null);
    settings.memory().topicOpened();
    InFlightMessages inFlight =
        new InFlightMessages(settings.maxMsgTimeoutNs(), settings.memory().inFlight());
    ledger = new ChannelLedger(topicName, name, settings, backend);
    dead =
        new DeadLetters(settings, policy, ledger, isEphemeral(), context::deadLettersToBePublished);
    messages = new ChannelMessages(ready, inFlight, dead, consumers.all(), settings.clock());
    deliveries =
        new Deliveries(settings, policy, guids, ready, inFlight, consumers, dead, ledger, times);
    wakeups = new Wakeups(lock, ready, consumers, policy, settings);
    timing =
        new ChannelScan(
            "TOPIC(" + topicName + ") CHANNEL(" + name + ")",
            lock,
            consumers,
            ready,
            deliveries,
            wakeups,
            context.queueScan());
    subscriptions = new Subscriptions(lock, state, policy, consumers, deliveries, wakeups);
    intake = new ChannelIntake(lock, backend, ready, messages, ledger, timing, wakeups);
    upkeep = new ChannelUpkeep(lock, backend, ready, messages, ledger, timing, settings);
    deadLetters = new DeadLetterSteps(lock, state, guids, backend, ready, dead, ledger, wakeups);
    admin =
        new ChannelAdmin(
            lock,
            state,
            settings,
            policy,
            backend,
            consumers,
            ready,
            deliveries,
            messages,
            dead,
            ledger,
            timing);
    synchronized (lock) {
      ready.setOrdered(policy.get().ordered());
      deliveries.restore(held);
      timing.watchDeferred();
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String topicName() {
    return topicName;
  }

  /** Whether it ends with its last consumer, and nothing of it survives the process. */
  public boolean isEphemeral() {
    return DirNames.isEphemeral(name);
  }

  /** Messages that the consumers have room for. Under the lock. */
  private long demand() {
    return state.paused ? 0 : consumers.demand();
  }

  // ---------------------------------------------------------------- delivery (client's event loop)

  /**
   * The messagePump's share: takes messages from memory queue and backend, puts them in flight to
   * the client and gives them out.
   *
   * @param max messages
   * @param maxBytes stops once this much was written
   * @return messages written; {@link #CLOSED} when nothing is delivered now. A client that waits
   *     afterwards is woken when there is more, one that does not should come again
   */
  @Override
  public int poll(Consumer client, int max, DeliverySink out, int maxBytes) throws IOException {
    int count;
    Consumer wake = null;
    synchronized (lock) {
      if (!state.isDelivering() || !client.isSubscribed()) {
        return CLOSED;
      }
      long nowNs = settings.clock().nanos();
      long fromMemory = ready.takenFromMemory();
      count = deliveries.turn(client, max, out, maxBytes, nowNs);
      if (deliveries.hasMore()) {
        wake = wakeups.next();
      } else {
        wakeups.add(client);
        if (deliveries.isStarved()) {
          timing.watch(nowNs + STARVED_NS);
        }
      }
      if (count > 0) {
        memoryCounts.add(
            Locality.of(client, settings.topology()), ready.takenFromMemory() - fromMemory);
        settings.pacing().delivered(count, nowNs);
        timing.watch(nowNs + deliveries.timeoutNs(client));
      }
      timing.watchDeferred();
    }
    Wakeups.wake(wake);
    return count;
  }

  /** Passes on a wake-up that a client could not use. */
  @Override
  public void wakeAnother() {
    Consumer wake;
    synchronized (lock) {
      wake = wakeups.next();
    }
    Wakeups.wake(wake);
  }

  // ---------------------------------------------------------------- answers (client's event loop)

  /**
   * FIN for the messages of one socket read, so that lock and ledger are taken once.
   *
   * @param outcomes receives one for each id
   */
  @Override
  public void finishMessages(Consumer client, long[] ids, int count, Outcome[] outcomes) {
    Consumer wake = null;
    synchronized (lock) {
      if (state.exiting) {
        Arrays.fill(outcomes, 0, count, Outcome.EXITING);
      } else if (deliveries.finish(client, ids, count, outcomes) && deliveries.isAwaited()) {
        wake = wakeups.next();
      }
    }
    Wakeups.wake(wake);
  }

  /**
   * REQ: delivers again, at once or after a delay.
   *
   * @param delayMs 0 for at once
   */
  @Override
  public Outcome requeueMessage(Consumer client, long id, long delayMs) {
    Consumer wake = null;
    Outcome outcome;
    synchronized (lock) {
      if (state.exiting) {
        return Outcome.EXITING;
      }
      outcome = deliveries.requeue(client, id, delayMs);
      if (outcome == Outcome.OK) {
        timing.watchDeferred();
        wake = deliveries.isAwaited() || delayMs == 0 ? wakeups.next() : null;
      }
    }
    Wakeups.wake(wake);
    return outcome;
  }

  /** TOUCH: the timeout begins anew, up to max-msg-timeout after the delivery. */
  @Override
  public Outcome touchMessage(Consumer client, long id) {
    synchronized (lock) {
      return deliveries.touch(client, id);
    }
  }

  // ---------------------------------------------------------------- consumers

  /** Adds a consumer; it must be ready for wake-ups. */
  @Override
  public void addClient(Consumer client) throws BrokerException {
    subscriptions.add(client);
  }

  /** See {@link Subscriptions#remove}. */
  @Override
  public boolean removeClient(Consumer client) {
    return subscriptions.remove(client);
  }

  Subscriptions subscriptions() {
    return subscriptions;
  }

  /** The consumers; a live view that any thread may read. */
  public Collection<Consumer> clients() {
    return consumers.all();
  }

  // ---------------------------------------------------------------- administration (workers)

  /** Stops deliveries, also after a restart. */
  public void pause() throws IOException {
    admin.pause();
  }

  /** Goes on with deliveries. */
  public void unpause() throws IOException {
    admin.unpause();
  }

  /** As it was when the broker stopped. */
  public void restorePaused() {
    state.paused = true;
  }

  public boolean isPaused() {
    return state.paused;
  }

  /** Delivers nothing more, for good; what is in flight can still be answered. */
  public void drain() {
    admin.drain();
  }

  /** Drops everything the channel has but dead letters, in flight and deferred messages too. */
  public void empty() throws IOException {
    admin.empty();
  }

  /** A consumer's turn failed: on a full disk even reading can need a block. Any thread. */
  @Override
  public void readFailed(IOException cause) {
    settings.diskErrors().makeRoom(cause);
  }

  /**
   * Ends the channel and its consumers' connections.
   *
   * @param deleting drops everything; otherwise everything stays for the next start
   */
  public void exit(boolean deleting) {
    admin.exit(deleting);
  }

  /** Whether it is being deleted or the broker stops. */
  @Override
  public boolean isExiting() {
    return state.exiting || consumers.isClosed();
  }

  @Override
  public boolean isElsewhere() {
    return state.elsewhere;
  }

  /** Ends with all who share it, or here alone: then another broker has it from now on. */
  void end(boolean deleted) {
    state.elsewhere = !deleted;
    admin.exit(true);
  }

  @Override
  public long msgTimeoutNs(Consumer client) {
    return Deliveries.timeoutNs(client, policy.get());
  }

  @Override
  public long maxMsgTimeoutNs() {
    return settings.maxMsgTimeoutNs();
  }

  /** The policy in force. Any thread. */
  public ChannelPolicy policy() {
    return policy.get();
  }

  /** What was set by hand: field to value as text; cannot be changed. Any thread. */
  public Map<String, String> handPolicy() {
    return policy.byHand();
  }

  /**
   * Sets what was set by hand: in force at once, also for messages that are there, and on disk when
   * this returns.
   *
   * @throws IOException when the disk refuses; all is as it was then
   */
  public void setHandPolicy(Map<String, String> byHand) throws IOException {
    admin.setHandPolicy(byHand);
  }

  /** The configuration of policies may have changed. */
  public void refreshPolicies() {
    admin.refreshPolicies();
  }

  // ---------------------------------------------------------------- dead letters (workers)

  /**
   * Makes dead letters ready again here, as if they had never been delivered; on disk when this
   * returns.
   *
   * @param ids of these; null for those that are dead longest
   * @param max at most so many; Integer.MAX_VALUE for all
   * @return how many
   * @throws IOException when the disk refuses
   */
  public int redrive(long[] ids, int max) throws IOException {
    return deadLetters.redrive(ids, max);
  }

  /** Finishes dead letters; the rest is as for {@link #redrive}. */
  public int discard(long[] ids, int max) throws IOException {
    return deadLetters.discard(ids, max);
  }

  /** Whether a message is a dead letter here. */
  public boolean isDead(long id) {
    return deadLetters.isDead(id);
  }

  DeadLetterSteps deadLetters() {
    return deadLetters;
  }

  ChannelIntake intake() {
    return intake;
  }

  ChannelAdmin admin() {
    return admin;
  }

  Consumers consumers() {
    return consumers;
  }

  ChannelUpkeep upkeep() {
    return upkeep;
  }

  // ---------------------------------------------------------------- figures (any thread)

  /** Its figures, all of one moment. */
  public ChannelFigures figures() {
    synchronized (lock) {
      return new ChannelFigures(
          ready.depth(),
          backend.depth(),
          deliveries.inFlightCount(),
          ready.deferredCount(),
          intake.messageCount(),
          deliveries.requeueCount(),
          deliveries.timeoutCount(),
          memoryCounts.zone(),
          memoryCounts.region(),
          memoryCounts.global(),
          backend.unreadable(),
          ready.dropped(),
          dead.size(),
          dead.deadLetterCount(),
          dead.droppedCount(),
          dead.expiredCount(),
          consumers.all().size(),
          state.paused);
    }
  }

  /** See {@link ChannelMessages#first}. */
  List<Waiting> first(Waiting.State state, int max) {
    synchronized (lock) {
      return messages.first(state, max);
    }
  }

  /** How long its messages took from publish to FIN. */
  public ProcessingTimes times() {
    return times;
  }

  /** Bytes on disk that belong to this channel alone. */
  public long diskBytes() {
    return backend.diskBytes();
  }

  /** Files on disk that belong to this channel alone. */
  public int diskFiles() {
    return backend.diskFiles();
  }
}
