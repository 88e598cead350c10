package io.holdfast.broker.cluster.lead;

import io.holdfast.broker.cluster.engine.ClusterGroup;
import io.holdfast.broker.cluster.state.Entries;
import io.holdfast.broker.cluster.state.GroupState;
import io.holdfast.broker.cluster.state.ReplicatedTopic;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.NoLeaderException;
import io.holdfast.broker.queue.SharedLogException;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.queue.TopicContext;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The topics of a group while this node leads it: made when it begins to, and dropped without a
 * word written when it does not any more. Between terms there are none.
 */
public final class LeaderTopics {
  /** More than were published when a majority was lost. */
  private static final long JUMP = 1L << 25;

  private static final long LOOK_MS = 10;

  private final LeaderPlace place;
  private final GroupState state;
  private final TopicContext context;
  private final Executor workers;
  private final LeaderListener listener;
  private final AtomicLong sequence = new AtomicLong();

  /** Up to here it was found out what nobody needs. */
  private final AtomicLong settledIndex = new AtomicLong();

  private volatile ClusterGroup group;
  private volatile OtherNodes others = OtherNodes.NONE;

  /**
   * Told when all ordinals have jumped, which is to be first in a term; null when they need not.
   */
  private volatile Runnable onJump;

  /** The term that it leads in, null when it leads in none. Written by the apply thread. */
  private volatile Leadership current;

  /**
   * Leads nothing yet.
   *
   * @param context what each topic needs of the broker
   * @param workers make the topics, and do nothing of this that blocks for long
   */
  public LeaderTopics(
      LeaderPlace place,
      GroupState state,
      TopicContext context,
      Executor workers,
      LeaderListener listener) {
    this.place = place;
    this.state = state;
    this.context = context;
    this.workers = workers;
    this.listener = listener;
  }

  /** The group whose log changes go to; before it starts. */
  public void of(ClusterGroup ofThis) {
    group = ofThis;
  }

  /** Who is asked for messages that this node's disk has lost, from the next term on. */
  public void askForLost(OtherNodes asked) {
    others = asked;
  }

  /**
   * Has all ordinals jump, in each term before anything is published, until that was applied once.
   * Before the group starts, or while it has no leader.
   *
   * @param told then, on the apply thread: must not block; null for no jump
   */
  public void jumpFirst(Runnable told) {
    onJump = told;
  }

  // ---------------------------------------------------------------- apply thread

  /**
   * This node leads from now on, and all that was committed before is applied. Again in the same
   * term, as after a handover that failed, it changes nothing.
   */
  public synchronized void startsLeading(long term) {
    Leadership before = current;
    if (before != null && before.term() >= term) {
      return;
    }
    stop();
    TermLog log = new TermLog(group, term, place, sequence, context.storageOptions(false).wallNs());
    Leadership begun = new Leadership(place, term, context, log, listener, others);
    state.observer(begun);
    current = begun;
    Runnable told = onJump;
    begun.begin(List.copyOf(state.topics()), workers, told == null ? 0 : JUMP, () -> jumped(told));
  }

  private void jumped(Runnable told) {
    onJump = null;
    told.run();
  }

  /** This node does not lead any more in a term, and will not again. Any thread. */
  public synchronized void stopsLeading(long term) {
    Leadership leading = current;
    if (leading != null && leading.term() <= term) {
      stop();
    }
  }

  /** Who leads the group. Any thread; does not block. */
  void leaderIs(String node, long term) {
    listener.leaderIs(node, term);
  }

  private synchronized void stop() {
    Leadership leading = current;
    if (leading != null) {
      current = null;
      state.observer(null);
      leading.end(List.copyOf(state.topics()));
    }
  }

  // ---------------------------------------------------------------- any thread

  /** Whether this node leads the group and all its topics are made. */
  public boolean isServing() {
    Leadership leading = current;
    return leading != null && leading.isServing();
  }

  /** The term in which this node leads the group and all its topics are made; 0 for none. */
  public long servingTerm() {
    Leadership leading = current;
    return leading != null && leading.isServing() ? leading.term() : 0;
  }

  /** The topic of a name, null when it is not led here, or there is none. */
  public Topic topic(String name) {
    Leadership leading = current;
    return leading == null ? null : leading.topic(name);
  }

  /** Whether this node leads the group in a term, and all its topics are made. */
  public boolean isServing(long term) {
    Leadership leading = current;
    return leading != null && leading.term() == term && leading.isServing();
  }

  /**
   * The topic of a name as it is led in a term, whose changes are made in that term or not at all.
   *
   * @return null when it is not led here in that term, or there is none
   */
  public Topic topic(long term, String name) {
    Leadership leading = current;
    boolean isIt = leading != null && leading.term() == term && leading.isServing();
    return isIt ? leading.topic(name) : null;
  }

  /**
   * Has a topic made in a term, unless there is one. Never blocks.
   *
   * @return done on the apply thread when there is one; fails with a {@link SharedLogException}
   */
  public CompletableFuture<Void> create(long term, String name) {
    Leadership leading = current;
    if (leading == null || leading.term() != term || !leading.isServing()) {
      return CompletableFuture.failedFuture(
          new SharedLogException("no leader for topic " + name, false));
    }
    return leading.log().changeLater(name, Entries.createTopic(name, leading.log().nowNs()));
  }

  /** The topics that are led here, sorted by name; a live view. */
  public Collection<Topic> topics() {
    Leadership leading = current;
    return leading == null ? List.of() : leading.topics();
  }

  /**
   * The topic of a name, made if there is none. Workers.
   *
   * @throws BrokerException when it was not made, or nobody knows
   */
  public Topic create(String name) throws BrokerException {
    Leadership leading = current;
    if (leading == null || !leading.isServing()) {
      throw new NoLeaderException("no leader for topic " + name);
    }
    Topic there = leading.topic(name);
    if (there != null) {
      return there;
    }
    try {
      leading.log().change(name, Entries.createTopic(name, leading.log().nowNs()));
    } catch (IOException e) {
      throw new BrokerException(e.getMessage(), e);
    }
    Topic made = leading.topic(name);
    if (made == null) {
      // Deleted since, or somebody else leads, who knows it.
      throw new NoLeaderException("no leader for topic " + name);
    }
    return made;
  }

  /**
   * Does what a leader has to now and then: says which finished messages are to stay, has single
   * unfinished ones carried forward, and has found out which ones nobody needs, so that their files
   * can go on all nodes. Housekeeping thread.
   *
   * @throws IOException when a journal cannot be read
   */
  public void housekeep() throws IOException {
    Leadership leading = current;
    if (leading == null || !leading.isServing()) {
      return;
    }
    IOException failed = null;
    for (Topic topic : leading.beginTurn()) {
      ReplicatedTopic agreed = state.topic(topic.name());
      try {
        if (agreed != null) {
          keepAndCarry(leading, topic, agreed);
        }
      } catch (IOException e) {
        // The files of the others are to go nevertheless.
        failed = e;
      }
    }
    long applied = state.appliedIndex();
    if (applied > settledIndex.get()) {
      leading.settle(settledIndex);
    }
    if (failed != null) {
      throw failed;
    }
  }

  /** Puts something into the log that changes nothing, so that all members hear of it. */
  public void nudge() {
    Leadership leading = current;
    if (leading != null) {
      leading.settle(settledIndex);
    }
  }

  private static void keepAndCarry(Leadership leading, Topic topic, ReplicatedTopic agreed)
      throws IOException {
    try {
      boolean staysMore = leading.retain(agreed, topic.policy());
      if (!staysMore) {
        leading.carry(agreed);
      }
    } catch (IOException e) {
      // Where the topic has ended meanwhile, nobody needs to know.
      if (!topic.isExiting()) {
        throw e;
      }
    }
  }

  /**
   * Delivers nothing more, as before a handover, until the term ends or {@link #resume}. What is in
   * flight gets some time to be answered; what is not by then is delivered again by whoever leads
   * next. Publishes go on.
   *
   * @param answersMs how long that is at most
   * @return done when all that became of messages is committed; fails with a {@link
   *     SharedLogException} when the term ends
   */
  public CompletableFuture<Void> quiesce(long answersMs) {
    Leadership leading = current;
    if (leading == null) {
      return CompletableFuture.completedFuture(null);
    }
    leading.batcher().hold(true);
    CompletableFuture<Void> answered =
        new CompletableFuture<Void>().completeOnTimeout(null, answersMs, TimeUnit.MILLISECONDS);
    awaitAnswers(leading, answered);
    return answered.thenCompose(done -> leading.batcher().flush());
  }

  private void awaitAnswers(Leadership leading, CompletableFuture<Void> answered) {
    if (leading.inFlight() == 0) {
      answered.complete(null);
    } else if (!answered.isDone()) {
      CompletableFuture.delayedExecutor(LOOK_MS, TimeUnit.MILLISECONDS, workers)
          .execute(() -> awaitAnswers(leading, answered));
    }
  }

  /** The handover did not work: all is delivered again. */
  public void resume() {
    Leadership leading = current;
    if (leading != null) {
      leading.batcher().hold(false);
    }
  }

  /**
   * Has all that became of messages until now go into the log.
   *
   * @return done when it is committed; fails with a {@link SharedLogException} when the term ends
   */
  public CompletableFuture<Void> flush() {
    Leadership leading = current;
    return leading == null ? CompletableFuture.completedFuture(null) : leading.batcher().flush();
  }
}
