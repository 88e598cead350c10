package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.ClusterDirectory.State;
import io.holdfast.broker.cluster.NodeOrders.GroupSaid;
import io.holdfast.broker.cluster.NodeOrders.Order;
import io.holdfast.broker.cluster.NodeOrders.Said;
import io.holdfast.broker.cluster.engine.GroupMembers;
import io.holdfast.broker.cluster.engine.GroupPeer;
import io.holdfast.broker.cluster.engine.GroupStatus;
import io.holdfast.broker.cluster.engine.GroupStatus.Role;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.broker.net.HostPort;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.topic.ClusterFile;
import io.holdfast.storage.topic.ClusterFile.Known;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** What this node does for the life of the cluster when it is told to. Blocks; thread-safe. */
final class OrdersHere implements NodeOrders.Doer {
  /** So many entries another member may lack when one less is to decide. */
  private static final long MAX_LAG = 1000;

  private static final long COMMIT_S = 10;
  private static final long JOIN_S = 30;
  private static final long HAND_OVER_MS = 2000;

  private final ClusterConfig config;
  private final Membership membership;
  private final Participation participation;
  private final Forming forming;
  private final Peers peers;
  private final Consumer<ClusterFile> begins;

  /**
   * @param begins has this node take part as what it has become
   */
  OrdersHere(
      ClusterConfig config,
      Membership membership,
      Participation participation,
      Forming forming,
      Peers peers,
      Consumer<ClusterFile> begins) {
    this.config = config;
    this.membership = membership;
    this.participation = participation;
    this.forming = forming;
    this.peers = peers;
    this.begins = begins;
  }

  @Override
  public Object carryOut(Order order) throws IOException {
    return switch (order.kind()) {
      case DESCRIBE -> describe();
      case DRAIN -> drain();
      case UNDRAIN -> undrain();
      case SWAP -> swap(order.group(), order.member());
      case MOVED -> moved(order.member());
      case JOIN -> join(order);
      case REPLACE -> throw new IOException("not for this node");
    };
  }

  // ---------------------------------------------------------------- saying how it stands

  /** How this node stands. */
  Said describe() {
    ClusterFile file = membership.file();
    List<GroupSaid> groups = new ArrayList<>();
    participation.groups().forEach(group -> groups.add(describe(group)));
    return new Said(
        membership.state().text(),
        file == null ? 0 : file.incarnation(),
        file == null ? null : file.uuid(),
        file == null ? 0 : file.generation(),
        membership.handshake().incarnations(),
        groups);
  }

  private static GroupSaid describe(NodeGroup group) {
    GroupStatus status = group.status();
    boolean leads = status != null && status.role() == Role.LEADER;
    GroupMembers members = group.members();
    Map<String, Long> lags = new TreeMap<>();
    if (leads) {
      status.peers().forEach(peer -> lags.put(peer.node(), peer.lag()));
    }
    return new GroupSaid(
        group.group(),
        group.error(),
        leads,
        leads && group.isChanging(),
        members.voters(),
        members.learners(),
        lags);
  }

  // ---------------------------------------------------------------- leading

  private Object drain() throws IOException {
    requireMember();
    participation.drain(true);
    long beganNs = System.nanoTime();
    while (leads() && System.nanoTime() - beganNs < TimeUnit.MILLISECONDS.toNanos(HAND_OVER_MS)) {
      pause();
    }
    return !leads();
  }

  private static void pause() throws IOException {
    try {
      TimeUnit.MILLISECONDS.sleep(20);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("this node stops", e);
    }
  }

  private boolean leads() {
    return participation.groups().stream()
        .map(NodeGroup::status)
        .anyMatch(status -> status != null && status.role() == Role.LEADER);
  }

  private Object undrain() throws IOException {
    requireMember();
    participation.drain(false);
    return true;
  }

  private void requireMember() throws IOException {
    if (membership.state() != State.MEMBER) {
      throw new IOException(config.node() + " is " + membership.state().text());
    }
  }

  // ---------------------------------------------------------------- who belongs to a group

  private Object swap(int number, GroupPeer wanted) throws IOException {
    List<NodeGroup> groups = participation.groups();
    NodeGroup group = number < groups.size() ? groups.get(number) : null;
    GroupStatus status = group == null ? null : group.status();
    if (status == null || status.role() != Role.LEADER) {
      throw new IOException("group " + number + " is not led by " + config.node() + " any more");
    }
    GroupMembers members = group.members();
    String node = wanted.node();
    if (wanted.equals(members.voter(node)) || wanted.equals(members.learner(node))) {
      return true;
    }
    requireOthers(number, status, node);
    List<GroupPeer> voters = without(members.voters(), node);
    List<GroupPeer> learners = without(members.learners(), node);
    learners.add(wanted);
    await(group.changeMembers(voters, learners), COMMIT_S, "group " + number);
    return true;
  }

  private static List<GroupPeer> without(List<GroupPeer> members, String node) {
    List<GroupPeer> others = new ArrayList<>(members);
    others.removeIf(member -> member.node().equals(node));
    return others;
  }

  /**
   * All that are left have to agree, so they have to be there: else the group would stand still.
   */
  private void requireOthers(int group, GroupStatus status, String node) throws IOException {
    for (GroupStatus.Peer peer : status.peers()) {
      if (!peer.voter() || peer.node().equals(node)) {
        continue;
      }
      if (!peers.isReachable(peer.node())) {
        throw new IOException(
            "group " + group + " needs " + peer.node() + " for that, which is not reachable");
      }
      if (peer.lag() < 0 || peer.lag() > MAX_LAG) {
        throw new IOException(
            "group "
                + group
                + " needs "
                + peer.node()
                + " for that, which is "
                + (peer.lag() < 0 ? "not heard of yet" : "behind by " + peer.lag()));
      }
    }
  }

  private static <T> T await(CompletableFuture<T> asked, long seconds, String what)
      throws IOException {
    try {
      return asked.get(seconds, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new IOException(what + ": " + Reasons.of(e.getCause()), e);
    } catch (TimeoutException e) {
      throw new IOException(what + ": not done in time, it goes on", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("this node stops", e);
    }
  }

  private Object moved(GroupPeer member) throws IOException {
    requireMember();
    MemberAddresses addresses = participation.addresses();
    HostPort address = new HostPort(member.host(), member.port());
    boolean hasMoved = !address.equals(addresses.of(member.node()));
    addresses.note(member.node(), 0, hasMoved ? address : null);
    if (hasMoved) {
      addresses.connect(member.node(), address);
    }
    return true;
  }

  // ---------------------------------------------------------------- beginning anew

  private synchronized Object join(Order order) throws IOException {
    ClusterFile now = membership.file();
    GroupPeer self = order.member();
    if (now == null ? membership.state() != State.WAITING : !order.uuid().equals(now.uuid())) {
      throw new IOException(
          config.node()
              + (now == null
                  ? " is " + membership.state().text()
                  : " belongs to cluster " + now.uuid()));
    }
    if (now != null && now.incarnation() >= self.incarnation()) {
      return true;
    }
    Map<String, Known> known = new TreeMap<>(order.known());
    known.put(
        config.node(),
        new Known(self.incarnation(), new HostPort(self.host(), self.port()).toString()));
    participation.end();
    ClusterFile begun =
        new ClusterFile(
            order.uuid(),
            false,
            config.clusterId(),
            config.node(),
            self.incarnation(),
            order.generation(),
            config.groups(),
            List.of(),
            known,
            List.of());
    begins.accept(await(forming.join(begun), JOIN_S, "taking " + config.node() + " in"));
    return true;
  }
}
