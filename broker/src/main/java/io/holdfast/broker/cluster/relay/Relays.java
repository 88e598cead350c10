package io.holdfast.broker.cluster.relay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.broker.cluster.forward.ForwardPlace;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.broker.cluster.peers.PeersListener;
import io.holdfast.broker.cluster.relay.RelayFrame.Ask;
import io.holdfast.broker.cluster.state.GroupPlace;
import io.holdfast.broker.queue.Subscriber;
import io.holdfast.broker.queue.SubscriberInfo;
import io.netty.buffer.ByteBuf;
import java.io.Closeable;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * All consumers of shared topics that are connected to this node, and those of other nodes that
 * this one serves for them. Thread-safe.
 */
public final class Relays implements Closeable {
  /** Of what goes to a leader. */
  public static final int TO_LEADER = 8;

  /** Of what comes from one. */
  public static final int FROM_LEADER = 9;

  /** Sessions that one start of a node may make. */
  private static final int SESSION_BITS = 20;

  private static final long PING_NS = TimeUnit.SECONDS.toNanos(1);

  static final JsonMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private final ForwardPlace place;
  private final RelayLink link;
  private final LedChannels led;
  private final Supplier<String> standing;
  private final LongSupplier nanoClock;
  private final RelayLoops loops;
  private final AtomicReferenceArray<Leader> leaders;

  /** By number, so that they are told things in an order that a simulation can repeat. */
  private final Map<Long, RelayedSubscription> subscriptions = new ConcurrentHashMap<>();

  private final AtomicLong lastMade = new AtomicLong();
  private final AtomicLong lastSubscription = new AtomicLong();
  private final AtomicLong lastSession;
  private final Map<String, FollowerSession> followers = new HashMap<>();
  private volatile boolean draining;

  /** By leader. */
  @GuardedBy("sessions")
  private final Map<String, LeaderSession> sessions = new HashMap<>();

  /**
   * @param peers not started yet: gets handlers
   * @param led what this node leads
   * @param standing why this node serves no consumers of shared topics, for them; null when it does
   */
  public Relays(ForwardPlace place, Peers peers, LedChannels led, Supplier<String> standing) {
    this(place, peers::send, led, standing, System::nanoTime, new RelayLoops());
    peers.handle(TO_LEADER, (from, payload, reply) -> asked(from, payload));
    peers.handle(FROM_LEADER, (from, payload, reply) -> told(from, payload));
    peers.listen(
        new PeersListener() {
          @Override
          public void reachable(String node, boolean isReachable) {
            Relays.this.reachable(node, isReachable);
          }
        });
  }

  /** With a test's link, threads and clock. */
  Relays(
      ForwardPlace place,
      RelayLink link,
      LedChannels led,
      Supplier<String> standing,
      LongSupplier nanoClock,
      RelayLoops loops) {
    this.place = place;
    this.link = link;
    this.led = led;
    this.standing = standing;
    this.nanoClock = nanoClock;
    this.loops = loops;
    leaders = new AtomicReferenceArray<>(place.groups());
    lastSession = new AtomicLong(place.start() << SESSION_BITS);
    for (int group = 0; group < place.groups(); group++) {
      leaders.set(group, Leader.NONE);
    }
    for (String node : place.names()) {
      if (!node.equals(place.node())) {
        followers.put(node, new FollowerSession(node, link, loops.next(), led));
      }
    }
    ping();
  }

  private void ping() {
    List<LeaderSession> all;
    synchronized (sessions) {
      all = List.copyOf(sessions.values());
    }
    all.forEach(LeaderSession::ping);
    loops.timer().schedule(this::ping, PING_NS);
  }

  // ---------------------------------------------------------------- clients of this node

  /**
   * Has a client served, whoever leads; it takes no message before its RDY.
   *
   * @param topic that all nodes share; it need not be there
   * @return {@link RelayedSubscription#joined} says whether it worked
   */
  public RelayedSubscription subscribe(Subscriber client, String topic, String channel) {
    int group = GroupPlace.groupOf(topic, place.groups());
    long number = lastMade.incrementAndGet();
    RelayedSubscription made = new RelayedSubscription(this, number, group, client, topic, channel);
    subscriptions.put(number, made);
    if (draining) {
      made.drain();
    }
    made.start();
    return made;
  }

  void forget(RelayedSubscription subscription) {
    subscriptions.remove(subscription.number());
  }

  /** As {@link io.holdfast.broker.cluster.engine.GroupMember#leaderIs}. */
  public void leaderIs(int group, String node, long term) {
    Leader now = new Leader(node, term);
    Leader before = leaders.getAndUpdate(group, known -> term < known.term() ? known : now);
    if (term >= before.term() && !now.equals(before)) {
      for (RelayedSubscription each : subscriptions.values()) {
        if (each.group() == group) {
          each.leaderChanged();
        }
      }
    }
  }

  /** Has clients of this node be given nothing more; what they have they can answer. For good. */
  public void drain() {
    draining = true;
    subscriptions.values().forEach(RelayedSubscription::drain);
  }

  /** Clients of this node that another one serves now. */
  public int consumers() {
    return (int) subscriptions.values().stream().filter(RelayedSubscription::isRemote).count();
  }

  /** Messages that those have not answered. */
  public long inFlight() {
    return subscriptions.values().stream().mapToLong(RelayedSubscription::inFlightThere).sum();
  }

  // ---------------------------------------------------------------- for subscriptions

  String self() {
    return place.node();
  }

  Leader leader(int group) {
    return leaders.get(group);
  }

  String standing() {
    return standing.get();
  }

  LedChannels led() {
    return led;
  }

  long nowNs() {
    return nanoClock.getAsLong();
  }

  long nextSubscription() {
    return lastSubscription.incrementAndGet();
  }

  /** The session to a leader; one that is whole, as far as is known. */
  LeaderSession session(String leader) {
    synchronized (sessions) {
      return sessions.computeIfAbsent(
          leader,
          node ->
              new LeaderSession(link, node, lastSession.incrementAndGet(), this::sessionBroken));
    }
  }

  private void sessionBroken(LeaderSession session) {
    synchronized (sessions) {
      sessions.remove(session.node(), session);
    }
  }

  void subscribe(
      LeaderSession session,
      long id,
      long ready,
      String topic,
      String channel,
      SubscriberInfo info) {
    String client = write(info);
    session.ask(
        Ask.SUB,
        id,
        Integer.BYTES,
        frame -> {
          frame.writeInt((int) ready);
          RelayFrame.string(frame, topic);
          RelayFrame.string(frame, channel);
          RelayFrame.string(frame, client);
        });
  }

  private static String write(SubscriberInfo info) {
    try {
      return JSON.writeValueAsString(info);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  // ---------------------------------------------------------------- what other nodes send

  void asked(String from, ByteBuf payload) {
    followers.get(from).asked(RelayFrame.copy(payload));
  }

  void told(String from, ByteBuf payload) {
    ByteBuf frame = RelayFrame.copy(payload);
    long number = frame.readLong();
    LeaderSession session;
    synchronized (sessions) {
      session = sessions.get(from);
    }
    if (session != null && session.number() == number) {
      session.told(frame);
    }
  }

  /** A node can be asked, or no more: what was on its way may be lost. */
  void reachable(String node, boolean isReachable) {
    followers.get(node).reachable(isReachable);
    LeaderSession session;
    synchronized (sessions) {
      session = isReachable ? null : sessions.get(node);
    }
    if (session != null) {
      session.breakUp("not reachable");
    }
  }

  /** Serves nobody any more. */
  @Override
  public void close() {
    loops.close();
  }
}
