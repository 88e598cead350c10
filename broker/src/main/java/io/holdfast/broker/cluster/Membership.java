package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.ClusterDirectory.Standing;
import io.holdfast.broker.cluster.ClusterDirectory.State;
import io.holdfast.broker.cluster.peers.Handshake;
import io.holdfast.broker.cluster.peers.HandshakeJudge;
import io.holdfast.broker.cluster.peers.PeersListener;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.topic.ClusterFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * What this node is in its cluster: what it says of itself to others, whether it has anything to do
 * with them, and whether it is this one that has to go when it has not. Thread-safe.
 */
public final class Membership implements HandshakeJudge, PeersListener {
  /** The formats of entries that this version knows. */
  private static final int MIN_FORMAT = 1;

  private static final int MAX_FORMAT = 1;

  private final ClusterConfig config;
  private final Path root;
  private final LongSupplier nanoClock;
  private final long startNs;
  private final CompletableFuture<String> mustExit = new CompletableFuture<>();
  private final CompletableFuture<String> superseded = new CompletableFuture<>();

  private volatile ClusterFile file;
  private volatile State state;
  private volatile boolean joined;

  /** What this node was when it was found that others go on without it; null for not found. */
  private volatile ClusterFile supersededAs;

  /** The incarnations that the groups' configurations say, by node. */
  private volatile Map<String, Integer> incarnations = Map.of();

  /**
   * @param root the data directory, for messages
   * @param nanoClock monotonic, usually {@link System#nanoTime}
   */
  public Membership(ClusterConfig config, Path root, Standing standing, LongSupplier nanoClock) {
    this.config = config;
    this.root = root;
    this.nanoClock = nanoClock;
    startNs = nanoClock.getAsLong();
    file = standing.file();
    state = standing.state();
  }

  /** What this node is. */
  public State state() {
    return state;
  }

  /** What its directory says; null when it is of no cluster yet. */
  public ClusterFile file() {
    return file;
  }

  /** A change of what the directory says. */
  interface Change {
    /** Makes the new one; null for no change. */
    ClusterFile of(ClusterFile now);
  }

  /**
   * Has the directory say something else; on disk when this returns. Changes come one after the
   * other.
   *
   * @param newState what this node is then
   */
  synchronized void change(Disk disk, State newState, Change change) throws IOException {
    ClusterFile changed = change.of(file);
    if (changed != null) {
      changed.write(disk, root);
      file = changed;
    }
    state = newState;
  }

  /** This node has taken part in its cluster: it does not go because of another one any more. */
  public void joined() {
    joined = true;
  }

  /** What the groups know of the nodes' incarnations. */
  public void incarnations(Map<String, Integer> known) {
    incarnations = Map.copyOf(known);
  }

  /** The newest incarnation of a node that is known here; 0 for one that was never replaced. */
  int incarnation(String node) {
    return known().getOrDefault(node, 0);
  }

  private Map<String, Integer> known() {
    ClusterFile now = file;
    if (now == null || now.known().isEmpty()) {
      return incarnations;
    }
    Map<String, Integer> all = new TreeMap<>(incarnations);
    now.known().forEach((node, said) -> all.merge(node, said.incarnation(), Math::max));
    return all;
  }

  /**
   * Done, with a line for the operator, when this node has taken part and others go on without it:
   * it was replaced, or the cluster was forced to go on.
   */
  CompletableFuture<String> superseded() {
    return superseded;
  }

  /** Whether it has no part in its cluster: it waits to be taken in, or others go on without it. */
  boolean isOutside() {
    ClusterFile former = supersededAs;
    ClusterFile now = file;
    return state == State.WAITING
        || (former != null
            && former.incarnation() == now.incarnation()
            && former.generation() == now.generation());
  }

  /** Done, with a line for the operator, when this node has to end because of another one. */
  public CompletableFuture<String> mustExit() {
    return mustExit;
  }

  /** What this node says of itself. */
  public Handshake handshake() {
    ClusterFile now = file;
    return new Handshake(
        config.node(),
        now == null ? 0 : now.incarnation(),
        now == null ? null : now.uuid(),
        now == null ? 0 : now.generation(),
        config.names(),
        config.clusterId(),
        config.groups(),
        MIN_FORMAT,
        MAX_FORMAT,
        state.text(),
        joined,
        TimeUnit.NANOSECONDS.toMillis(nanoClock.getAsLong() - startNs),
        known());
  }

  // ---------------------------------------------------------------- judging others

  /** Whose fault it is that two nodes have nothing to do with each other. */
  private enum Fault {
    OWN,
    PEERS,
    /** Whoever came last. */
    EITHERS
  }

  /** Why a node is refused. */
  private record Refusal(String reason, Fault fault) {
    static Refusal either(String reason) {
      return new Refusal(reason, Fault.EITHERS);
    }
  }

  @Override
  public String refusal(Handshake peer) {
    Refusal refusal = judge(peer);
    return refusal == null ? null : refusal.reason();
  }

  private Refusal judge(Handshake peer) {
    Handshake own = handshake();
    String differing = difference(own, peer);
    if (differing != null) {
      return Refusal.either(differing);
    }
    if (own.uuid() == null || peer.uuid() == null) {
      return null;
    }
    if (!own.uuid().equals(peer.uuid())) {
      return Refusal.either(
          own.node()
              + " belongs to cluster "
              + own.uuid()
              + ", "
              + peer.node()
              + " to cluster "
              + peer.uuid());
    }
    if (own.generation() != peer.generation()) {
      return new Refusal(
          differs("generation", own.generation(), peer.generation(), peer)
              + ": the cluster was forced to go on without the one that has the lower",
          own.generation() < peer.generation() ? Fault.OWN : Fault.PEERS);
    }
    String replaced = replaced(own, peer.node(), peer.incarnations(), "this is ");
    if (replaced != null) {
      return new Refusal(replaced, Fault.OWN);
    }
    replaced = replaced(peer, own.node(), own.incarnations(), "");
    return replaced == null ? null : new Refusal(replaced, Fault.PEERS);
  }

  /** Between two configurations; null for none that matters. */
  private static String difference(Handshake own, Handshake peer) {
    if (!own.names().equals(peer.names())) {
      return differs("cluster_nodes", quoted(own.names()), quoted(peer.names()), peer);
    }
    if (own.clusterId() != peer.clusterId()) {
      return differs("cluster_id", own.clusterId(), peer.clusterId(), peer);
    }
    if (own.clusterGroups() != peer.clusterGroups()) {
      return differs("cluster_groups", own.clusterGroups(), peer.clusterGroups(), peer);
    }
    if (own.minFormat() > peer.maxFormat() || peer.minFormat() > own.maxFormat()) {
      return differs("the format of entries", formats(own), formats(peer), peer);
    }
    return null;
  }

  private static String differs(String what, Object here, Object there, Handshake peer) {
    return what + " is " + here + " here and " + there + " at " + peer.node();
  }

  private static String quoted(List<String> names) {
    return '"' + String.join(", ", names) + '"';
  }

  private static String formats(Handshake of) {
    return of.minFormat() + " to " + of.maxFormat();
  }

  /** Whether a node is one that another one knows to be replaced. */
  private String replaced(Handshake who, String by, Map<String, Integer> known, String thisIs) {
    int newest = known.getOrDefault(who.node(), 0);
    if (newest <= who.incarnation()) {
      return null;
    }
    String name = who.node();
    return (thisIs.isEmpty() ? "that is " : thisIs)
        + name
        + ", incarnation "
        + who.incarnation()
        + ", but "
        + by
        + " knows "
        + name
        + " as incarnation "
        + newest
        + ": it was replaced; empty "
        + (thisIs.isEmpty() ? "its data path" : root.toString())
        + " and run \"holdfast-tools cluster replace "
        + name
        + "\"";
  }

  /**
   * The one whose fault it is goes, unless it has taken part; where it is nobody's, the one that
   * started last: the other one was there first.
   */
  @Override
  public void refused(Handshake peer, String reason) {
    Refusal own = judge(peer);
    if (own == null || own.fault() == Fault.PEERS) {
      return;
    }
    if (own.fault() == Fault.OWN) {
      if (joined) {
        supersededAs = file;
        superseded.complete(own.reason());
      } else {
        mustExit.complete(own.reason());
      }
      return;
    }
    long ageMs = handshake().ageMs();
    boolean isLast =
        peer.joined()
            || ageMs < peer.ageMs()
            || (ageMs == peer.ageMs() && config.node().compareTo(peer.node()) > 0);
    if (isLast && !joined) {
      mustExit.complete(own.reason());
    }
  }
}
