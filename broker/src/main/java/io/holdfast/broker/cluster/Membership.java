package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.ClusterDirectory.Standing;
import io.holdfast.broker.cluster.ClusterDirectory.State;
import io.holdfast.broker.cluster.peers.Handshake;
import io.holdfast.broker.cluster.peers.HandshakeJudge;
import io.holdfast.broker.cluster.peers.PeersListener;
import io.holdfast.storage.topic.ClusterFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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

  private volatile ClusterFile file;
  private volatile State state;
  private volatile boolean joined;

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

  /** The directory says something else now; it is on disk already. */
  void is(State newState, ClusterFile written) {
    file = written;
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
        incarnations);
  }

  // ---------------------------------------------------------------- judging others

  @Override
  public String refusal(Handshake peer) {
    Handshake own = handshake();
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
    if (own.uuid() == null || peer.uuid() == null) {
      return null;
    }
    if (!own.uuid().equals(peer.uuid())) {
      return own.node()
          + " belongs to cluster "
          + own.uuid()
          + ", "
          + peer.node()
          + " to cluster "
          + peer.uuid();
    }
    if (own.generation() != peer.generation()) {
      return differs("generation", own.generation(), peer.generation(), peer)
          + ": the cluster was forced to go on without the one that has the lower";
    }
    String replaced = replaced(own, peer.node(), peer.incarnations(), "this is ");
    return replaced == null ? replaced(peer, own.node(), own.incarnations(), "") : replaced;
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

  /** The one that started last goes, unless it has taken part: the other one was there first. */
  @Override
  public void refused(Handshake peer, String reason) {
    String own = refusal(peer);
    if (own == null || joined) {
      return;
    }
    long ageMs = handshake().ageMs();
    boolean isLast =
        peer.joined()
            || ageMs < peer.ageMs()
            || (ageMs == peer.ageMs() && config.node().compareTo(peer.node()) > 0);
    if (isLast) {
      mustExit.complete(own);
    }
  }
}
