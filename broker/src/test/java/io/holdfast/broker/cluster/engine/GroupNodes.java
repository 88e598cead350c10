package io.holdfast.broker.cluster.engine;

import static org.awaitility.Awaitility.await;

import io.holdfast.broker.cluster.peers.Handshake;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.broker.cluster.peers.PeersConfig;
import io.holdfast.broker.net.HostPort;
import io.holdfast.broker.net.Transport;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.LastStop;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** Nodes of one group in this JVM, which reach each other on free ports of loopback. */
final class GroupNodes implements Closeable {
  static final Duration LONG = Duration.ofSeconds(60);

  /** So long that nothing changes by itself, however busy the machine is. */
  static final int STABLE_MS = 10_000;

  private static final PeersConfig.Times TIMES =
      new PeersConfig.Times(
          Duration.ofSeconds(10),
          Duration.ofSeconds(20),
          Duration.ofMillis(50),
          Duration.ofMillis(200),
          Duration.ofSeconds(20));

  /** One of them; its connections can be cut, its group stopped and made again. */
  final class Node {
    final String name;
    final Path dir;
    RecordingMember member;
    JraftGroup group;
    Disk disk = Disk.LOCAL;
    int incarnation;
    private Peers peers;
    private JraftLink link;
    private int port;

    private Node(String name) {
      this.name = name;
      dir = root.resolve(name);
    }

    GroupPeer peer() {
      return new GroupPeer(name, "127.0.0.1", port, incarnation);
    }

    private void listen(List<String> names) throws IOException {
      Map<String, HostPort> addresses = new TreeMap<>();
      names.forEach(other -> addresses.put(other, null));
      addresses.put(name, new HostPort("127.0.0.1", port));
      PeersConfig config = new PeersConfig(name, addresses, 6 << 20, 8 << 20, null, TIMES);
      Handshake own =
          new Handshake(name, 0, null, 0, names, 900, 1, 1, 1, "running", true, 0, Map.of(name, 0));
      peers = new Peers(config, () -> own, other -> null, transport);
      link = new JraftLink(peers);
      peers.start();
      port = peers.port();
    }

    /** Makes the group on this node, which is not there yet. */
    void create() throws IOException {
      files(LastStop.CLEAN).create();
    }

    GroupFiles files(LastStop lastStop) {
      return new GroupFiles(dir, disk, GroupDirs.OPTIONS, lastStop);
    }

    /** Opens the group, with a member that knows nothing. */
    void start(LastStop lastStop) throws IOException {
      start(lastStop, List.of());
    }

    void start(LastStop lastStop, List<GroupPeer> initial) throws IOException {
      member = new RecordingMember();
      group = new JraftGroup(1, peer(), initial, files(lastStop), link, member, electionTimeoutMs);
      group.start();
    }

    /** No other node hears of it any more, as if it were dead. */
    void cut() {
      peers.close();
    }

    /** It is there again, at the same place, with its group as the disk has it. */
    void comeBack() throws IOException {
      group.stop();
      link.close();
      listen(names());
      announceAll();
      start(LastStop.CLEAN);
    }

    Told propose(String entry) {
      return Told.of(group, group.status().term(), entry);
    }

    /** Waits until it has applied the same as another one. */
    void awaitSameAs(Node other) {
      await("what " + name + " applied")
          .atMost(LONG)
          .until(() -> member.entries().equals(other.member.entries()));
    }
  }

  private final Path root;
  private final Transport transport = new Transport(2);
  private final Map<String, Node> nodes = new TreeMap<>();
  private final int electionTimeoutMs;

  GroupNodes(Path root, int electionTimeoutMs, String... names) throws IOException {
    this.root = root;
    this.electionTimeoutMs = electionTimeoutMs;
    for (String name : names) {
      nodes.put(name, new Node(name));
    }
    for (Node node : nodes.values()) {
      node.listen(names());
    }
    announceAll();
  }

  private List<String> names() {
    return List.copyOf(nodes.keySet());
  }

  private void announceAll() {
    for (Node node : nodes.values()) {
      for (Node other : nodes.values()) {
        node.link.know(List.of(other.peer()));
        if (node != other) {
          node.peers.moved(other.name, new HostPort("127.0.0.1", other.port));
        }
      }
    }
  }

  Node node(String name) {
    return nodes.get(name);
  }

  /** Makes a group of these; the first one leads, as it was alone at the beginning. */
  Node form(String... members) throws Exception {
    List<GroupPeer> peers = new ArrayList<>();
    for (String name : members) {
      Node made = node(name);
      made.create();
      made.start(LastStop.CLEAN, peers.isEmpty() ? List.of(made.peer()) : List.of());
      peers.add(made.peer());
    }
    Node first = node(members[0]);
    awaitLeader(first);
    first.group.changeMembers(peers, List.of()).get(60, TimeUnit.SECONDS);
    return first;
  }

  /** Who leads of some, once one does. */
  Node awaitLeader(Node... among) {
    List<Node> leading = new ArrayList<>();
    await("a leader")
        .atMost(LONG)
        .until(
            () -> {
              leading.clear();
              for (Node node : among) {
                if (node.member.leads() > 0
                    && node.group.status().role() == GroupStatus.Role.LEADER) {
                  leading.add(node);
                }
              }
              return leading.size() == 1;
            });
    return leading.get(0);
  }

  /** All but one. */
  Node[] others(Node than) {
    return nodes.values().stream().filter(node -> node != than).toArray(Node[]::new);
  }

  Node[] all() {
    return nodes.values().toArray(Node[]::new);
  }

  @Override
  public void close() {
    for (Node node : nodes.values()) {
      if (node.group != null) {
        node.group.stop();
      }
    }
    for (Node node : nodes.values()) {
      node.peers.close();
      node.link.close();
    }
    transport.close();
  }
}
