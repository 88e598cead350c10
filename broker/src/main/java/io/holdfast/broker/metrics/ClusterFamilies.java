package io.holdfast.broker.metrics;

import io.holdfast.broker.cluster.GroupFigures;
import io.holdfast.broker.core.BrokerCluster;
import io.holdfast.broker.meters.LatencyCounts;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.List;

/** The figures of a cluster's groups as this node has them, for one scrape. Stateless. */
final class ClusterFamilies {
  private ClusterFamilies() {}

  static void put(MetricSnapshots.Builder to, BrokerCluster cluster) {
    List<GroupFigures> groups = cluster.figures();
    families()
        .forEach(
            family -> {
              groups.forEach(group -> family.add(labels(group), group));
              add(to, family);
            });
    Family<Long> lag =
        Family.gauge(
            "holdfast_raft_peer_lag",
            "Entries that another member lacks; at the leader.",
            Long::doubleValue);
    Family<LatencyCounts> commits =
        Family.histogram(
            "holdfast_raft_commit_duration_seconds",
            "From an entry being proposed at the leader to its being committed and applied there.");
    for (GroupFigures group : groups) {
      group
          .lags()
          .forEach(
              (peer, entries) -> lag.add(labels(group).merge(Labels.of("peer", peer)), entries));
      commits.add(labels(group), group.commits());
    }
    add(to, lag);
    add(to, commits);
    Family<BrokerCluster> forwarded =
        Family.counter(
            "holdfast_forwarded_publishes",
            "Publish commands that were sent on to another node, which leads the topic.",
            all -> all.publishes().forwarded());
    forwarded.add(Labels.EMPTY, cluster);
    add(to, forwarded);
    Family<BrokerCluster> relayed =
        Family.gauge(
            "holdfast_relayed_consumers",
            "Clients of this node whose topic another one leads.",
            all -> all.relays().consumers());
    relayed.add(Labels.EMPTY, cluster);
    add(to, relayed);
  }

  private static List<NumberFamily<GroupFigures>> families() {
    return List.of(
        Family.gauge("holdfast_raft_term", "The newest term of the group.", GroupFigures::term),
        Family.gauge(
            "holdfast_raft_leader",
            "1 where the group is led and its topics answer, else 0.",
            group -> group.leads() ? 1 : 0),
        Family.gauge(
            "holdfast_raft_has_leader",
            "1 while this node knows who leads the group.",
            group -> group.hasLeader() ? 1 : 0),
        Family.gauge(
            "holdfast_raft_last_index", "Highest index in the group's log.", GroupFigures::last),
        Family.gauge(
            "holdfast_raft_applied_index",
            "Up to here the group's log is applied.",
            GroupFigures::applied),
        Family.gauge(
            "holdfast_raft_log_bytes", "Bytes of the group's log files.", GroupFigures::logBytes),
        Family.gauge(
            "holdfast_raft_state_differs",
            "Other nodes that have made something else of the same log; anything but 0 is a bug.",
            GroupFigures::differing),
        Family.counter(
            "holdfast_raft_elections",
            "Leaders that were elected since start.",
            GroupFigures::elections),
        Family.counter(
            "holdfast_raft_snapshots",
            "Snapshots that were taken here since start.",
            GroupFigures::snapshots),
        Family.counter(
            "holdfast_raft_installs",
            "Snapshots of other nodes that were installed here since start.",
            GroupFigures::installs));
  }

  private static Labels labels(GroupFigures group) {
    return Labels.of("group", Integer.toString(group.group()));
  }

  private static void add(MetricSnapshots.Builder to, Family<?> family) {
    MetricSnapshot snapshot = family.snapshot();
    if (snapshot != null) {
      to.metricSnapshot(snapshot);
    }
  }
}
