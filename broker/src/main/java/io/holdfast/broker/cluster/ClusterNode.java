package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.ClusterDirectory.Standing;
import io.holdfast.broker.cluster.ClusterDirectory.State;
import io.holdfast.broker.cluster.admin.LeaderRequests;
import io.holdfast.broker.cluster.copies.PeerCopies;
import io.holdfast.broker.cluster.engine.GroupFiles;
import io.holdfast.broker.cluster.engine.JraftLink;
import io.holdfast.broker.cluster.forward.ForwardPlace;
import io.holdfast.broker.cluster.forward.MemberLimits;
import io.holdfast.broker.cluster.forward.PeersLeaderLink;
import io.holdfast.broker.cluster.forward.PublishForwarder;
import io.holdfast.broker.cluster.forward.StartNumber;
import io.holdfast.broker.cluster.lead.LeaderListener;
import io.holdfast.broker.cluster.lead.LeaderPlace;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.broker.cluster.peers.PeersConfig;
import io.holdfast.broker.cluster.relay.LedChannels;
import io.holdfast.broker.cluster.relay.Relays;
import io.holdfast.broker.cluster.state.NamesWatch;
import io.holdfast.broker.net.Transport;
import io.holdfast.broker.queue.TopicLeaders;
import io.holdfast.broker.tls.TlsContexts;
import io.holdfast.storage.files.LastStop;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.raft.RaftLogOptions;
import io.holdfast.storage.topic.ClusterFile;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This broker as a node of a cluster: puts together what it takes, starts the groups once the
 * cluster is formed, and stops all of it. One thread starts and stops; others may ask.
 */
public final class ClusterNode implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterNode.class);
  private static final int EVENT_LOOPS = 2;
  private static final int LEADER_THREADS = 4;
  private static final long FORMING_MS = 200;
  private static final long STATUS_MS = 1000;
  private static final long ABSENCE_MS = 200;

  private static final long LOG_FILE_BYTES = 32L << 20;

  /** What an entry has beside its messages. */
  private static final int ENTRY_ROOM_BYTES = 64 << 10;

  private static final int FRAME_ROOM_BYTES = 1 << 20;
  private static final long MIN_QUEUED_BYTES = 64L << 20;

  /** Of publishes under way, from which on connections are not read. */
  private static final long MAX_FORWARD_BYTES = 32L << 20;

  private final ClusterConfig config;
  private final ClusterPlace place;
  private final Standing standing;
  private final Transport transport = new Transport(EVENT_LOOPS);
  private final Membership membership;
  private final Peers peers;
  private final JraftLink link;
  private final Forming forming;
  private final NodeStatuses statuses;
  private final MemberLimits limits;
  private final PublishForwarder forwarder;
  private final Relays relays;
  private final ClusterTopics topics;
  private final LeaderRequests requests;
  private final KnownTopics known;
  private final ExecutorService leaderThreads =
      Executors.newFixedThreadPool(LEADER_THREADS, new DefaultThreadFactory("leader", true));
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(new DefaultThreadFactory("cluster-timer", true));
  private final CompletableFuture<String> mustExit = new CompletableFuture<>();

  /** By number, also before this node takes part. */
  private final List<NodeGroup> made = new ArrayList<>();

  private final Participation participation;
  private final ClusterLife life;

  /**
   * Neither listens nor takes part yet.
   *
   * @param standing what the directory may be started as
   * @param own what this node says of itself; must not block
   * @param leaderListener told which topics are led here
   * @param watch told which topics and channels there are, also while others lead them
   * @param channels of those topics
   * @throws IOException in one line: a TLS file is missing or of no use
   */
  public ClusterNode(
      ClusterConfig config,
      Standing standing,
      ClusterPlace place,
      Supplier<NodeStatus> own,
      LeaderListener leaderListener,
      NamesWatch watch,
      LedChannels channels)
      throws IOException {
    this.config = config;
    this.standing = standing;
    this.place = place;
    membership = new Membership(config, place.root(), standing, System::nanoTime);
    peers = new Peers(peersConfig(), membership::handshake, membership, transport);
    peers.listen(membership);
    link = new JraftLink(peers);
    // The same order on all nodes, whatever that of their options.
    List<String> names = config.names();
    long start = StartNumber.next(place.disk(), place.root(), System::currentTimeMillis);
    PeerCopies copies =
        new PeerCopies(
            peers,
            group -> group >= 0 && group < made.size() ? made.get(group).state() : null,
            leaderThreads);
    for (int group = 0; group < config.groups(); group++) {
      made.add(
          new NodeGroup(
              new LeaderPlace(group, config.clusterId(), names.indexOf(config.node()), start),
              config.groups(),
              link,
              place,
              leaderThreads,
              leaderListener,
              watch,
              copies.ofGroup(group)));
    }
    limits = new MemberLimits(names, name -> name.equals(config.node()) ? own.get() : said(name));
    ForwardPlace here = new ForwardPlace(config.node(), names, start, config.groups());
    forwarder =
        new PublishForwarder(
            here,
            new PeersLeaderLink(peers, here, made.stream().map(NodeGroup::led).toList(), limits),
            this::refusal,
            MAX_FORWARD_BYTES,
            System::nanoTime);
    relays = new Relays(here, peers, channels, this::refusal);
    forming =
        new Forming(
            config,
            membership,
            place.root(),
            place.disk(),
            (dir, group) -> files(group, LastStop.CLEAN).create(),
            peers);
    statuses = new NodeStatuses(peers, () -> own.get().with(agreed()), System::currentTimeMillis);
    participation =
        new Participation(
            config, membership, place, link, peers, statuses, limits::isFull, made, this::files);
    topics =
        new ClusterTopics(
            config.node(),
            config.groups(),
            membership::isOutside,
            participation::groups,
            this::tcpAddressOf,
            timer);
    requests =
        new LeaderRequests(
            config.node(), peers, topics, timer, maxEntryBytes(), () -> own.get().httpAddress());
    known =
        new KnownTopics(config.groups(), participation::groups, System::nanoTime, watch::replaced);
    life =
        new ClusterLife(
            config,
            membership,
            peers,
            participation,
            new OrdersHere(config, membership, participation, forming, peers, this::beginAnew),
            new ForcedAlone(config, membership, place.disk(), peers, participation));
    membership.superseded().thenAcceptAsync(participation::superseded, timer);
    membership.mustExit().thenAccept(mustExit::complete);
  }

  private PeersConfig peersConfig() throws IOException {
    TlsContexts tls = config.tls() == null ? null : config.tls().load();
    int frame = maxEntryBytes() + FRAME_ROOM_BYTES;
    return new PeersConfig(
        config.node(),
        config.nodes(),
        frame,
        Math.max(MIN_QUEUED_BYTES, 4L * frame),
        tls,
        PeersConfig.Times.DEFAULT);
  }

  private int maxEntryBytes() {
    return logOptions().maxEntryBytes();
  }

  private RaftLogOptions logOptions() {
    return new RaftLogOptions(
        LOG_FILE_BYTES, place.maxEntryBytes() + ENTRY_ROOM_BYTES + GroupFiles.ENTRY_HEAD_BYTES);
  }

  private GroupFiles files(int group, LastStop lastStop) {
    return new GroupFiles(
        ClusterFile.groupDir(place.root(), group),
        place.disk(),
        logOptions(),
        lastStop,
        place.context().diskErrors()::makeRoom);
  }

  private String tcpAddressOf(String node) {
    NodeStatus status = said(node);
    return status == null ? null : status.tcpAddress();
  }

  private NodeStatus.Agreed agreed() {
    return participation.agreed();
  }

  private NodeStatus said(String node) {
    NodeStatuses.Heard heard = statuses.of(node);
    return heard == null ? null : heard.status();
  }

  // ---------------------------------------------------------------- start

  /**
   * Listens for the other nodes; a member takes part when this returns, others once they may.
   *
   * @throws IOException in one line: the address is taken, or none of this machine's
   */
  public void start() throws IOException {
    peers.start();
    statuses.start(STATUS_MS);
    forwarder.start();
    timer.scheduleWithFixedDelay(limits::look, 0, STATUS_MS, TimeUnit.MILLISECONDS);
    timer.scheduleWithFixedDelay(known::look, 0, ABSENCE_MS, TimeUnit.MILLISECONDS);
    forming.start(FORMING_MS);
    forming
        .formed()
        .whenComplete(
            (file, failure) -> {
              if (failure != null) {
                mustExit.complete(Reasons.of(failure));
                return;
              }
              try {
                takePart(file);
              } catch (RuntimeException | Error e) {
                LOG.error("CLUSTER: internal error", e);
                mustExit.complete("internal error: " + e);
              }
            });
  }

  private void takePart(ClusterFile file) {
    boolean wasMember = standing.state() == State.MEMBER;
    participation.begin(
        file, standing.lost(), wasMember ? place.lastStop() : LastStop.CLEAN, forwarder, relays);
  }

  /** This node has become another member than it was. */
  private void beginAnew(ClusterFile file) {
    participation.begin(file, Map.of(), LastStop.CLEAN, forwarder, relays);
  }

  // ---------------------------------------------------------------- asking

  /** Done, with a line for the operator, when this process has to end because of another node. */
  public CompletableFuture<String> mustExit() {
    return mustExit;
  }

  /** As in {@code cluster_nodes}. */
  public String name() {
    return config.node();
  }

  /** Who leads which topics. */
  public TopicLeaders leaders() {
    return topics;
  }

  /** Brings publishes to whoever leads. */
  public PublishForwarder forwarder() {
    return forwarder;
  }

  /** Brings what is asked of topics to whoever leads them. */
  public LeaderRequests requests() {
    return requests;
  }

  /** What topics there are, whoever leads them. */
  public KnownTopics known() {
    return known;
  }

  /** Serves consumers of shared topics, whoever leads them. */
  public Relays relays() {
    return relays;
  }

  /** Whether this node leads the group of a topic, and the group's topics answer. */
  public boolean isLed(String topic) {
    NodeGroup group = topics.group(topic);
    return group != null && group.isServing();
  }

  /** Why this node publishes nothing to shared topics, and delivers nothing; null when it does. */
  private String refusal() {
    return membership.isOutside() ? ClusterTopics.NO_MEMBER : null;
  }

  /** What an operator has the cluster do. */
  public ClusterLife life() {
    return life;
  }

  /** Whether this node is to lead nothing. */
  public boolean isDraining() {
    return participation.isDraining();
  }

  /** How everything stands; never waits. */
  public ClusterView view() {
    return new ClusterView(config, membership, peers, statuses, participation);
  }

  // ---------------------------------------------------------------- stop

  /** Has others lead what is led here; returns when they do, or after two seconds. */
  public void handOver() {
    participation.handOver();
  }

  /** Takes part no more. */
  @Override
  public void close() {
    forming.close();
    statuses.close();
    timer.shutdownNow();
    life.close();
    participation.close();
    forwarder.close();
    relays.close();
    peers.close();
    link.close();
    transport.close();
    leaderThreads.shutdown();
  }
}
