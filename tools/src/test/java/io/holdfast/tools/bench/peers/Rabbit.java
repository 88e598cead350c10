package io.holdfast.tools.bench.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Starts RabbitMQ with nothing of its own on the machine but what is in a directory. Stateless. */
final class Rabbit {
  private static final int DIST_PORTS = 3;
  private static final int NAME_SERVER_PORT = 6;

  private Rabbit() {}

  /**
   * With a name server of its own, which is started first and so stopped with it.
   *
   * @param script that starts it
   * @param dir an empty directory
   * @param ports free ones
   * @param members one, or how many make a cluster; at most three
   */
  static Peer.Launch launch(Path script, Path dir, List<Integer> ports, int members)
      throws IOException {
    Files.writeString(dir.resolve("plugins"), "[].\n");
    StringBuilder conf = new StringBuilder();
    for (int i = 0; members > 1 && i < members; i++) {
      conf.append("cluster_formation.classic_config.nodes.").append(i + 1).append(" = ");
      conf.append(name(i)).append('\n');
    }
    if (members > 1) {
      conf.append("cluster_formation.peer_discovery_backend = classic_config\n");
      // Each would make one.
      Path cookie = Files.writeString(dir.resolve(".erlang.cookie"), "PEERS");
      Files.setPosixFilePermissions(cookie, PosixFilePermissions.fromString("r--------"));
    }
    Files.writeString(dir.resolve("rabbitmq.conf"), conf);
    List<Peer.Member> all = new ArrayList<>();
    for (int i = 0; i < members; i++) {
      Path own = Files.createDirectory(dir.resolve("node" + i));
      Map<String, String> environment =
          Map.ofEntries(
              Map.entry("HOME", dir.toString()),
              Map.entry("ERL_EPMD_ADDRESS", Peers.HOST),
              Map.entry("ERL_EPMD_PORT", Integer.toString(ports.get(NAME_SERVER_PORT))),
              Map.entry("RABBITMQ_NODENAME", name(i)),
              Map.entry("RABBITMQ_NODE_IP_ADDRESS", Peers.HOST),
              Map.entry("RABBITMQ_NODE_PORT", Integer.toString(ports.get(i))),
              Map.entry("RABBITMQ_DIST_PORT", Integer.toString(ports.get(DIST_PORTS + i))),
              Map.entry(
                  "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                  "-kernel inet_dist_use_interface {127,0,0,1}"),
              Map.entry("RABBITMQ_MNESIA_BASE", own.resolve("mnesia").toString()),
              Map.entry("RABBITMQ_LOG_BASE", own.resolve("log").toString()),
              Map.entry("RABBITMQ_ENABLED_PLUGINS_FILE", dir.resolve("plugins").toString()),
              Map.entry("RABBITMQ_CONFIG_FILE", dir.resolve("rabbitmq.conf").toString()),
              Map.entry("RABBITMQ_CONF_ENV_FILE", dir.resolve("none").toString()));
      all.add(new Peer.Member(List.of(script.toString()), environment));
    }
    return new Peer.Launch(all, List.of("epmd"));
  }

  private static String name(int member) {
    return "peers" + member + "@localhost";
  }
}
