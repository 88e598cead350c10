package io.holdfast.broker.cluster.forward;

import io.holdfast.broker.cluster.state.GroupPlace;
import io.holdfast.broker.cluster.state.PublishWatch;
import io.holdfast.broker.queue.PublishListener;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.Closeable;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes at this node, whoever leads: brings each to its topic's leader and finds out what
 * became of it. What comes from one thread to one group gets into the log in that order.
 * Thread-safe.
 */
public final class PublishForwarder implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(PublishForwarder.class);

  /** How often it is looked what has waited for too long, ms. */
  static final long TICK_MS = 20;

  /** So long after the last publish it is no more looked, until the next one. */
  private static final int IDLE_TICKS = 50;

  private final ForwardPlace place;
  private final Supplier<String> standing;
  private final long maxBytes;
  private final List<GroupPublishes> groups = new ArrayList<>();
  private final AtomicLong bytes = new AtomicLong();
  private final LongAdder forwarded = new LongAdder();

  /** Whether the time is looked at, or to be: set by {@link #start}, and each publish after it. */
  private final AtomicBoolean ticks = new AtomicBoolean(true);

  /** Looks at the time since anything was under way; the timer's. */
  private int idleTicks;

  private final Queue<Runnable> pausing = new ConcurrentLinkedQueue<>();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(new DefaultThreadFactory("forwarder", true));

  /**
   * Knows no leader yet, and does not look at the time before {@link #start}.
   *
   * @param link the way to the leaders
   * @param standing why this node publishes nothing, for the client; null when it does
   * @param maxBytes of publishes under way from which on callers are to pause; twice as many are
   *     refused
   * @param nanoClock monotonic
   */
  public PublishForwarder(
      ForwardPlace place,
      PeersLeaderLink link,
      Supplier<String> standing,
      long maxBytes,
      LongSupplier nanoClock) {
    this(place, (LeaderLink) link, standing, maxBytes, nanoClock);
  }

  /** By a link of a test's. */
  PublishForwarder(
      ForwardPlace place,
      LeaderLink link,
      Supplier<String> standing,
      long maxBytes,
      LongSupplier nanoClock) {
    this.place = place;
    this.standing = standing;
    this.maxBytes = maxBytes;
    LeaderLink counting =
        (node, request, told) -> {
          if (!request.isClose() && !node.equals(place.node())) {
            forwarded.increment();
          }
          link.ask(node, request, told);
        };
    for (int group = 0; group < place.groups(); group++) {
      groups.add(
          new GroupPublishes(
              group, place.index(), place.start(), counting, nanoClock, this::settled));
    }
  }

  /** Begins to look at the time. */
  public void start() {
    tickLater();
  }

  private void tickLater() {
    try {
      timer.schedule(this::tickOn, TICK_MS, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("closed", e);
    }
  }

  /** Nothing is looked at while nothing is under way: an idle node is to cost nothing. */
  private void tickOn() {
    tick();
    idleTicks = bytes.get() == 0 ? idleTicks + 1 : 0;
    if (idleTicks < IDLE_TICKS) {
      tickLater();
      return;
    }
    idleTicks = 0;
    ticks.set(false);
    // One that came just now may not have seen that.
    if (bytes.get() > 0) {
      tickAgain();
    }
  }

  private void tickAgain() {
    if (ticks.compareAndSet(false, true)) {
      tickLater();
    }
  }

  void tick() {
    groups.forEach(GroupPublishes::tick);
  }

  // ---------------------------------------------------------------- publishing (any thread)

  /**
   * Publishes the messages of one command, all or none. Never blocks.
   *
   * @param topic that all nodes share; it need not be there
   * @param section count times int32 length and body from position to limit, checked by the caller;
   *     copied
   * @param count at least 1
   * @param deferMs delay from when the leader gets it, 0 for none
   * @param listener told once what became of it, from any thread, perhaps before this returns:
   *     stored, refused, or not known
   * @return false when so much is under way that the caller is to bring nothing more before {@link
   *     #whenRoom}
   */
  public boolean publish(
      String topic, ByteBuffer section, int count, long deferMs, PublishListener listener) {
    String refusal = standing.get();
    if (refusal != null) {
      listener.onRefused(refusal);
      return true;
    }
    long its = UnsettledPublish.bytes(section.remaining());
    long before = bytes.getAndAdd(its);
    if (!ticks.get()) {
      tickAgain();
    }
    if (before >= 2 * maxBytes) {
      settled(its);
      listener.onRefused("publishes of " + before + " bytes are under way");
      return false;
    }
    byte[] copy = new byte[section.remaining()];
    section.duplicate().get(copy);
    int group = GroupPlace.groupOf(topic, place.groups());
    groups.get(group).publish(topic, copy, count, deferMs, listener);
    return bytes.get() < maxBytes;
  }

  /**
   * Has somebody told, once, when there is room for more publishes; at once when there is now.
   *
   * @param told from any thread; must not block
   */
  public void whenRoom(Runnable told) {
    pausing.add(told);
    if (bytes.get() < maxBytes) {
      goOn();
    }
  }

  private void settled(long its) {
    if (bytes.addAndGet(-its) < maxBytes) {
      goOn();
    }
  }

  private void goOn() {
    for (Runnable told = pausing.poll(); told != null; told = pausing.poll()) {
      told.run();
    }
  }

  // ---------------------------------------------------------------- what the groups say

  /** Who is to be told of the publish commands that a group's state applies. */
  public PublishWatch watch(int group) {
    return groups.get(group);
  }

  /** As {@link io.holdfast.broker.cluster.engine.GroupMember#leaderIs}. */
  public void leaderIs(int group, String node, long term) {
    groups.get(group).leaderIs(node, term);
  }

  // ---------------------------------------------------------------- figures

  /** Bytes of publishes that are under way. */
  public long bytes() {
    return bytes.get();
  }

  /** Publishes that were sent to another node since the start, each attempt. */
  public long forwarded() {
    return forwarded.sum();
  }

  /** Looks at the time no more; what is under way is told by whoever still answers. */
  @Override
  public void close() {
    timer.shutdownNow();
  }
}
