package io.holdfast.tools.bench.peers;

import io.holdfast.tools.bench.suite.CommandTemplate;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Three servers on loopback that are one broker; clients are dealt out to all three. Of the ports
 * that are given the first three are for clients, the next for whatever else each has. Stateless.
 */
final class PeerClusters {
  private static final int MEMBERS = 3;

  private static final List<String> NAMES = List.of("a", "b", "c");

  private PeerClusters() {}

  static Peer holdfast(CommandTemplate command) {
    return new Peer(
        "Holdfast, 3 brokers",
        Promise.REPLICATED,
        "`cluster_nodes` of three",
        "in the log of the topic's Raft group and forced, at two of three",
        Peers.NSQ_CLIENT,
        Peers.MPUB,
        (dir, ports) -> {
          String nodes =
              NAMES.stream()
                  .map(
                      name ->
                          name
                              + " "
                              + Peers.HOST
                              + ":"
                              + ports.get(2 * MEMBERS + NAMES.indexOf(name)))
                  .collect(Collectors.joining(","));
          List<Peer.Member> members = new ArrayList<>();
          for (int i = 0; i < MEMBERS; i++) {
            Path own = Files.createDirectory(dir.resolve(NAMES.get(i)));
            List<String> words =
                new ArrayList<>(command.fill(own.toString(), ports.get(i), ports.get(MEMBERS + i)));
            words.addAll(
                List.of(
                    "--cluster-nodes=" + nodes,
                    "--cluster-node=" + NAMES.get(i),
                    "--cluster-id=1",
                    "--cluster-init"));
            members.add(new Peer.Member(words, Map.of()));
          }
          return new Peer.Launch(members, List.of());
        },
        NsqProtocol::new);
  }

  static Peer nats(Path binary, String client) {
    return new Peer(
        "JetStream, 3 servers",
        Promise.REPLICATED,
        "file storage, 3 replicas, limits retention",
        "in the log of the stream's Raft group at two of three, page cache, not forced (2.9 has no"
            + " setting for that)",
        client,
        1,
        (dir, ports) -> {
          List<Peer.Member> members = new ArrayList<>();
          for (int i = 0; i < MEMBERS; i++) {
            Path own = Files.createDirectory(dir.resolve(NAMES.get(i)));
            Path conf = own.resolve("nats.conf");
            Files.writeString(conf, natsConf(own, ports, i));
            members.add(
                new Peer.Member(List.of(binary.toString(), "-c", conf.toString()), Map.of()));
          }
          return new Peer.Launch(members, List.of());
        },
        (queue, prompt) -> new NatsProtocol(queue, MEMBERS));
  }

  private static String natsConf(Path own, List<Integer> ports, int member) {
    String routes =
        ports.subList(MEMBERS, 2 * MEMBERS).stream()
            .map(port -> "\"nats://" + Peers.HOST + ":" + port + "\"")
            .collect(Collectors.joining(", "));
    return String.format(
        Locale.ROOT,
        "listen: \"%s:%d\"%nserver_name: %s%njetstream { store_dir: \"%s\" }%n"
            + "cluster { name: peers, listen: \"%s:%d\", routes: [%s] }%n",
        Peers.HOST,
        ports.get(member),
        NAMES.get(member),
        own,
        Peers.HOST,
        ports.get(MEMBERS + member),
        routes);
  }

  static Peer rabbit(Path script, String client) {
    return new Peer(
        "RabbitMQ, quorum, 3 nodes",
        Promise.REPLICATED,
        "quorum queue of three nodes",
        "in the log of the queue's Raft group and forced, at two of three",
        client,
        1,
        (dir, ports) -> Rabbit.launch(script, dir, ports, MEMBERS),
        (queue, prompt) -> new AmqpProtocol(queue, "quorum"));
  }
}
