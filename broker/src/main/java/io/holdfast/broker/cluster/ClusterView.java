package io.holdfast.broker.cluster;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.holdfast.broker.cluster.ClusterDirectory.State;
import io.holdfast.broker.cluster.engine.GroupStatus;
import io.holdfast.broker.cluster.engine.GroupStatus.Role;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.broker.cluster.state.GroupPlace;
import io.holdfast.storage.topic.ClusterFile;
import java.util.ArrayList;
import java.util.List;

/** How a cluster stands as seen from this node, in the shape of {@code GET /cluster}. */
public final class ClusterView {
  /** So many entries a member may lack that nobody needs to know. */
  private static final long MAX_LAG = 1000;

  private final ClusterConfig config;
  private final Membership membership;
  private final Peers peers;
  private final NodeStatuses statuses;
  private final Participation participation;
  private final List<NodeGroup> groups;

  ClusterView(
      ClusterConfig config,
      Membership membership,
      Peers peers,
      NodeStatuses statuses,
      Participation participation) {
    this.config = config;
    this.membership = membership;
    this.peers = peers;
    this.statuses = statuses;
    this.participation = participation;
    groups = participation.groups();
  }

  /** All of it; component names are those of the JSON. */
  public record Cluster(
      @JsonProperty("cluster_id") int clusterId,
      @JsonProperty("uuid") String uuid,
      @JsonProperty("node") String node,
      @JsonProperty("incarnation") int incarnation,
      @JsonProperty("state") String state,
      @JsonProperty("draining") boolean draining,
      @JsonProperty("nodes") List<Node> nodes,
      @JsonProperty("groups") List<Group> groups,
      @JsonProperty("topic") @JsonInclude(JsonInclude.Include.NON_NULL) Topic topic) {}

  /** One of the three. */
  public record Node(
      @JsonProperty("node") String node,
      @JsonProperty("address") String address,
      @JsonProperty("incarnation") int incarnation,
      @JsonProperty("reachable") boolean reachable,
      @JsonProperty("last_contact_ms") long lastContactMs,
      @JsonProperty("draining") boolean draining,
      @JsonProperty("tcp_address") String tcpAddress,
      @JsonProperty("http_address") String httpAddress,
      @JsonProperty("version") String version,
      @JsonProperty("disk_free_bytes") Long diskFreeBytes,
      @JsonProperty("clock_offset_ms") Long clockOffsetMs,
      @JsonProperty("max_msg_size") Long maxMsgSize,
      @JsonProperty("max_body_size") Long maxBodySize) {}

  /** One group. */
  public record Group(
      @JsonProperty("group") int group,
      @JsonProperty("preferred") String preferred,
      @JsonProperty("role") String role,
      @JsonProperty("serving") boolean serving,
      @JsonProperty("leader") String leader,
      @JsonProperty("term") long term,
      @JsonProperty("first") long first,
      @JsonProperty("last") long last,
      @JsonProperty("committed") long committed,
      @JsonProperty("applied") long applied,
      @JsonProperty("snapshot") long snapshot,
      @JsonProperty("log_bytes") long logBytes,
      @JsonProperty("topics") int topics,
      @JsonProperty("state_crc") @JsonInclude(JsonInclude.Include.NON_NULL) String stateCrc,
      @JsonProperty("error") String error,
      @JsonProperty("peers") List<Peer> peers) {}

  /** Another member of a group. */
  public record Peer(
      @JsonProperty("node") String node,
      @JsonProperty("incarnation") int incarnation,
      @JsonProperty("voter") boolean voter,
      @JsonProperty("lag") long lag,
      @JsonProperty("last_contact_ms") long lastContactMs) {}

  /** A topic that was asked for. */
  public record Topic(
      @JsonProperty("name") String name,
      @JsonProperty("group") int group,
      @JsonProperty("exists") boolean exists) {}

  /**
   * All of it.
   *
   * @param own what this node says of itself
   * @param topic a topic's name; null for none
   */
  public Cluster cluster(NodeStatus own, String topic) {
    ClusterFile file = membership.file();
    boolean isMember = membership.state() == State.MEMBER;
    List<Node> nodes = new ArrayList<>();
    for (String name : config.nodes().keySet()) {
      nodes.add(node(name, participation.addresses().of(name).toString(), own));
    }
    return new Cluster(
        config.clusterId(),
        isMember ? file.uuid() : null,
        config.node(),
        file == null ? 0 : file.incarnation(),
        membership.state().text(),
        participation.isDraining(),
        nodes,
        groups.stream().map(this::group).toList(),
        topic == null ? null : topic(topic));
  }

  private Node node(String name, String address, NodeStatus own) {
    boolean isSelf = name.equals(config.node());
    NodeStatuses.Heard heard = isSelf ? new NodeStatuses.Heard(own, 0, 0) : statuses.of(name);
    NodeStatus said = heard == null ? null : heard.status();
    ClusterFile file = membership.file();
    return new Node(
        name,
        address,
        isSelf && file != null ? file.incarnation() : membership.incarnation(name),
        isSelf || peers.isReachable(name),
        isSelf ? 0 : peers.lastContactMs(name),
        said != null && said.draining(),
        said == null ? null : said.tcpAddress(),
        said == null ? null : said.httpAddress(),
        said == null ? null : said.version(),
        said == null ? null : said.diskFreeBytes(),
        heard == null ? null : heard.clockOffsetMs(),
        said == null ? null : said.maxMsgSize(),
        said == null ? null : said.maxBodySize());
  }

  private Group group(NodeGroup group) {
    GroupStatus status = group.status();
    String preferred = participation.preferred(group.group());
    if (status == null) {
      return new Group(
          group.group(),
          preferred,
          "error",
          false,
          null,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          null,
          group.error(),
          List.of());
    }
    return new Group(
        group.group(),
        preferred,
        role(status),
        group.isServing(status),
        status.leader(),
        status.term(),
        status.first(),
        status.last(),
        status.committed(),
        status.applied(),
        status.snapshot(),
        status.logBytes(),
        group.topics().size(),
        group.checksum(status.applied()),
        status.error(),
        status.role() == Role.LEADER
            ? status.peers().stream()
                .map(
                    peer ->
                        new Peer(
                            peer.node(),
                            peer.incarnation(),
                            peer.voter(),
                            peer.lag(),
                            peer.lastContactMs()))
                .toList()
            : List.of());
  }

  private static String role(GroupStatus status) {
    return switch (status.role()) {
      case LEADER -> "leader";
      case FOLLOWER -> status.leader() == null ? "candidate" : "follower";
      case LEARNER -> "learner";
      case STOPPED, FAILED -> "error";
    };
  }

  private Topic topic(String name) {
    int group = GroupPlace.groupOf(name, config.groups());
    return new Topic(name, group, !groups.isEmpty() && groups.get(group).topic(name) != null);
  }

  /** Of each group. */
  public List<GroupFigures> figures() {
    return groups.stream()
        .map(group -> GroupFigures.of(group, participation.differing(group.group())))
        .toList();
  }

  /** What keeps this node from serving; empty when nothing does. */
  public List<String> failures() {
    if (membership.state() != State.MEMBER) {
      return List.of("this node is " + membership.state().text());
    }
    List<String> failures = new ArrayList<>();
    if (participation.isDraining()) {
      failures.add("this node is draining");
    }
    for (NodeGroup group : groups) {
      if (group.error() != null) {
        failures.add("group " + group.group() + ": " + group.error());
      } else if (group.leader() == null) {
        failures.add("no leader for group " + group.group());
      }
    }
    return failures;
  }

  /** What an operator should know of although this node serves; empty for nothing. */
  public List<String> warnings() {
    List<String> warnings = new ArrayList<>();
    for (String node : peers.others()) {
      if (!peers.isReachable(node)) {
        warnings.add(node + " is not reachable");
      }
    }
    warnings.addAll(participation.differences());
    String gone = gone();
    if (!gone.isEmpty()) {
      warnings.add("one copy only: " + gone + " gone");
    }
    for (NodeGroup group : groups) {
      GroupStatus status = group.status();
      if (status != null && status.role() == Role.LEADER) {
        for (GroupStatus.Peer peer : status.peers()) {
          if (peer.lag() > MAX_LAG) {
            warnings.add(
                "group " + group.group() + " of " + peer.node() + " is behind by " + peer.lag());
          }
        }
      }
    }
    return warnings;
  }

  /** Those without a copy of some group that this node alone has; empty for nobody. */
  private String gone() {
    boolean isAlone =
        groups.stream()
            .map(group -> group.members().voters())
            .anyMatch(voters -> voters.size() == 1 && voters.get(0).node().equals(config.node()));
    return isAlone ? String.join(", ", peers.others()) : "";
  }

  /** Groups that have stopped here, with reasons; null for none. */
  public String error() {
    for (NodeGroup group : groups) {
      if (group.error() != null) {
        return "group " + group.group() + ": " + group.error();
      }
    }
    return null;
  }
}
