package io.holdfast.broker.cluster.relay;

import io.holdfast.broker.cluster.relay.RelayFrame.Tell;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.Consumer;
import io.holdfast.broker.queue.DeliverySink;
import io.holdfast.broker.queue.MessageSource;
import io.holdfast.broker.queue.NoLeaderException;
import io.holdfast.broker.queue.Outcome;
import io.holdfast.broker.queue.Subscriber;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * What a client of this node has subscribed to, wherever it is led: follows the group's leader, and
 * remembers what the client still holds of former ones, so that it never has more than it asked
 * for.
 *
 * <p>Owned by the client's thread; what other threads bring runs there.
 */
public final class RelayedSubscription implements MessageSource {
  /** How long SUB waits for a leader. */
  static final long JOIN_NS = TimeUnit.SECONDS.toNanos(5);

  /** How long a client stays without one. */
  static final long LEADERLESS_NS = TimeUnit.SECONDS.toNanos(10);

  /** How often it is tried again. */
  private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(50);

  private enum State {
    SEEKING,
    JOINING,
    JOINED,
    OVER
  }

  private final Relays node;
  private final long number;
  private final int group;
  private final Subscriber client;
  private final String topic;
  private final String name;
  private final CompletableFuture<Void> joined = new CompletableFuture<>();
  private final HeldMessages held = new HeldMessages();
  private final Answers answers;
  private final Inbox inbox;

  private State state = State.SEEKING;
  private Leader at = Leader.NONE;
  private int attempts;

  /** null while there is none. Other threads look at it. */
  private volatile Attachment attachment;

  private long unsettledSinceNs;
  private boolean looking;
  private boolean expiring;
  private boolean stopping;
  private volatile boolean draining;
  private volatile boolean exiting;

  /**
   * @param number which of the node's it is
   */
  RelayedSubscription(
      Relays node, long number, int group, Subscriber client, String topic, String name) {
    this.node = node;
    this.number = number;
    this.group = group;
    this.client = client;
    this.topic = topic;
    this.name = name;
    inbox = new Inbox(client);
    answers = new Answers(held, () -> attachment, this::readyChanged);
  }

  long number() {
    return number;
  }

  /** Begins to look for the leader. */
  void start() {
    seek();
    watch();
  }

  /** Done when the client is a consumer of the channel; fails with a {@link BrokerException}. */
  public CompletableFuture<Void> joined() {
    return joined;
  }

  // ---------------------------------------------------------------- following the leader

  /** Another one leads, or nobody. Any thread. */
  void leaderChanged() {
    inbox.post(this::follow);
  }

  private void follow() {
    if (state == State.OVER) {
      return;
    }
    Leader now = node.leader(group);
    if (state != State.SEEKING && now.isKnown() && !now.equals(at)) {
      detach();
    }
    seek();
    watch();
  }

  /** Tries to join, if it has not. */
  private void seek() {
    if (state != State.SEEKING || stopping) {
      return;
    }
    String refusal = node.standing();
    if (refusal != null) {
      giveUp(new NoLeaderException(refusal));
      return;
    }
    Leader leader = node.leader(group);
    if (!leader.isKnown()) {
      return;
    }
    if (!leader.node().equals(node.self())) {
      joinThere(leader);
    } else if (node.led().isLed(topic)) {
      joinHere(leader);
    }
  }

  private void joinHere(Leader leader) {
    state = State.JOINING;
    at = leader;
    int attempt = ++attempts;
    node.led()
        .channel(topic, name, client.info().keepsBacklog())
        .whenComplete(
            (channel, failure) -> inbox.post(() -> joinedHere(attempt, channel, failure)));
  }

  private void joinedHere(int attempt, MessageSource channel, Throwable failure) {
    if (state != State.JOINING || attempt != attempts) {
      return;
    }
    try {
      if (failure != null) {
        throw BrokerException.of(failure);
      }
      channel.addClient(client);
    } catch (BrokerException e) {
      refused(e, node.led().isPassing(topic, e));
      return;
    }
    attachment = new LocalAttachment(channel, client, node.led(), held, node::nowNs);
    settled();
  }

  private void joinThere(Leader leader) {
    LeaderSession session = node.session(leader.node());
    state = State.JOINING;
    at = leader;
    long id = node.nextSubscription();
    long ready = ready();
    attachment = new RemoteAttachment(session, id, ready, client, held, node::nowNs);
    session.add(id, this);
    node.subscribe(session, id, ready, topic, name, client.info());
  }

  private void settled() {
    state = State.JOINED;
    unsettledSinceNs = node.nowNs();
    joined.complete(null);
    readyChanged();
  }

  /** Whether there is nothing to wait for. */
  private boolean isSettled() {
    return state == State.OVER
        || stopping
        || (state == State.JOINED && node.leader(group).isKnown());
  }

  /** Looks again until there is nothing to wait for. */
  private void watch() {
    if (!looking && !isSettled()) {
      unsettledSinceNs = node.nowNs();
      looking = client.runLater(this::look, LOOK_NS);
    }
  }

  private void look() {
    looking = false;
    if (isSettled()) {
      return;
    }
    long forNs = node.nowNs() - unsettledSinceNs;
    if (forNs > (joined.isDone() ? LEADERLESS_NS : JOIN_NS)) {
      giveUp(new NoLeaderException("no leader for topic " + topic));
      return;
    }
    seek();
    looking = client.runLater(this::look, LOOK_NS);
  }

  /** It was not taken. */
  private void refused(BrokerException why, boolean isPassing) {
    forgetAttachment();
    watch();
    if (!isPassing && !joined.isDone()) {
      giveUp(why);
    }
  }

  private void giveUp(BrokerException why) {
    if (state == State.OVER) {
      return;
    }
    over();
    exiting = true;
    if (!joined.completeExceptionally(why)) {
      client.close();
    }
  }

  private void over() {
    detach();
    state = State.OVER;
    node.forget(this);
  }

  /** Takes nothing more from where it was. */
  private void detach() {
    attempts++;
    Attachment leaving = attachment;
    forgetAttachment();
    if (leaving != null) {
      leaving.leave();
    }
  }

  private void forgetAttachment() {
    attachment = null;
    state = State.SEEKING;
    at = Leader.NONE;
    held.leaderGone(node.nowNs());
    expireLater();
  }

  // ---------------------------------------------------------------- what a session tells

  /** Something came for a subscription of a session's, or the session is broken. Any thread. */
  void told(long id, Tell what, ByteBuf frame) {
    inbox.post(() -> take(id, what, frame));
  }

  /** What it has elsewhere, if that is it; else null. */
  private RemoteAttachment remote(long id) {
    return attachment instanceof RemoteAttachment now && now.id() == id ? now : null;
  }

  private void take(long id, Tell what, ByteBuf frame) {
    RemoteAttachment remote = remote(id);
    if (remote == null) {
      return;
    }
    switch (what) {
      case JOINED -> {
        remote.joined(frame);
        settled();
      }
      case REFUSED -> {
        boolean isPassing = frame.readBoolean();
        refused(new BrokerException(RelayFrame.string(frame)), isPassing);
      }
      case MESSAGES -> remote.messages(frame);
      case FAILED -> remote.failed(frame);
      case STOPPED -> remote.stopped();
      case ENDED -> {
        remote.ended();
        forgetAttachment();
        if (frame.readBoolean()) {
          watch();
        } else {
          giveUp(new BrokerException("exiting"));
        }
      }
      case BROKEN -> {
        remote.ended();
        forgetAttachment();
        watch();
      }
      default -> throw new IllegalArgumentException("of no subscription: " + what);
    }
  }

  // ---------------------------------------------------------------- what the client does

  @Override
  public String topicName() {
    return topic;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public boolean isExiting() {
    return exiting;
  }

  @Override
  public void addClient(Consumer added) {
    throw new IllegalStateException("it has its client");
  }

  @Override
  public boolean removeClient(Consumer removed) {
    boolean was = state != State.OVER;
    if (was) {
      over();
    }
    return was;
  }

  /** What the client's channel is told of its RDY. */
  private long ready() {
    return stopping || draining ? 0 : Math.max(0, client.readyCount() - held.former());
  }

  @Override
  public long room(Consumer asking) {
    return attachment == null ? 0 : attachment.room(ready());
  }

  @Override
  public int poll(Consumer polling, int max, DeliverySink out, int maxBytes) throws IOException {
    return attachment.poll(max, out, maxBytes);
  }

  @Override
  public void wakeAnother() {
    if (attachment != null) {
      attachment.wakeAnother();
    }
  }

  @Override
  public void readFailed(IOException cause) {
    attachment.readFailed(cause);
  }

  @Override
  public void finishMessages(Consumer by, long[] ids, int count, Outcome[] outcomes) {
    answers.finish(ids, count, outcomes);
  }

  @Override
  public Outcome requeueMessage(Consumer by, long id, long delayMs) {
    return answers.requeue(id, delayMs);
  }

  @Override
  public Outcome touchMessage(Consumer by, long id) {
    return answers.touch(id);
  }

  @Override
  public void readyChanged(Consumer of) {
    readyChanged();
  }

  private void readyChanged() {
    if (state == State.JOINED) {
      attachment.ready(ready());
    }
  }

  /** When the time of what the client holds of former leaders is over, it takes more. */
  private void expireLater() {
    long firstNs = held.expire(node.nowNs());
    if (!expiring && firstNs >= 0) {
      expiring =
          client.runLater(
              () -> {
                expiring = false;
                expireLater();
                readyChanged();
              },
              firstNs);
    }
  }

  @Override
  public CompletableFuture<Void> stopped(Consumer of) {
    stopping = true;
    if (state == State.JOINED) {
      return attachment.stop();
    }
    detach();
    return null;
  }

  @Override
  public boolean outlives() {
    if (state == State.OVER) {
      return false;
    }
    if (attachment instanceof LocalAttachment local && local.channel().isExiting()) {
      if (!local.channel().isElsewhere()) {
        over();
        exiting = true;
        return false;
      }
      detach();
      follow();
    }
    return true;
  }

  @Override
  public CompletableFuture<Void> behind() {
    return attachment == null ? null : attachment.behind();
  }

  // ---------------------------------------------------------------- figures (any thread)

  /** No more messages are to be given to the client; what it has it can answer. */
  void drain() {
    draining = true;
    inbox.post(this::drainOn);
  }

  private void drainOn() {
    readyChanged();
    held.purge(node.nowNs());
    if (held.present() > 0 && state != State.OVER) {
      client.runLater(this::drainOn, LOOK_NS);
    }
  }

  /** The number of the group. */
  int group() {
    return group;
  }

  /** Whether another node leads it, as far as is known. */
  boolean isRemote() {
    return attachment instanceof RemoteAttachment;
  }

  /** Messages in flight that another node leads. */
  int inFlightThere() {
    return isRemote() ? held.present() : 0;
  }
}
