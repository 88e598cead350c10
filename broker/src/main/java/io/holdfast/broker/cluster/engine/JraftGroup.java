package io.holdfast.broker.cluster.engine;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.NodeManager;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.core.NodeImpl;
import com.alipay.sofa.jraft.core.State;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.entity.Task;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.raft.RaftLog;
import io.holdfast.storage.raft.VoteFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A group of several nodes, decided by JRaft: the only class that makes and asks a node of it.
 * After an error the group has stopped for good here, and another one is made of the same files.
 */
public final class JraftGroup implements ClusterGroup {
  private static final Logger LOG = LoggerFactory.getLogger(JraftGroup.class);

  private static final Duration WATCH_INTERVAL = Duration.ofMillis(100);

  private final int group;
  private final GroupPeer self;
  private final List<GroupPeer> initial;
  private final GroupFiles files;
  private final JraftLink link;
  private final int electionTimeoutMs;
  private final JraftProposals proposals = new JraftProposals();
  private final JraftProgress progress = new JraftProgress();
  private final SnapshotThread snapshotThread;
  private final JraftMachine machine;
  private final JraftServer server;
  private final JraftPace pace;

  private RaftLog log;
  private JraftLogStorage logStorage;
  private JraftVoteStorage votes;
  private ScheduledFuture<?> watch;
  private volatile NodeImpl node;
  private volatile boolean isStopped;
  private volatile Configuration configuration = new Configuration();

  private final JraftHandovers handovers = new JraftHandovers();

  /**
   * Makes the group; {@link #start} opens it.
   *
   * @param group its number
   * @param self this node
   * @param initial the first members, of which this is one, while the group is being made; empty
   *     for a node that is to be added to a group that there is
   * @param electionTimeoutMs without a sign of the leader, after which another one is elected
   */
  public JraftGroup(
      int group,
      GroupPeer self,
      List<GroupPeer> initial,
      GroupFiles files,
      JraftLink link,
      GroupMember member,
      int electionTimeoutMs) {
    this.group = group;
    this.self = self;
    this.initial = List.copyOf(initial);
    this.files = files;
    this.link = link;
    this.electionTimeoutMs = electionTimeoutMs;
    snapshotThread = new SnapshotThread("group-" + group + "-snapshot");
    machine =
        new JraftMachine(
            member,
            JraftPeers.id(self),
            peer -> link.nodeAt(peer.getEndpoint()),
            files,
            snapshotThread,
            proposals,
            this::causeOf,
            this::passed);
    server = new JraftServer(group, () -> votes.mayVote(), member::installing, link.executor());
    pace = new JraftPace(group, JraftPeers.id(self), link, electionTimeoutMs);
    link.know(initial);
    link.know(List.of(self));
  }

  private String causeOf(String reported) {
    String cause = logStorage.failure() == null ? votes.failure() : logStorage.failure();
    return cause == null ? reported : cause;
  }

  /** 0 before there is a node. */
  private long passed() {
    NodeImpl asked = node;
    return asked == null ? 0 : index(asked::getLastAppliedLogIndex);
  }

  /** 0 when the node is in error, or ends. */
  private static long index(LongSupplier of) {
    try {
      return of.getAsLong();
    } catch (RuntimeException e) {
      return 0;
    }
  }

  @Override
  public void start() throws IOException {
    VoteFile vote = files.openVote();
    files.checkSnapshot();
    log = files.openLog(vote.term());
    boolean done = false;
    try {
      logStorage = new JraftLogStorage(log);
      votes = new JraftVoteStorage(vote, log, peer -> link.nodeAt(peer.getEndpoint()));
      PeerId id = JraftPeers.id(self);
      NodeManager.getInstance().addAddress(id.getEndpoint());
      JraftSignals.keep();
      NodeImpl made = new NodeImpl("g" + group, id);
      node = made;
      if (!made.init(options())) {
        throw new IOException(
            machine.error() == null ? "log and snapshot do not fit, see the log" : machine.error());
      }
      machine.started();
      link.serve(group, server);
      watch = link.every(WATCH_INTERVAL, this::watch);
      done = true;
    } catch (RuntimeException e) {
      throw new IOException("it does not start: " + e, e);
    } finally {
      if (!done) {
        stop();
      }
    }
  }

  private JraftOptions options() {
    JraftOptions options = new JraftOptions(link, group, votes, progress);
    options.setFsm(machine);
    options.setSnapshotUri(files.snapshotDir().toString());
    options.setServiceFactory(new JraftServiceFactory(logStorage, votes, files));
    options.setInitialConf(JraftPeers.configuration(initial, List.of()));
    options.setElectionTimeout(electionTimeoutMs);
    return options;
  }

  @Override
  public void propose(long term, ByteBuffer entry, Proposal proposal) {
    NodeImpl asked = node;
    int bytes = entry.remaining();
    if (asked == null || isStopped || term != machine.leading()) {
      proposal.refused("this node does not lead in term " + term);
      return;
    }
    if (machine.isHandingOver()) {
      proposal.refused(HANDING_OVER);
      return;
    }
    if (bytes == 0 || bytes > files.maxProposalBytes()) {
      proposal.refused(
          "an entry of " + bytes + " bytes is not within 1 to " + files.maxProposalBytes());
      return;
    }
    JraftProposal noted = proposals.add(proposal, bytes);
    if (noted == null) {
      proposal.refused(BUSY);
      return;
    }
    // JRaft reads it after the proposal was told: for slow followers, and its own log.
    ByteBuffer copy = ByteBuffer.allocate(bytes).put(entry.duplicate()).flip();
    Task task = new Task(copy, noted);
    task.setExpectedTerm(term);
    try {
      asked.apply(task);
    } catch (IllegalStateException e) {
      noted.unknown("the group stops");
    }
    if (isStopped) {
      noted.unknown("the group has stopped");
    }
  }

  /** On the timer: sees what JRaft does not say. */
  private void watch() {
    try {
      State state = node.getNodeState();
      long leading = machine.leading();
      boolean leads = state == State.STATE_LEADER || state == State.STATE_TRANSFERRING;
      if (leading > 0 && (!leads || votes.getTerm() != leading)) {
        machine.endLeading(leading);
        progress.clear();
      }
      Configuration now = node.getCurrentConf();
      if (now != null) {
        configuration = now;
      }
      pace.look(node, votes.getTerm(), leads ? JraftPeers.id(self) : machine.leader());
      handovers.settle(node, machine, votes.getTerm());
    } catch (RuntimeException e) {
      // JRaft's answer when the node is in error or ends.
      LOG.debug("group {}: {}", group, e.toString());
    }
  }

  @Override
  public GroupStatus status() {
    RaftLog opened = log;
    JraftVoteStorage voted = votes;
    NodeImpl asked = node;
    if (opened == null || voted == null || asked == null) {
      return new GroupStatus(
          role(), 0, null, 1, 0, 0, machine.applied(), 0, 0, machine.error(), List.of());
    }
    PeerId leader = machine.leader();
    long leading = machine.leading();
    long last = opened.lastIndex();
    long applied = machine.applied();
    return new GroupStatus(
        role(),
        voted.getTerm(),
        leading > 0 ? self.node() : leader == null ? null : link.nodeAt(leader.getEndpoint()),
        opened.firstIndex(),
        last,
        Math.max(applied, index(asked::getLastCommittedIndex)),
        applied,
        machine.snapshot(),
        opened.bytes(),
        machine.error(),
        peers(leading > 0, last));
  }

  private GroupStatus.Role role() {
    if (machine.error() != null) {
      return GroupStatus.Role.FAILED;
    }
    if (node == null || isStopped) {
      return GroupStatus.Role.STOPPED;
    }
    if (machine.leading() > 0) {
      return GroupStatus.Role.LEADER;
    }
    return configuration.getLearners().contains(JraftPeers.id(self))
        ? GroupStatus.Role.LEARNER
        : GroupStatus.Role.FOLLOWER;
  }

  private List<GroupStatus.Peer> peers(boolean leads, long last) {
    Configuration now = configuration;
    List<GroupStatus.Peer> peers = new ArrayList<>();
    now.getPeers().forEach(peer -> peers.add(peer(peer, true, leads, last)));
    now.getLearners().forEach(peer -> peers.add(peer(peer, false, leads, last)));
    peers.removeIf(peer -> peer.node().equals(self.node()));
    return peers;
  }

  private GroupStatus.Peer peer(PeerId peer, boolean isVoter, boolean leads, long last) {
    long there = leads ? progress.lastIndex(peer.getEndpoint()) : -1;
    return new GroupStatus.Peer(
        link.nodeAt(peer.getEndpoint()),
        peer.getIdx(),
        isVoter,
        there < 0 ? -1 : Math.max(0, last - there),
        link.lastContactMs(peer.getEndpoint()));
  }

  /** Who belongs to the group as far as this node knows, itself included. */
  public GroupMembers members() {
    Configuration now = configuration;
    return new GroupMembers(
        now.getPeers().stream().map(this::member).toList(),
        now.getLearners().stream().map(this::member).toList());
  }

  private GroupPeer member(PeerId peer) {
    return new GroupPeer(
        link.nodeAt(peer.getEndpoint()), peer.getIp(), peer.getPort(), peer.getIdx());
  }

  /** How often another node's snapshot was installed here since the start. */
  public long installs() {
    return machine.installs();
  }

  /**
   * Who is told how long entries take.
   *
   * @param told of each, ns from its proposal here until it was applied here; must not block
   */
  public void onCommit(LongConsumer told) {
    proposals.onCommit(told);
  }

  @Override
  public CompletableFuture<Long> snapshot() {
    return ask((asked, told) -> asked.snapshot(told), machine::finishSnapshot);
  }

  @Override
  public CompletableFuture<Void> changeMembers(List<GroupPeer> voters, List<GroupPeer> learners) {
    link.know(voters);
    link.know(learners);
    // Where somebody was may be somebody else from now on.
    progress.clear();
    Configuration wanted = JraftPeers.configuration(voters, learners);
    Configuration now = configuration.copy();
    if (!now.getLearners().removeAll(wanted.getPeerSet())) {
      return change(wanted);
    }
    // JRaft takes nobody from one to the other at once; what it has stays with it in between.
    return change(now).thenCompose(nothing -> change(wanted));
  }

  private CompletableFuture<Void> change(Configuration wanted) {
    return ask((asked, told) -> asked.changePeers(wanted, told), () -> null);
  }

  private interface Question {
    void ask(NodeImpl asked, Closure told);
  }

  private <T> CompletableFuture<T> ask(Question question, Supplier<T> answer) {
    CompletableFuture<T> future = new CompletableFuture<>();
    NodeImpl asked = node;
    if (asked == null || isStopped) {
      return CompletableFuture.failedFuture(new IOException("the group has stopped"));
    }
    Consumer<Status> told =
        status -> {
          if (status.isOk()) {
            future.complete(answer.get());
          } else {
            future.completeExceptionally(new IOException(status.getErrorMsg()));
          }
        };
    try {
      question.ask(asked, told::accept);
    } catch (RuntimeException e) {
      future.completeExceptionally(new IOException(Reasons.of(e), e));
    }
    return future;
  }

  @Override
  public CompletableFuture<Void> handOver(String to) {
    NodeImpl asked = node;
    long term = machine.leading();
    if (asked == null || isStopped || term == 0) {
      return CompletableFuture.failedFuture(new IOException("this node does not lead"));
    }
    // Not what the timer saw last: that may have been before the group had any member.
    Configuration now = asked.getCurrentConf();
    for (PeerId peer : (now == null ? configuration : now).getPeers()) {
      if (link.nodeAt(peer.getEndpoint()).equals(to)) {
        return handovers.begin(asked, term, peer);
      }
    }
    return CompletableFuture.failedFuture(new IOException("there is no voter " + to));
  }

  @Override
  public void forceAlone() throws IOException {
    NodeImpl asked = node;
    if (asked == null || isStopped) {
      throw new IOException("the group has stopped");
    }
    votes.dismissDoubt();
    Status status = asked.resetPeers(JraftPeers.configuration(List.of(self), List.of()));
    if (!status.isOk()) {
      throw new IOException(status.getErrorMsg());
    }
  }

  private void end(NodeImpl stopping) {
    try {
      stopping.shutdown();
      stopping.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      // Of a node that did not come up; what it has begun ends with the process.
      LOG.warn("group {} does not stop in order: {}", group, e.toString());
    }
  }

  @Override
  public void stop() {
    if (isStopped) {
      return;
    }
    isStopped = true;
    if (watch != null) {
      watch.cancel(false);
    }
    link.unserve(group);
    NodeImpl stopping = node;
    if (stopping != null) {
      end(stopping);
      machine.endLeading(machine.leading());
    }
    server.close();
    snapshotThread.stop();
    proposals.unknown("the group has stopped");
    try {
      if (log != null) {
        log.close();
      }
    } catch (IOException e) {
      LOG.warn("group {}: {}", group, Reasons.of(e));
    }
    handovers.end();
  }
}
