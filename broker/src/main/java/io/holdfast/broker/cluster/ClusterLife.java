package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.ClusterDirectory.State;
import io.holdfast.broker.cluster.NodeOrders.Kind;
import io.holdfast.broker.cluster.NodeOrders.Order;
import io.holdfast.broker.cluster.NodeOrders.Said;
import io.holdfast.broker.cluster.engine.GroupPeer;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.broker.net.HostPort;
import io.holdfast.storage.files.Reasons;
import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an operator has the cluster do, asked at this node: it finds out which nodes have to do it
 * and has them. Commands are carried out one after the other; each may be repeated, and goes on
 * where it is. Thread-safe.
 */
public final class ClusterLife implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterLife.class);

  /** How often a replacement that is under way is looked at. */
  private static final long AGAIN_MS = 1000;

  /** For so long this node goes on with one by itself. */
  private static final long PATIENCE_NS = TimeUnit.HOURS.toNanos(24);

  private final ClusterConfig config;
  private final Membership membership;
  private final Peers peers;
  private final Participation participation;
  private final OrdersHere here;
  private final NodeOrders orders;
  private final ForcedAlone alone;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(new DefaultThreadFactory("cluster-life", true));

  /** A replacement that was begun here. */
  private record Begun(int incarnation, HostPort address, long atNs) {}

  /** By node. */
  private final Map<String, Begun> begun = new ConcurrentHashMap<>();

  /**
   * @param peers not started yet: gets a handler
   * @param here what this node does when it is told to
   */
  ClusterLife(
      ClusterConfig config,
      Membership membership,
      Peers peers,
      Participation participation,
      OrdersHere here,
      ForcedAlone alone) {
    this.config = config;
    this.membership = membership;
    this.peers = peers;
    this.participation = participation;
    this.here = here;
    this.alone = alone;
    orders = new NodeOrders(peers, this::carryOut);
  }

  /** What is done on a thread that may block. */
  private interface Command {
    LifeAnswer run() throws IOException;
  }

  private CompletableFuture<LifeAnswer> run(Command command) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return membership.state() == State.MEMBER
                ? command.run()
                : LifeAnswer.refused(ClusterTopics.NO_MEMBER);
          } catch (IOException e) {
            return LifeAnswer.refused(Reasons.of(e));
          }
        },
        thread);
  }

  private LifeAnswer unknown(String node) {
    return config.nodes().containsKey(node)
        ? null
        : LifeAnswer.unknown("no node " + node + ": " + String.join(", ", config.nodes().keySet()));
  }

  // ---------------------------------------------------------------- leading

  /** Has a node lead nothing until it is told otherwise, or starts again. */
  public CompletableFuture<LifeAnswer> drain(String node) {
    return keepAway(node, Order.of(Kind.DRAIN));
  }

  /** Has a node lead again. */
  public CompletableFuture<LifeAnswer> undrain(String node) {
    return keepAway(node, Order.of(Kind.UNDRAIN));
  }

  private CompletableFuture<LifeAnswer> keepAway(String node, Order order) {
    LifeAnswer unknown = unknown(node);
    if (unknown != null) {
      return CompletableFuture.completedFuture(unknown);
    }
    return run(() -> give(node, order, Boolean.class) ? LifeAnswer.DONE : LifeAnswer.BEGUN);
  }

  private <T> T give(String node, Order order, Class<T> as) throws IOException {
    return node.equals(config.node())
        ? as.cast(here.carryOut(order))
        : orders.give(node, order, as);
  }

  // ---------------------------------------------------------------- snapshots

  /**
   * Takes a snapshot on this node, and drops the log behind it.
   *
   * @param group its number; null for all
   */
  public CompletableFuture<LifeAnswer> snapshot(Integer group) {
    if (group != null && (group < 0 || group >= config.groups())) {
      return CompletableFuture.completedFuture(
          LifeAnswer.unknown("no group " + group + ": 0 to " + (config.groups() - 1)));
    }
    List<CompletableFuture<Long>> asked = new ArrayList<>();
    for (NodeGroup each : participation.groups()) {
      if (group == null || group == each.group()) {
        asked.add(each.snapshotAndDrop());
      }
    }
    if (asked.isEmpty()) {
      return CompletableFuture.completedFuture(LifeAnswer.refused(ClusterTopics.NO_MEMBER));
    }
    return CompletableFuture.allOf(asked.toArray(CompletableFuture<?>[]::new))
        .handle(
            (done, failure) ->
                failure == null ? LifeAnswer.DONE : LifeAnswer.refused(Reasons.of(failure)));
  }

  // ---------------------------------------------------------------- alone

  /**
   * Has this node go on alone, as the others are gone for good.
   *
   * @param uuid of the cluster, so that nobody does it by mistake
   */
  public CompletableFuture<LifeAnswer> forceAlone(String uuid) {
    return run(() -> aloneNow(uuid));
  }

  private LifeAnswer aloneNow(String uuid) throws IOException {
    LifeAnswer answer = alone.force(uuid);
    if (answer.equals(LifeAnswer.BEGUN)) {
      thread.schedule(
          () -> {
            if (alone.isUnderWay()) {
              forceAlone(uuid);
            }
          },
          AGAIN_MS,
          TimeUnit.MILLISECONDS);
    }
    return answer;
  }

  // ---------------------------------------------------------------- replacing

  /**
   * Has a node replaced by an empty one of its name; which is waited for.
   *
   * @param address where it is from now on; null for where it was
   */
  public CompletableFuture<LifeAnswer> replace(String node, HostPort address) {
    LifeAnswer unknown = unknown(node);
    return unknown == null
        ? run(() -> replaceNow(node, address))
        : CompletableFuture.completedFuture(unknown);
  }

  private LifeAnswer replaceNow(String node, HostPort address) throws IOException {
    if (node.equals(config.node())) {
      return replaceSelf(address);
    }
    Begun before = begun.get(node);
    HostPort wish = address == null && before != null ? before.address() : address;
    Replacement now = new Replacement(node, askAll(), membership.incarnation(node));
    for (int group = 0; group < config.groups(); group++) {
      if (now.leader(group) == null) {
        return LifeAnswer.refused("no leader for group " + group);
      }
    }
    if (now.isChanging()) {
      return LifeAnswer.BEGUN;
    }
    HostPort at = wish != null ? wish : now.address() != null ? now.address() : addressOf(node);
    int target = now.target(at, before == null ? null : before.incarnation());
    GroupPeer wanted = new GroupPeer(node, at.host(), at.port(), target);
    if (now.isDone(config.groups(), wanted)) {
      begun.remove(node);
      return LifeAnswer.DONE;
    }
    if (before == null || before.incarnation() != target) {
      LOG.info("CLUSTER: replacing {}: incarnation {} at {}", node, target, at);
      begun.put(node, new Begun(target, wish, System.nanoTime()));
      thread.schedule(() -> goOn(node), AGAIN_MS, TimeUnit.MILLISECONDS);
    }
    if (now.isLeading()) {
      // Whoever is replaced cannot lead: others have to decide.
      give(node, Order.of(Kind.DRAIN), Boolean.class);
      return LifeAnswer.BEGUN;
    }
    tellWhere(wanted);
    for (int group = 0; group < config.groups(); group++) {
      if (!now.isIn(group, wanted)) {
        give(now.leader(group), new Order(Kind.SWAP, group, wanted, null, 0, null), Boolean.class);
      }
    }
    if (now.mustBeTold(wanted)) {
      tellToJoin(wanted);
    }
    return LifeAnswer.BEGUN;
  }

  /** Somebody else has to: who is replaced begins anew. */
  private LifeAnswer replaceSelf(HostPort address) throws IOException {
    for (String other : peers.others()) {
      if (peers.isReachable(other)) {
        GroupPeer self =
            new GroupPeer(
                config.node(),
                address == null ? null : address.host(),
                address == null ? 0 : address.port(),
                0);
        return orders.give(
            other, new Order(Kind.REPLACE, null, self, null, 0, null), LifeAnswer.class);
      }
    }
    return LifeAnswer.refused("no other node is reachable");
  }

  private HostPort addressOf(String node) {
    return participation.addresses().of(node);
  }

  private Map<String, Said> askAll() throws IOException {
    Map<String, CompletableFuture<ByteBuf>> asked = new TreeMap<>();
    for (String node : peers.others()) {
      if (peers.isReachable(node)) {
        asked.put(node, orders.giveLater(node, Order.of(Kind.DESCRIBE)));
      }
    }
    Map<String, Said> said = new TreeMap<>();
    said.put(config.node(), here.describe());
    for (Map.Entry<String, CompletableFuture<ByteBuf>> each : asked.entrySet()) {
      try {
        said.put(each.getKey(), orders.answer(each.getValue(), Said.class));
      } catch (IOException e) {
        LOG.debug("CLUSTER: {} says nothing", each.getKey(), e);
      }
    }
    return said;
  }

  /** All others have to find it, and its new incarnation, before it counts. */
  private void tellWhere(GroupPeer wanted) throws IOException {
    Order moved = new Order(Kind.MOVED, null, wanted, null, 0, null);
    for (String node : config.nodes().keySet()) {
      boolean isGone = !node.equals(config.node()) && !peers.isReachable(node);
      // One that is needed and cannot be reached is named by the leaders.
      if (!node.equals(wanted.node()) && !isGone) {
        give(node, moved, Boolean.class);
      }
    }
  }

  private void tellToJoin(GroupPeer wanted) throws IOException {
    var file = membership.file();
    orders.give(
        wanted.node(),
        new Order(Kind.JOIN, null, wanted, file.uuid(), file.generation(), file.known()),
        Boolean.class);
  }

  /** Looks again at what was begun, until it is done. */
  private void goOn(String node) {
    Begun going = begun.get(node);
    if (going == null || System.nanoTime() - going.atNs() > PATIENCE_NS) {
      begun.remove(node);
      return;
    }
    try {
      LifeAnswer answer = replaceNow(node, null);
      if (answer.status() == LifeAnswer.DONE.status()) {
        LOG.info("CLUSTER: {} is replaced: it votes in all groups", node);
        return;
      }
    } catch (IOException | RuntimeException e) {
      LOG.debug("CLUSTER: replacing {}", node, e);
    }
    thread.schedule(() -> goOn(node), AGAIN_MS, TimeUnit.MILLISECONDS);
  }

  private Object carryOut(Order order) throws IOException {
    if (order.kind() != Kind.REPLACE) {
      return here.carryOut(order);
    }
    GroupPeer member = order.member();
    return replace(
            member.node(),
            member.host() == null ? null : new HostPort(member.host(), member.port()))
        .join();
  }

  @Override
  public void close() {
    thread.shutdownNow();
    orders.close();
  }
}
