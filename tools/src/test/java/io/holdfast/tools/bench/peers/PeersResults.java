package io.holdfast.tools.bench.peers;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;

/** All runs so far, and their medians. */
final class PeersResults {
  /**
   * A run.
   *
   * @param readings empty when it failed
   * @param otherCores processors that something else used meanwhile
   * @param disturbed whether that was too much
   * @param failure null when it went well
   */
  record Run(
      Peer peer,
      Scenario scenario,
      int round,
      Map<Metric, Double> readings,
      double otherCores,
      boolean disturbed,
      String failure) {}

  /** Another broker's median beside Holdfast's, of the same promise. */
  record Pair(Metric metric, Peer own, double ownValue, Peer other, double otherValue) {
    /** How many times better Holdfast is. */
    double gain() {
      return metric.gain(ownValue, otherValue);
    }
  }

  private final List<Peer> peers;
  private final List<Run> runs = new ArrayList<>();

  /** By the name of a peer: what the server says it is. */
  private final Map<String, String> versions = new TreeMap<>();

  PeersResults(List<Peer> peers) {
    this.peers = List.copyOf(peers);
  }

  void add(Run run) {
    runs.add(run);
  }

  void version(Peer peer, String version) {
    versions.put(peer.name(), version);
  }

  String version(Peer peer) {
    return versions.getOrDefault(peer.name(), "");
  }

  List<Peer> peers() {
    return peers;
  }

  List<Run> runs() {
    return List.copyOf(runs);
  }

  List<Run> failed() {
    return runs.stream().filter(run -> run.failure() != null).toList();
  }

  /** The median of the runs that nothing disturbed, or of all when there is none of these. */
  OptionalDouble median(Peer peer, Metric metric) {
    List<Run> of = with(peer, metric);
    boolean all = isDisturbed(peer, metric);
    double[] sorted =
        of.stream()
            .filter(run -> all || !run.disturbed())
            .mapToDouble(run -> run.readings().get(metric))
            .sorted()
            .toArray();
    if (sorted.length == 0) {
      return OptionalDouble.empty();
    }
    int half = sorted.length / 2;
    return OptionalDouble.of(
        sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2);
  }

  /** Whether there is no run that had the machine to itself. */
  boolean isDisturbed(Peer peer, Metric metric) {
    List<Run> of = with(peer, metric);
    return !of.isEmpty() && of.stream().allMatch(Run::disturbed);
  }

  private List<Run> with(Peer peer, Metric metric) {
    return runs.stream()
        .filter(run -> run.peer().equals(peer) && run.readings().containsKey(metric))
        .toList();
  }

  /**
   * The best of the others of a promise.
   *
   * @param against which Holdfast to compare with: of this promise
   */
  Optional<Pair> best(Promise promise, Promise against, Metric metric) {
    Optional<Peer> own =
        peers.stream().filter(peer -> peer.own() && peer.promise() == against).findFirst();
    OptionalDouble ownValue = own.isEmpty() ? OptionalDouble.empty() : median(own.get(), metric);
    if (ownValue.isEmpty()) {
      return Optional.empty();
    }
    Pair best = null;
    for (Peer peer : peers) {
      OptionalDouble value = median(peer, metric);
      if (peer.own() || peer.promise() != promise || value.isEmpty()) {
        continue;
      }
      Pair pair = new Pair(metric, own.get(), ownValue.getAsDouble(), peer, value.getAsDouble());
      best = best == null || pair.gain() < best.gain() ? pair : best;
    }
    return Optional.ofNullable(best);
  }
}
