package io.holdfast.broker.cluster;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.broker.cluster.engine.GroupFiles;
import io.holdfast.broker.cluster.engine.GroupMembers;
import io.holdfast.broker.cluster.engine.GroupPeer;
import io.holdfast.broker.cluster.engine.GroupStatus;
import io.holdfast.broker.cluster.engine.GroupStatus.Role;
import io.holdfast.broker.cluster.engine.JraftLink;
import io.holdfast.broker.cluster.forward.PublishForwarder;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.broker.cluster.relay.Relays;
import io.holdfast.storage.files.LastStop;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.topic.ClusterFile;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How this node takes part in its cluster: starts the groups, sees to them twice a second, and
 * stops them; anew when it was replaced. Thread-safe.
 */
final class Participation implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(Participation.class);
  private static final long UPKEEP_MS = 500;

  /** How long a stop waits until others lead, and until upkeep has ended. */
  private static final long HAND_OVER_MS = 2000;

  private final ClusterConfig config;
  private final Membership membership;
  private final ClusterPlace place;
  private final Peers peers;
  private final NodeStatuses statuses;
  private final Predicate<String> isFull;

  /** By number. */
  private final List<NodeGroup> made;

  private final BiFunction<Integer, LastStop, GroupFiles> files;
  private final MemberAddresses addresses;
  private final PreferredNodes preferredNodes;
  private final StateComparison comparison = new StateComparison();
  private final ScheduledExecutorService upkeep =
      Executors.newSingleThreadScheduledExecutor(new DefaultThreadFactory("cluster", true));

  /** By number; empty before this node takes part. */
  private volatile List<NodeGroup> groups = List.of();

  private volatile boolean isDraining;

  /** Whether what this node had before it was replaced may still be there. */
  private volatile boolean mayHaveReplaced = true;

  @GuardedBy("this")
  private ScheduledFuture<?> visits;

  @GuardedBy("this")
  private boolean isClosed;

  /**
   * Takes no part yet.
   *
   * @param isFull whether a node's disk has little room left
   * @param made the groups, by number
   * @param files where a group is, by its number and how the process before this one ended
   */
  Participation(
      ClusterConfig config,
      Membership membership,
      ClusterPlace place,
      JraftLink link,
      Peers peers,
      NodeStatuses statuses,
      Predicate<String> isFull,
      List<NodeGroup> made,
      BiFunction<Integer, LastStop, GroupFiles> files) {
    this.config = config;
    this.membership = membership;
    this.place = place;
    this.peers = peers;
    this.statuses = statuses;
    this.isFull = isFull;
    this.made = made;
    this.files = files;
    addresses = new MemberAddresses(config, membership, place.disk(), link, peers);
    preferredNodes =
        new PreferredNodes(
            config,
            node -> {
              NodeStatus.Agreed said = said(node);
              return said == null ? null : said.order();
            });
  }

  /**
   * Takes part.
   *
   * @param lost groups that must not vote, and why
   * @param lastStop how the process before this one ended
   * @param forwarder told who leads, and what is applied
   * @param relays told who leads
   */
  synchronized void begin(
      ClusterFile file,
      Map<Integer, String> lost,
      LastStop lastStop,
      PublishForwarder forwarder,
      Relays relays) {
    if (isClosed) {
      return;
    }
    List<GroupPeer> members = addresses.use(file);
    GroupPeer self = addresses.self(file);
    List<GroupUpkeep> keepers = new ArrayList<>();
    List<PreferredLeader> preferred = new ArrayList<>();
    for (NodeGroup group : made) {
      String reason = lost.get(group.group());
      keepers.add(
          new GroupUpkeep(
              group, this::freeBytes, () -> isFull.test(config.node()), System::nanoTime));
      preferred.add(
          new PreferredLeader(
              group, () -> preferred(group.group()), this::mayLead, System::nanoTime));
      group.jumpFirst(file.skipping().contains(group.group()) ? () -> jumped(group) : null);
      if (reason == null) {
        group.start(
            new GroupPart(
                self,
                file.incarnation() == 0 ? members : List.of(),
                files.apply(group.group(), lastStop),
                forwarder,
                relays));
      } else {
        group.lost(reason);
      }
    }
    groups = List.copyOf(made);
    visits =
        upkeep.scheduleWithFixedDelay(
            () -> visit(keepers, preferred), UPKEEP_MS, UPKEEP_MS, TimeUnit.MILLISECONDS);
  }

  /** Takes part no more, until it begins again; nothing is applied when this returned. */
  synchronized void end() {
    groups = List.of();
    if (visits != null) {
      visits.cancel(false);
      visits = null;
    }
    made.forEach(NodeGroup::stop);
    mayHaveReplaced = true;
    isDraining = false;
  }

  /** Others go on without this node: none of its groups runs any more. */
  synchronized void superseded(String reason) {
    if (visits != null) {
      visits.cancel(false);
      visits = null;
    }
    made.forEach(group -> group.lost(reason));
  }

  /** By number; empty before this node takes part. */
  List<NodeGroup> groups() {
    return groups;
  }

  /** Where members are. */
  MemberAddresses addresses() {
    return addresses;
  }

  // ---------------------------------------------------------------- now and then

  private void visit(List<GroupUpkeep> keepers, List<PreferredLeader> preferred) {
    try {
      if (groups.stream().anyMatch(group -> group.leader() != null)) {
        membership.joined();
      }
      keepers.forEach(GroupUpkeep::visit);
      addresses.look(groups);
      if (isDraining || isFull.test(config.node())) {
        handOverAll();
      } else {
        preferred.forEach(PreferredLeader::visit);
      }
      groups.forEach(this::compare);
      groups.forEach(group -> group.handOverIfDamaged(this::successor));
      groups.forEach(this::promote);
      removeReplaced();
    } catch (IOException e) {
      LOG.error("CLUSTER: {}", Reasons.of(e));
    } catch (RuntimeException | Error e) {
      // Whatever it was, this thread has to go on.
      LOG.error("CLUSTER: upkeep failed", e);
    }
  }

  /** What a node said that all should have alike; null for nothing. */
  private NodeStatus.Agreed said(String node) {
    NodeStatuses.Heard heard = statuses.of(node);
    return heard == null ? null : heard.status().agreed();
  }

  /** What this node says of the kind. */
  NodeStatus.Agreed agreed() {
    Map<Integer, Map<Long, Integer>> states = new TreeMap<>();
    groups.forEach(group -> states.put(group.group(), group.states()));
    return new NodeStatus.Agreed(generation(), config.order(), states);
  }

  private long generation() {
    ClusterFile file = membership.file();
    return file == null ? 0 : file.generation();
  }

  /**
   * A state that two others have otherwise is wrong: it is neither to be delivered nor to count.
   */
  private void compare(NodeGroup group) {
    Map<String, Map<Long, Integer>> others = new TreeMap<>();
    for (String node : peers.others()) {
      NodeStatus.Agreed said = said(node);
      if (said != null && said.generation() == generation() && peers.isReachable(node)) {
        others.put(node, said.states().getOrDefault(group.group(), Map.of()));
      }
    }
    String reason = comparison.look(group.group(), group.states(), others);
    if (reason != null) {
      group.lost(reason);
      try {
        WrongState.note(place.disk(), place.root(), group.group(), reason);
      } catch (IOException e) {
        LOG.error("CLUSTER: group {}: that its state is wrong: {}", group.group(), Reasons.of(e));
      }
    }
  }

  /** Other nodes that have come to another state of a group. */
  int differing(int group) {
    return comparison.differing(group).size();
  }

  /** In words. */
  List<String> differences() {
    return comparison.differences();
  }

  /** What the disk has left; nothing where that cannot be said. */
  private long freeBytes() {
    try {
      return Files.getFileStore(place.root()).getUsableSpace();
    } catch (IOException e) {
      return 0;
    }
  }

  /** Gives a vote to those who have everything. */
  private void promote(NodeGroup group) {
    GroupStatus status = group.status();
    if (status == null || status.role() != Role.LEADER) {
      return;
    }
    if (group.isChanging()) {
      // The engine sees that a member is level when that has answered to an entry.
      group.nudge();
      return;
    }
    GroupMembers members = group.members();
    for (GroupStatus.Peer peer : status.peers()) {
      GroupPeer learner = peer.voter() ? null : members.learner(peer.node());
      if (learner != null
          && peer.lag() >= 0
          && peer.lag() <= Replacement.LEVEL
          && peers.isReachable(peer.node())) {
        List<GroupPeer> voters = new ArrayList<>(members.voters());
        voters.add(learner);
        List<GroupPeer> learners = new ArrayList<>(members.learners());
        learners.remove(learner);
        group
            .changeMembers(voters, learners)
            .whenComplete((done, failure) -> promoted(group, learner, failure));
        return;
      }
    }
  }

  private static void promoted(NodeGroup group, GroupPeer member, Throwable failure) {
    if (failure == null) {
      LOG.info(
          "CLUSTER: group {}: {} votes, incarnation {}",
          group.group(),
          member.node(),
          member.incarnation());
    } else {
      LOG.debug("CLUSTER: group {}: {} does not vote yet", group.group(), member.node(), failure);
    }
  }

  /** When this node votes in all groups, it has everything, and the others count on it. */
  private void removeReplaced() throws IOException {
    ClusterFile file = membership.file();
    if (!mayHaveReplaced || groups.isEmpty()) {
      return;
    }
    for (NodeGroup group : groups) {
      GroupPeer self = group.members().voter(config.node());
      boolean isVoter = self != null && self.incarnation() == file.incarnation();
      if (!isVoter || group.error() != null || group.leader() == null) {
        return;
      }
    }
    mayHaveReplaced = false;
    if (ReplacedData.exists(place.root())) {
      ReplacedData.remove(place.disk(), place.root());
      LOG.info("CLUSTER: what {} had before it was replaced is removed", config.node());
    }
  }

  /** All ordinals of a group have jumped. Apply thread. */
  private void jumped(NodeGroup group) {
    try {
      upkeep.execute(() -> noteJump(group));
    } catch (RejectedExecutionException e) {
      // They jump once more at the next start.
      LOG.debug("CLUSTER: closing", e);
    }
  }

  private void noteJump(NodeGroup group) {
    group.jumpFirst(null);
    try {
      membership.change(
          place.disk(),
          membership.state(),
          now -> {
            List<Integer> left = new ArrayList<>(now.skipping());
            left.remove((Integer) group.group());
            return now.withGeneration(now.generation(), left);
          });
    } catch (IOException e) {
      LOG.error("CLUSTER: {}", Reasons.of(e));
    }
  }

  /** Has the ordinals of all groups jump before anything is published. */
  void jumpFirst() {
    made.forEach(group -> group.jumpFirst(() -> jumped(group)));
  }

  // ---------------------------------------------------------------- who leads

  /** Who is to lead a group, when it can. */
  String preferred(int group) {
    return preferredNodes.of(group);
  }

  /** Whether this node keeps away from leading. */
  boolean isDraining() {
    return isDraining;
  }

  /** Keeps away from leading, or does not any more. */
  void drain(boolean isOn) {
    isDraining = isOn;
    if (isOn) {
      handOverAll();
    }
  }

  /** Whether another node may be asked to lead. */
  private boolean mayLead(String node) {
    NodeStatuses.Heard heard = statuses.of(node);
    return peers.isReachable(node)
        && !isFull.test(node)
        && (heard == null || !heard.status().draining());
  }

  /** Has others lead what is led here; returns when they do, or after two seconds. */
  void handOver() {
    CompletableFuture.allOf(handOverAll().toArray(CompletableFuture<?>[]::new))
        .completeOnTimeout(null, HAND_OVER_MS, TimeUnit.MILLISECONDS)
        .join();
  }

  private List<CompletableFuture<Void>> handOverAll() {
    Map<NodeGroup, String> successors = new TreeMap<>((x, y) -> x.group() - y.group());
    for (NodeGroup group : groups) {
      String to = group.isServing() ? successor(group) : null;
      if (to != null) {
        successors.put(group, to);
      }
    }
    List<CompletableFuture<Void>> asked = new ArrayList<>();
    successors.forEach((group, to) -> asked.add(group.handOverOrSay(to)));
    return asked;
  }

  /** Whoever may lead and has most of the log; null for nobody. */
  private String successor(LedGroup group) {
    GroupStatus status = group.status();
    String best = null;
    long bestLag = Long.MAX_VALUE;
    for (GroupStatus.Peer peer : status == null ? List.<GroupStatus.Peer>of() : status.peers()) {
      if (peer.voter() && peer.lag() >= 0 && peer.lag() < bestLag && mayLead(peer.node())) {
        best = peer.node();
        bestLag = peer.lag();
      }
    }
    return best;
  }

  @Override
  public void close() {
    synchronized (this) {
      isClosed = true;
    }
    upkeep.shutdown();
    try {
      upkeep.awaitTermination(HAND_OVER_MS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    made.forEach(NodeGroup::close);
  }
}
