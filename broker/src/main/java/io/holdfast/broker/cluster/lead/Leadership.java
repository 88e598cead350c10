package io.holdfast.broker.cluster.lead;

import io.holdfast.broker.cluster.engine.Proposal;
import io.holdfast.broker.cluster.state.Entries;
import io.holdfast.broker.cluster.state.GroupObserver;
import io.holdfast.broker.cluster.state.ReplicatedChannel;
import io.holdfast.broker.cluster.state.ReplicatedTopic;
import io.holdfast.broker.policy.TopicPolicy;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.SharedChannel;
import io.holdfast.broker.queue.SharedTopic;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.queue.TopicContext;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.values.CarriedMessage;
import java.io.IOException;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One term in which this node leads a group: topics with channels on top of the group's state. They
 * are made of it once, then they see each entry that is applied; what they know ahead of the log is
 * theirs alone, and is gone with the term.
 */
final class Leadership implements GroupObserver {
  private static final Logger LOG = LoggerFactory.getLogger(Leadership.class);

  /** So long others are asked for a message that is lost here before anybody is told. */
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(5);

  /** A topic that is led. */
  private record Led(SharedTopic shared, ReplicatedTopicLog log, CarryForward carry) {}

  private final LeaderPlace place;
  private final long term;
  private final TopicContext context;
  private final TermLog log;
  private final LedgerBatcher batcher;
  private final LeaderListener listener;
  private final OtherNodes others;

  /** Of messages that others had to give. */
  private final AtomicLong copiedBytes = new AtomicLong();

  /** Of all topics. */
  private final CarryTurn carryTurn = new CarryTurn();

  /** By number; changed under the topic's lock. */
  private final Map<Long, Led> led = new ConcurrentHashMap<>();

  private final ConcurrentSkipListMap<String, Topic> byName = new ConcurrentSkipListMap<>();
  private final CompletableFuture<Void> serving = new CompletableFuture<>();
  private final long beganNs = System.nanoTime();
  private volatile boolean ended;

  Leadership(
      LeaderPlace place,
      long term,
      TopicContext context,
      TermLog log,
      LeaderListener listener,
      OtherNodes others) {
    this.place = place;
    this.term = term;
    this.context = context;
    this.log = log;
    this.listener = listener;
    this.others = others;
    batcher = new LedgerBatcher(place.group(), log::propose, log::nowNs);
  }

  // ---------------------------------------------------------------- begin and end (apply thread)

  /**
   * Begins; nothing is applied meanwhile, and this is told of all that is from now on.
   *
   * @param topics all there are
   * @param workers make them, each under its lock
   * @param jump by how many ordinals all topics jump before anything is published; 0 for none
   * @param jumped told when they have, on the apply thread
   */
  void begin(List<ReplicatedTopic> topics, Executor workers, long jump, Runnable jumped) {
    LOG.info("CLUSTER: group {}: becoming leader, term {}", place.group(), term);
    batcher.start();
    // When it is applied, entries of older terms that have not been never will be.
    log.insist(() -> Entries.term(log.nowNs()), () -> {});
    AtomicInteger left = new AtomicInteger(topics.size() + 1);
    for (ReplicatedTopic topic : topics) {
      workers.execute(
          () -> {
            try {
              make(topic);
            } finally {
              serveIfLast(left);
            }
          });
    }
    if (jump == 0) {
      serveIfLast(left);
      return;
    }
    log.insist(
        () -> Entries.skip(jump, log.nowNs()),
        () -> {
          jumped.run();
          serveIfLast(left);
        });
  }

  /** Begins to serve when nothing is left that has to be done before. */
  private void serveIfLast(AtomicInteger left) {
    if (left.decrementAndGet() > 0 || ended) {
      return;
    }
    LOG.info(
        "CLUSTER: group {}: leading, term {}, {} topics, {} ms",
        place.group(),
        term,
        byName.size(),
        (System.nanoTime() - beganNs) / 1_000_000);
    serving.complete(null);
    listener.serving(term);
  }

  /** Makes a topic, as it is now. */
  private void make(ReplicatedTopic topic) {
    synchronized (topic.lock()) {
      if (ended || led.containsKey(topic.number())) {
        return;
      }
      ReplicatedTopicLog changes = new ReplicatedTopicLog(log, topic);
      try {
        SharedTopic shared =
            SharedTopic.open(
                new SharedTopic.Parts(
                    topic.name(),
                    topic.idBase(),
                    place.clusterId(),
                    topic.journal(),
                    topic.lock(),
                    changes,
                    topic.keptFrom(),
                    topic.isPaused(),
                    topic.policy()),
                context);
        CarryForward carry =
            new CarryForward(
                topic, shared, context, log, carryTurn, missing(topic, carryTurn.givenBytes()));
        led.put(topic.number(), new Led(shared, changes, carry));
        for (ReplicatedChannel channel : topic.channels()) {
          shared.adopt(parts(topic, channel));
        }
        byName.put(topic.name(), shared.topic());
        listener.led(shared.topic());
      } catch (IOException | RuntimeException e) {
        failed(topic, e);
      }
    }
  }

  private SharedChannel parts(ReplicatedTopic topic, ReplicatedChannel channel) {
    BatchedAccount account =
        new BatchedAccount(
            batcher,
            topic.number(),
            channel.number(),
            channel.epoch(),
            missing(topic, copiedBytes));
    return new SharedChannel(
        channel.name(), topic.stateOf(channel), account, channel.isPaused(), channel.policy());
  }

  private MissingMessages missing(ReplicatedTopic topic, AtomicLong heldBytes) {
    return new MissingMessages(
        topic.number(),
        others,
        heldBytes,
        System::nanoTime,
        (ordinal, forNs, allLost) -> vain(topic, ordinal, forNs, allLost));
  }

  /** A message was asked for in vain. */
  private void vain(ReplicatedTopic topic, long ordinal, long forNs, boolean allLost) {
    if (allLost || forNs > PATIENCE_NS) {
      listener.unreadable(topic.name(), ordinal, allLost);
    }
  }

  /** A topic that cannot be led is not: rather none than a wrong one. Topic's lock. */
  private void failed(ReplicatedTopic topic, Exception cause) {
    String reason = Reasons.of(cause);
    LOG.error("CLUSTER: group {}: TOPIC({}) cannot be led", place.group(), topic.name(), cause);
    end(topic.number(), false);
    listener.failed(topic.name(), reason);
  }

  /**
   * Ends: nothing is written any more, and what waits to be is forgotten. Whoever published is told
   * by the group what became of it.
   */
  void end(Collection<ReplicatedTopic> topics) {
    ended = true;
    log.end();
    batcher.stop();
    LOG.info("CLUSTER: group {}: no longer leading, term {}", place.group(), term);
    for (ReplicatedTopic topic : topics) {
      synchronized (topic.lock()) {
        end(topic.number(), false);
      }
    }
    serving.cancel(false);
  }

  private void end(long number, boolean deleted) {
    Led ending = led.remove(number);
    if (ending != null) {
      Topic topic = ending.shared().topic();
      byName.remove(topic.name(), topic);
      if (deleted) {
        ending.log().deleted();
      }
      ending.shared().end(deleted);
      ending.carry().forget();
      listener.withdrawn(topic);
    }
  }

  // ---------------------------------------------------------------- any thread

  long term() {
    return term;
  }

  TermLog log() {
    return log;
  }

  LedgerBatcher batcher() {
    return batcher;
  }

  /** Done when all topics are made; cancelled when that is not to be. */
  CompletableFuture<Void> serving() {
    return serving;
  }

  boolean isServing() {
    return serving.isDone() && !ended;
  }

  /** The topic of this name, null when none is led here. */
  Topic topic(String name) {
    return byName.get(name);
  }

  Collection<Topic> topics() {
    return Collections.unmodifiableCollection(byName.values());
  }

  /** Messages of lasting channels that clients have and have not answered. */
  long inFlight() {
    long count = 0;
    for (Topic topic : byName.values()) {
      for (Channel channel : topic.channels()) {
        count += channel.isEphemeral() ? 0 : channel.figures().inFlightCount();
      }
    }
    return count;
  }

  // ---------------------------------------------------------------- housekeeping

  /** A turn begins: the topics, first those of which nothing was carried forward for long. */
  List<Topic> beginTurn() {
    return carryTurn.begin(byName);
  }

  /**
   * Says which finished messages of a topic are to stay, if that is something new.
   *
   * @return whether some are to stay that were not before
   */
  boolean retain(ReplicatedTopic topic, TopicPolicy policy) throws IOException {
    long known = topic.retainFrom();
    long from = Retained.from(topic.journal(), known, policy, context);
    if (from != known) {
      log.propose(Entries.retain(topic.number(), from, log.nowNs()), new Unheeded());
    }
    return from != Entries.NONE && (known == Entries.NONE || from < known);
  }

  /** Has messages carried forward that alone keep a topic's oldest journal file. */
  void carry(ReplicatedTopic topic) throws IOException {
    Led there = led.get(topic.number());
    if (there != null) {
      there.carry().housekeep();
    }
  }

  /**
   * Has found out what nobody needs any more.
   *
   * @param upTo becomes the index up to which that was done
   */
  void settle(AtomicLong upTo) {
    log.propose(
        Entries.settle(log.nowNs()),
        new Unheeded() {
          @Override
          public void applied(long index) {
            upTo.accumulateAndGet(index, Math::max);
          }
        });
  }

  // ---------------------------------------------------------------- what is applied

  private interface Change {
    void make(SharedTopic topic) throws IOException;
  }

  /** A topic that is not made yet will be of a state that has the change. */
  private void change(ReplicatedTopic topic, Change change) {
    Led there = led.get(topic.number());
    if (there != null) {
      try {
        change.make(there.shared());
      } catch (IOException e) {
        failed(topic, e);
      }
    }
  }

  @Override
  public void topicCreated(ReplicatedTopic topic) {
    make(topic);
  }

  @Override
  public void topicDeleted(ReplicatedTopic topic) {
    end(topic.number(), true);
  }

  @Override
  public void channelCreated(ReplicatedTopic topic, ReplicatedChannel channel) {
    change(topic, shared -> shared.channelCreated(parts(topic, channel), topic.keptFrom()));
  }

  @Override
  public void channelDeleted(ReplicatedTopic topic, ReplicatedChannel channel) {
    change(topic, shared -> shared.channelDeleted(channel.name(), topic.keptFrom()));
  }

  @Override
  public void published(ReplicatedTopic topic, Batch batch) {
    Led there = led.get(topic.number());
    if (there != null) {
      there.shared().published(batch);
    }
  }

  @Override
  public void topicPaused(ReplicatedTopic topic, boolean paused) {
    change(topic, shared -> shared.paused(paused, topic.keptFrom()));
  }

  @Override
  public void channelPaused(ReplicatedTopic topic, ReplicatedChannel channel, boolean paused) {
    change(topic, shared -> shared.channelPaused(channel.name(), paused));
  }

  @Override
  public void topicEmptied(ReplicatedTopic topic) {
    change(topic, shared -> shared.emptied(topic.keptFrom()));
  }

  @Override
  public void channelEmptied(ReplicatedTopic topic, ReplicatedChannel channel, long floor) {
    moved(topic, channel);
  }

  @Override
  public void rewound(ReplicatedTopic topic, ReplicatedChannel channel, long first) {
    moved(topic, channel);
  }

  private void moved(ReplicatedTopic topic, ReplicatedChannel channel) {
    change(
        topic,
        shared -> shared.channelMoved(channel.name(), topic.stateOf(channel), channel.epoch()));
  }

  @Override
  public void policyChanged(ReplicatedTopic topic, ReplicatedChannel channel) {
    change(
        topic,
        shared -> {
          if (channel == null) {
            shared.policyChanged(topic.policy());
          } else {
            shared.channelPolicyChanged(channel.name(), channel.policy());
          }
        });
  }

  @Override
  public void carried(ReplicatedTopic topic, List<CarriedMessage> messages) {
    change(topic, shared -> shared.carried(messages));
  }

  @Override
  public void filesRemoved(ReplicatedTopic topic) {
    Led there = led.get(topic.number());
    if (there != null) {
      there.shared().filesRemoved();
    }
  }

  /** Of an entry that nobody waits for. */
  static class Unheeded implements Proposal {
    @Override
    public void applied(long index) {
      // Whom it concerns sees it applied.
    }

    @Override
    public void refused(String reason) {
      // The term is over.
    }

    @Override
    public void unknown(String reason) {
      // The term is over.
    }
  }
}
