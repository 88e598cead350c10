package io.holdfast.tools.bench.peers;

import io.holdfast.tools.bench.suite.CommandTemplate;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The brokers that are compared, as far as they are on this machine. */
final class Peers {
  /** Ports that every server gets; most need fewer. */
  static final int PORTS = 9;

  static final int MPUB = 50;
  private static final String RABBIT = "/usr/lib/rabbitmq/bin/rabbitmq-server";
  static final String HOST = "127.0.0.1";
  static final String NSQ_CLIENT =
      "NSQ V2: MPUB of " + MPUB + " (or PUB, pipelined), RDY " + Protocol.PREFETCH + ", FIN each";

  private static final String NATS_CLIENT =
      "publishes with acknowledgements in the background; durable pull consumer, pulls of "
          + Protocol.PREFETCH / 2
          + " that overlap, +ACK each";

  private static final String AMQP_CLIENT =
      "AMQP 0-9-1: persistent, publisher confirms; prefetch "
          + Protocol.PREFETCH
          + ", an acknowledgement for each read (multiple)";

  private final List<Peer> found = new ArrayList<>();
  private final List<String> missing = new ArrayList<>();

  /**
   * @param holdfast how to start Holdfast
   * @param nsqd the binary, null to look for it
   */
  Peers(CommandTemplate holdfast, Path nsqd) {
    holdfast(holdfast);
    nsqd(nsqd == null ? program("nsqd") : nsqd);
    nats(program("nats-server"));
    redis(program("redis-server"));
    rabbit(Files.isExecutable(Path.of(RABBIT)) ? Path.of(RABBIT) : null);
    found.sort(java.util.Comparator.comparing(Peer::promise));
  }

  /** Those that can run, by promise. */
  List<Peer> found() {
    return List.copyOf(found);
  }

  /** A line for each that is not here. */
  List<String> missing() {
    return List.copyOf(missing);
  }

  /**
   * @return null when there is none
   */
  private static Path program(String name) {
    String path = System.getenv().getOrDefault("PATH", "") + ":/usr/sbin:/usr/local/bin";
    return Arrays.stream(path.split(":"))
        .map(dir -> Path.of(dir, name))
        .filter(Files::isExecutable)
        .findFirst()
        .orElse(null);
  }

  private void holdfast(CommandTemplate command) {
    found.add(
        nsq(
            "Holdfast `written`",
            Promise.WRITTEN,
            "none",
            "in the journal's file, page cache; forced every 2 s or 2,500 messages",
            command));
    List<String> synced = new ArrayList<>(command.words());
    synced.add("--durability=synced");
    found.add(
        nsq(
            "Holdfast `synced`",
            Promise.FORCED,
            "`--durability=synced`",
            "in the journal and forced, one force for all that wait",
            new CommandTemplate(List.copyOf(synced))));
    found.add(PeerClusters.holdfast(command));
  }

  private void nsqd(Path binary) {
    if (binary == null) {
      missing.add(
          "nsqd: not on this machine; build it from github.com/nsqio/nsq, give --nsqd FILE");
      return;
    }
    String start =
        "'"
            + binary.toAbsolutePath()
            + "' --data-path {data} --tcp-address {tcp} --http-address {http} --mem-queue-size ";
    found.add(
        nsq(
            "nsqd, memory",
            Promise.MEMORY,
            "`--mem-queue-size=10000000`",
            "in a queue in memory",
            CommandTemplate.parse(start + "10000000")));
    found.add(
        nsq(
            "nsqd, disk",
            Promise.WRITTEN,
            "`--mem-queue-size=0`",
            "in the topic's file, page cache; forced every 2 s or 2,500 messages. What is in flight"
                + " is in memory only",
            CommandTemplate.parse(start + "0")));
  }

  private static Peer nsq(
      String name, Promise promise, String settings, String ok, CommandTemplate command) {
    return new Peer(
        name,
        promise,
        settings,
        ok,
        NSQ_CLIENT,
        MPUB,
        (dir, ports) -> Peer.Launch.of(command.fill(dir.toString(), ports.get(0), ports.get(1))),
        NsqProtocol::new);
  }

  private void nats(Path binary) {
    if (binary == null) {
      missing.add("JetStream: no nats-server on this machine (apt-get install nats-server)");
      return;
    }
    found.add(
        new Peer(
            "JetStream",
            Promise.WRITTEN,
            "file storage, 1 replica, limits retention",
            "in the stream's file, page cache; forced every 2 min (2.9 has no setting for that)",
            NATS_CLIENT,
            1,
            (dir, ports) -> {
              Path conf = dir.resolve("nats.conf");
              Files.writeString(
                  conf,
                  String.format(
                      java.util.Locale.ROOT,
                      "listen: \"%s:%d\"%njetstream { store_dir: \"%s\" }%n",
                      HOST,
                      ports.get(0),
                      dir));
              return Peer.Launch.of(List.of(binary.toString(), "-c", conf.toString()));
            },
            (queue, prompt) -> new NatsProtocol(queue, 1)));
    found.add(PeerClusters.nats(binary, NATS_CLIENT));
  }

  private void redis(Path binary) {
    if (binary == null) {
      missing.add("Redis: no redis-server on this machine (apt-get install redis-server)");
      return;
    }
    found.add(
        redis(
            binary,
            "everysec",
            Promise.WRITTEN,
            "in the append-only file, page cache, forced every second; while a force is under way,"
                + " up to 2 s in memory only"));
    found.add(
        redis(
            binary,
            "always",
            Promise.FORCED,
            "in the append-only file and forced, one force for all commands of a loop turn"));
  }

  private static Peer redis(Path binary, String fsync, Promise promise, String ok) {
    return new Peer(
        "Redis `" + fsync + "`",
        promise,
        "`appendonly yes`, `appendfsync " + fsync + "`, no snapshots, no rewriting",
        ok,
        "stream; XADD, pipelined; XREADGROUP COUNT "
            + Protocol.PREFETCH
            + ", an XACK for each read. Entries stay in the stream",
        1,
        (dir, ports) ->
            Peer.Launch.of(
                List.of(
                    binary.toString(),
                    "--bind",
                    HOST,
                    "--port",
                    Integer.toString(ports.get(0)),
                    "--dir",
                    dir.toString(),
                    "--save",
                    "",
                    "--appendonly",
                    "yes",
                    "--appendfsync",
                    fsync,
                    "--auto-aof-rewrite-percentage",
                    "0")),
        (queue, prompt) -> new RedisProtocol(queue));
  }

  private void rabbit(Path script) {
    if (script == null) {
      missing.add("RabbitMQ: no " + RABBIT + " on this machine (apt-get install rabbitmq-server)");
      return;
    }
    found.add(
        new Peer(
            "RabbitMQ, quorum",
            Promise.FORCED,
            "quorum queue of one node",
            "in the log of the queue's Raft group and forced, one force for all that wait",
            AMQP_CLIENT,
            1,
            (dir, ports) -> Rabbit.launch(script, dir, ports, 1),
            (queue, prompt) -> new AmqpProtocol(queue, "quorum")));
    found.add(PeerClusters.rabbit(script, AMQP_CLIENT));
  }
}
