package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.ClusterDirectory.Standing;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.broker.cluster.peers.PeersConfig;
import io.holdfast.broker.net.HostPort;
import io.holdfast.broker.net.Transport;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.topic.ClusterFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Nodes a, b and c in this JVM, each with a directory and peers of its own. */
final class ClusterNodes implements Closeable {
  static final Duration LONG = Duration.ofSeconds(60);
  static final List<String> NAMES = List.of("a", "b", "c");
  private static final long EVERY_MS = 10;
  private static final PeersConfig.Times TIMES =
      new PeersConfig.Times(
          Duration.ofSeconds(10),
          Duration.ofSeconds(20),
          Duration.ofMillis(20),
          Duration.ofMillis(500),
          Duration.ofSeconds(20));

  private final Path root;
  private final Transport transport = new Transport(2);
  private final Map<String, Node> running = new TreeMap<>();

  ClusterNodes(Path root) {
    this.root = root;
  }

  /** One that runs. */
  static final class Node implements Closeable {
    final Membership membership;
    final Peers peers;
    final Forming forming;

    private Node(ClusterConfig config, Path dir, Disk disk, boolean isInit, Transport transport)
        throws IOException {
      Standing standing = ClusterDirectory.of(dir, disk, config, isInit);
      membership = new Membership(config, dir, standing, System::nanoTime);
      Map<String, HostPort> addresses = new TreeMap<>();
      NAMES.forEach(name -> addresses.put(name, null));
      config.names().forEach(name -> addresses.put(name, null));
      addresses.put(config.node(), new HostPort("127.0.0.1", 0));
      peers =
          new Peers(
              new PeersConfig(config.node(), addresses, 1 << 20, 1 << 20, null, TIMES),
              membership::handshake,
              membership,
              transport);
      peers.listen(membership);
      forming =
          new Forming(
              config,
              membership,
              dir,
              disk,
              (group, number) -> Files.writeString(group.resolve("vote"), "group " + number),
              peers);
    }

    @Override
    public void close() {
      forming.close();
      peers.close();
    }
  }

  Path dir(String node) throws IOException {
    return Files.createDirectories(root.resolve(node));
  }

  static ClusterConfig config(String node, List<String> names, int id, int groups) {
    Map<String, HostPort> nodes = new TreeMap<>();
    names.forEach(name -> nodes.put(name, new HostPort("127.0.0.1", 1 + nodes.size())));
    return new ClusterConfig(node, id, groups, nodes, null);
  }

  Node start(String node, boolean isInit, Disk disk) throws IOException {
    return start(config(node, NAMES, 900, 3), isInit, disk);
  }

  Node start(ClusterConfig config, boolean isInit, Disk disk) throws IOException {
    Node started = new Node(config, dir(config.node()), disk, isInit, transport);
    started.peers.start();
    running.put(config.node(), started);
    running.forEach(
        (name, node) ->
            running.forEach(
                (otherName, other) -> {
                  if (!otherName.equals(name) && node.peers.others().contains(otherName)) {
                    node.peers.moved(otherName, new HostPort("127.0.0.1", other.peers.port()));
                  }
                }));
    started.forming.start(EVERY_MS);
    return started;
  }

  void stop(String node) {
    running.remove(node).close();
  }

  ClusterFile file(String node) throws IOException {
    return ClusterFile.read(Disk.LOCAL, dir(node));
  }

  @Override
  public void close() {
    running.values().forEach(Node::close);
    transport.close();
  }
}
