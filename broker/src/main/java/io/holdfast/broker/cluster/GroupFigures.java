package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.engine.GroupStatus;
import io.holdfast.broker.meters.LatencyCounts;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a group shows as figures, on one node and at one moment.
 *
 * @param group its number
 * @param term the newest that the node knows of
 * @param leads whether the node leads it
 * @param hasLeader whether anybody does, as far as the node knows
 * @param last highest index in the log
 * @param applied up to here it is applied
 * @param logBytes of the log's files
 * @param lags entries that others lack, by name, where they are known: at the leader
 * @param elections leaders that were elected since the start, as far as the node heard
 * @param snapshots that were taken here since the start
 * @param installs of other nodes' snapshots since the start
 * @param differing other nodes that have come to another state
 * @param commits from an entry's proposal here until it was applied here
 */
public record GroupFigures(
    int group,
    long term,
    boolean leads,
    boolean hasLeader,
    long last,
    long applied,
    long logBytes,
    Map<String, Long> lags,
    long elections,
    long snapshots,
    long installs,
    int differing,
    LatencyCounts commits) {

  static GroupFigures of(NodeGroup group, int differing) {
    GroupStatus status = group.status();
    GroupCounts.Totals totals = group.totals();
    Map<String, Long> lags = new TreeMap<>();
    boolean runs = status != null;
    if (runs) {
      status.peers().stream()
          .filter(peer -> peer.lag() >= 0)
          .forEach(peer -> lags.put(peer.node(), peer.lag()));
    }
    return new GroupFigures(
        group.group(),
        runs ? status.term() : 0,
        runs && group.isServing(status),
        runs && status.leader() != null,
        runs ? status.last() : 0,
        runs ? status.applied() : 0,
        runs ? status.logBytes() : 0,
        lags,
        totals.elections(),
        totals.snapshots(),
        totals.installs(),
        differing,
        group.commits());
  }
}
