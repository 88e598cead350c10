package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.engine.GroupMembers;
import io.holdfast.broker.cluster.engine.GroupPeer;
import io.holdfast.broker.cluster.engine.JraftLink;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.broker.net.HostPort;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.topic.ClusterFile;
import io.holdfast.storage.topic.ClusterFile.Known;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the nodes are and which incarnations they have: what the groups' configurations and {@code
 * cluster.json} say; the options only serve to find those of whom nothing else is known.
 * Thread-safe.
 */
final class MemberAddresses {
  private static final Logger LOG = LoggerFactory.getLogger(MemberAddresses.class);

  private final ClusterConfig config;
  private final Membership membership;
  private final Disk disk;
  private final JraftLink link;
  private final Peers peers;

  /**
   * @param disk where {@code cluster.json} is
   */
  MemberAddresses(
      ClusterConfig config, Membership membership, Disk disk, JraftLink link, Peers peers) {
    this.config = config;
    this.membership = membership;
    this.disk = disk;
    this.link = link;
    this.peers = peers;
  }

  /** Where a node is. */
  HostPort of(String node) {
    ClusterFile file = membership.file();
    Known known = file == null ? null : file.known().get(node);
    return known == null || known.address() == null
        ? config.nodes().get(node)
        : HostPort.parse(known.address());
  }

  /** This node, as its directory says. */
  GroupPeer self(ClusterFile file) {
    return peer(config.node(), file.incarnation());
  }

  private GroupPeer peer(String node, int incarnation) {
    HostPort address = of(node);
    return new GroupPeer(node, address.host(), address.port(), incarnation);
  }

  /**
   * Has all connections go where the nodes are, and says so when the options say something else.
   *
   * @return all nodes as they were when the cluster was formed
   */
  List<GroupPeer> use(ClusterFile file) {
    List<GroupPeer> members = new ArrayList<>();
    for (Map.Entry<String, HostPort> node : config.nodes().entrySet()) {
      String name = node.getKey();
      HostPort address = of(name);
      if (!address.equals(node.getValue())) {
        LOG.warn(
            "CLUSTER: {} is at {}, cluster_nodes has {}: the groups' own address counts",
            name,
            address,
            node.getValue());
      }
      connect(name, address);
      members.add(peer(name, 0));
    }
    link.know(members);
    link.know(List.of(self(file)));
    return members;
  }

  /** A node is somewhere from now on. */
  void connect(String node, HostPort address) {
    if (!node.equals(config.node())) {
      peers.moved(node, address);
    }
    link.know(
        List.of(new GroupPeer(node, address.host(), address.port(), membership.incarnation(node))));
  }

  /**
   * Notes for good that a node has an incarnation, and perhaps where it is; less than what is known
   * changes nothing.
   *
   * @param address null for where it was
   */
  void note(String node, int incarnation, HostPort address) throws IOException {
    membership.change(
        disk,
        membership.state(),
        now -> {
          Known before = now.known().getOrDefault(node, new Known(0, null));
          Known noted =
              new Known(
                  Math.max(incarnation, before.incarnation()),
                  address == null ? before.address() : address.toString());
          Map<String, Known> known = new TreeMap<>(now.known());
          return noted.equals(known.put(node, noted)) ? null : now.withKnown(known);
        });
  }

  /** Notes what the groups' configurations say. */
  void look(List<NodeGroup> groups) throws IOException {
    Map<String, Integer> incarnations = new TreeMap<>();
    List<GroupPeer> known = new ArrayList<>();
    for (NodeGroup group : groups) {
      GroupMembers members = group.members();
      Stream.concat(members.voters().stream(), members.learners().stream())
          .filter(member -> config.nodes().containsKey(member.node()))
          .forEach(
              member -> {
                Integer before = incarnations.get(member.node());
                if (before == null || before < member.incarnation()) {
                  incarnations.put(member.node(), member.incarnation());
                  known.add(member);
                }
              });
    }
    link.know(known);
    for (GroupPeer member : known) {
      if (member.incarnation() > membership.incarnation(member.node())) {
        // Also when no group knows it any more.
        note(member.node(), member.incarnation(), null);
      }
    }
    membership.incarnations(incarnations);
  }
}
