package io.holdfast.broker.cluster;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.broker.cluster.engine.GroupMembers;
import io.holdfast.broker.cluster.engine.GroupPeer;
import io.holdfast.broker.cluster.engine.GroupStatus;
import io.holdfast.broker.cluster.engine.JraftGroup;
import io.holdfast.broker.cluster.engine.JraftLink;
import io.holdfast.broker.cluster.forward.LedTopics;
import io.holdfast.broker.cluster.lead.GroupReplica;
import io.holdfast.broker.cluster.lead.LeaderListener;
import io.holdfast.broker.cluster.lead.LeaderPlace;
import io.holdfast.broker.cluster.lead.LeaderTopics;
import io.holdfast.broker.cluster.lead.OtherNodes;
import io.holdfast.broker.cluster.state.GroupPlace;
import io.holdfast.broker.cluster.state.GroupState;
import io.holdfast.broker.cluster.state.NamesWatch;
import io.holdfast.broker.cluster.state.ReplicatedTopic;
import io.holdfast.broker.meters.LatencyCounts;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.NoLeaderException;
import io.holdfast.broker.queue.Topic;
import io.holdfast.storage.files.Reasons;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One group on this node: its state, its topics while it is led here, and the engine that decides;
 * all made anew after an error. Thread-safe.
 */
final class NodeGroup implements KeptGroup {
  private static final Logger LOG = LoggerFactory.getLogger(NodeGroup.class);

  /** Without a sign of the leader, ms. */
  private static final int ELECTION_TIMEOUT_MS = 1000;

  private final LeaderPlace leading;
  private final int groups;
  private final JraftLink link;
  private final ClusterPlace broker;
  private final Executor workers;
  private final LeaderListener listener;
  private final NamesWatch names;
  private final LedTopics led;

  /** All that a start makes. */
  private record Running(GroupState state, LeaderTopics topics, JraftGroup engine) {}

  /** null when it does not run. */
  private volatile Running running;

  /** Why it does not run, although it was to; null for no reason. */
  private volatile String error;

  /** Whether it is not to run. */
  private volatile boolean isLost;

  /** See {@link LeaderTopics#jumpFirst}; null for no jump. */
  private volatile Runnable onJump;

  private final GroupCounts counts = new GroupCounts();
  private final GroupHandover handover;
  private final OtherNodes others;
  private final DamagedLeader damaged = new DamagedLeader(System::nanoTime);

  /** The last change of members that was asked for here. */
  private volatile CompletableFuture<Void> changing = CompletableFuture.completedFuture(null);

  /** What it is started with; null before it may take part. */
  @GuardedBy("this")
  private GroupPart part;

  @GuardedBy("this")
  private boolean isOver;

  /**
   * Takes no part yet.
   *
   * @param leading which node and group this is
   * @param groups how many there are
   * @param workers make topics when leading begins
   * @param listener told which topics are led here
   * @param names told which topics and channels there are
   * @param others asked for messages that this disk has lost
   */
  NodeGroup(
      LeaderPlace leading,
      int groups,
      JraftLink link,
      ClusterPlace broker,
      Executor workers,
      LeaderListener listener,
      NamesWatch names,
      OtherNodes others) {
    this.leading = leading;
    handover = new GroupHandover(leading.group());
    this.groups = groups;
    this.link = link;
    this.broker = broker;
    this.workers = workers;
    this.listener = listener;
    led = new GroupLedTopics(() -> ask(null, Running::topics), broker.topics());
    this.names = names;
    this.others = others;
  }

  /** It does not run here and is not to, until it is told how to take part. */
  void lost(String reason) {
    stop();
    isLost = true;
    error = reason;
    LOG.error("CLUSTER: group {} stopped: {}", group(), reason);
  }

  /** Begins to take part; what is wrong is said in {@link #error}. */
  synchronized void start(GroupPart as) {
    part = as;
    isLost = false;
    start();
  }

  @Override
  public synchronized void start() {
    if (isOver || isLost || running != null) {
      return;
    }
    // Forced in the log; the journals need not be.
    GroupState state =
        new GroupState(
            new GroupPlace(group(), groups, broker.root()),
            broker.context().storageOptions(true),
            broker.context().syncThread());
    state.watch(part.forwarder().watch(group()));
    state.names(names);
    LeaderTopics topics =
        new LeaderTopics(
            leading,
            state,
            broker.context(),
            workers,
            new GroupNews(group(), part, counts, damaged, listener));
    topics.askForLost(others);
    JraftGroup engine =
        new JraftGroup(
            group(),
            part.self(),
            part.initial(),
            part.files(),
            link,
            new GroupReplica(group(), state, topics),
            ELECTION_TIMEOUT_MS);
    topics.of(engine);
    topics.jumpFirst(onJump);
    engine.onCommit(counts.commits()::record);
    try {
      engine.start();
      running = new Running(state, topics, engine);
      error = null;
    } catch (IOException e) {
      engine.stop();
      state.close();
      String reason = Reasons.of(e);
      if (!reason.equals(error)) {
        LOG.error("CLUSTER: group {} stopped: {}", group(), reason);
      }
      error = reason;
    }
  }

  @Override
  public synchronized void stop() {
    Running stopping = running;
    running = null;
    changing = CompletableFuture.completedFuture(null);
    if (stopping != null) {
      stopping.engine().stop();
      counts.installed(stopping.engine().installs());
      stopping.topics().stopsLeading(Long.MAX_VALUE);
      stopping.state().close();
    }
  }

  /** Takes part no more. */
  synchronized void close() {
    isOver = true;
    stop();
  }

  @Override
  public boolean mayRestart() {
    return !isLost;
  }

  @Override
  public int group() {
    return leading.group();
  }

  /** Whether it runs on this node. */
  boolean isRunning() {
    return running != null;
  }

  @Override
  public String error() {
    Running now = running;
    return now == null ? error : now.engine().status().error();
  }

  @Override
  public GroupStatus status() {
    return ask(null, now -> now.engine().status());
  }

  /** Who leads, null when nobody is known. */
  String leader() {
    GroupStatus now = status();
    return now == null ? null : now.leader();
  }

  @Override
  public boolean isServing() {
    return ask(false, now -> now.topics().isServing());
  }

  /**
   * Whether it {@link #isServing} in the term that was seen: the engine knows of a new term before
   * the topics of the former one have ended.
   */
  boolean isServing(GroupStatus seen) {
    return seen.role() == GroupStatus.Role.LEADER && servingTerm() == seen.term();
  }

  /** The term in which this node leads it and its topics answer; 0 for none. */
  long servingTerm() {
    return ask(0L, now -> now.topics().servingTerm());
  }

  private <T> T ask(T otherwise, Function<Running, T> question) {
    Running now = running;
    return now == null ? otherwise : question.apply(now);
  }

  /** Its state on this node; null when it does not run. */
  GroupState state() {
    return ask(null, Running::state);
  }

  /** The topic of a name, as far as this node has heard; null when there is none. */
  ReplicatedTopic topic(String name) {
    return ask(null, now -> now.state().topic(name));
  }

  /** All topics, as far as this node has heard; a live view. */
  Collection<ReplicatedTopic> topics() {
    return ask(List.of(), now -> now.state().topics());
  }

  /**
   * Of all that was applied here, for comparison with other nodes that have applied as much; null
   * when it does not run, or more was applied meanwhile.
   *
   * @param applied up to which index
   */
  String checksum(long applied) {
    Running now = running;
    OptionalInt crc = now == null ? OptionalInt.empty() : now.state().crcUpTo(applied);
    return crc.isEmpty() ? null : String.format(Locale.ROOT, "%08x", crc.getAsInt());
  }

  /** See {@link GroupState#crcMarks}; none when it does not run. */
  Map<Long, Integer> states() {
    return ask(Map.of(), now -> now.state().crcMarks());
  }

  /** Who belongs to it as far as this node knows; nobody when it does not run. */
  GroupMembers members() {
    return ask(new GroupMembers(List.of(), List.of()), now -> now.engine().members());
  }

  /** What it has counted since the start of the process. */
  GroupCounts.Totals totals() {
    Running now = running;
    return counts.totals(now == null ? 0 : now.engine().installs());
  }

  /** How long entries take from their proposal here until they are applied here. */
  LatencyCounts commits() {
    return counts.commits();
  }

  /** The topics that are led here, for publishes of all nodes. */
  LedTopics led() {
    return led;
  }

  /** See {@link LeaderTopics#create}. */
  Topic create(String name) throws BrokerException {
    Running now = running;
    if (now == null) {
      throw new NoLeaderException("no leader for topic " + name);
    }
    return now.topics().create(name);
  }

  @Override
  public void housekeep() throws IOException {
    Running now = running;
    if (now != null) {
      now.topics().housekeep();
    }
  }

  @Override
  public void snapshotFinished(long index) throws IOException {
    Running now = running;
    if (now != null) {
      now.state().snapshotFinished(index);
    }
  }

  @Override
  public CompletableFuture<Long> snapshot() {
    Running now = running;
    if (now == null) {
      return CompletableFuture.failedFuture(new IOException("the group has stopped"));
    }
    long beganNs = System.nanoTime();
    LOG.info("CLUSTER: group {}: snapshot begins at {}", group(), now.state().appliedIndex());
    return now.engine()
        .snapshot()
        .whenComplete(
            (index, failure) -> {
              if (failure == null) {
                counts.snapshotTaken();
                LOG.info(
                    "CLUSTER: group {}: snapshot done at {}, {} ms",
                    group(),
                    index,
                    (System.nanoTime() - beganNs) / 1_000_000);
              } else {
                LOG.warn("CLUSTER: group {}: no snapshot: {}", group(), Reasons.of(failure));
              }
            });
  }

  @Override
  public CompletableFuture<Long> snapshotAndDrop() {
    return snapshot()
        .thenCompose(
            index -> {
              Running now = running;
              // With nothing new in it, a snapshot only drops what the one before still left.
              return now == null
                  ? CompletableFuture.completedFuture(index)
                  : now.engine().snapshot();
            });
  }

  /** See {@link GroupHandover}. */
  CompletableFuture<Void> handOver(String to) {
    Running now = running;
    return now == null
        ? CompletableFuture.failedFuture(new IOException("the group has stopped"))
        : handover.begin(now.topics(), now.engine(), to);
  }

  @Override
  public CompletableFuture<Void> handOverOrSay(String to) {
    return handOver(to)
        .exceptionally(
            failure -> {
              LOG.warn("CLUSTER: group {} was not handed over: {}", group(), Reasons.of(failure));
              return null;
            });
  }

  /**
   * Changes who belongs to it; only where it is led, and one change after the other.
   *
   * @return done when that is committed
   */
  synchronized CompletableFuture<Void> changeMembers(
      List<GroupPeer> voters, List<GroupPeer> learners) {
    Running now = running;
    if (now == null) {
      return CompletableFuture.failedFuture(new IOException("the group has stopped"));
    }
    if (isChanging()) {
      return CompletableFuture.failedFuture(new IOException("its members are being changed"));
    }
    changing = now.engine().changeMembers(voters, learners);
    return changing;
  }

  /** Whether a change of members is under way here: what {@link #members} says is in between. */
  boolean isChanging() {
    return !changing.isDone();
  }

  /** Hands over when this disk has lost messages that only another leader may have. */
  void handOverIfDamaged(Function<LedGroup, String> successor) {
    damaged.visit(this, successor);
  }

  /** See {@link LeaderTopics#nudge}. */
  void nudge() {
    Running now = running;
    if (now != null) {
      now.topics().nudge();
    }
  }

  /**
   * Has all ordinals jump before anything is published here.
   *
   * @param told when they have, on the apply thread; null for no jump
   */
  void jumpFirst(Runnable told) {
    onJump = told;
    Running now = running;
    if (now != null) {
      now.topics().jumpFirst(told);
    }
  }

  /** See {@link io.holdfast.broker.cluster.engine.ClusterGroup#forceAlone}. */
  void forceAlone() throws IOException {
    Running now = running;
    if (now == null) {
      throw new IOException("the group has stopped");
    }
    now.engine().forceAlone();
  }
}
