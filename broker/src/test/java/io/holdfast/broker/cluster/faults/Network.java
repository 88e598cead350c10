package io.holdfast.broker.cluster.faults;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The network of three brokers: a namespace each, joined by a bridge to which this process belongs,
 * too, so that clients reach every node whatever is cut between them. Without the rights for that
 * it is loopback, and nothing can be cut. Used by one thread.
 */
final class Network implements AutoCloseable {
  /** Of no machine: the bridge sends it to all, and none takes it. */
  private static final String NOWHERE = "02:00:5e:00:00:66";

  private static final int NODES = 3;

  private final String prefix;
  private final String subnet;
  private final boolean hasNamespaces;
  private boolean hasNetem;
  private final Thread closing = new Thread(this::remove);

  private Network(String prefix, String subnet, boolean hasNamespaces) {
    this.prefix = prefix;
    this.subnet = subnet;
    this.hasNamespaces = hasNamespaces;
  }

  /**
   * Makes one.
   *
   * @param say told what it cannot do
   */
  static Network open(Consumer<String> say) {
    long number = ProcessHandle.current().pid() % 250 + 1;
    Network made = new Network("hf" + number, "10.213." + number, true);
    String complaint = made.make();
    if (complaint == null) {
      Runtime.getRuntime().addShutdownHook(made.closing);
      if (!made.hasNetem) {
        say.accept("netem is not in this kernel: delay and loss by a narrow link (tbf)");
      }
      return made;
    }
    made.remove();
    say.accept("left out: partitions, delay, loss: no network namespaces: " + complaint);
    return new Network("", "", false);
  }

  private String make() {
    List<String[]> steps = new ArrayList<>();
    steps.add(words("ip link add " + prefix + " type bridge"));
    steps.add(words("ip addr add " + subnet + ".254/24 dev " + prefix));
    steps.add(words("ip link set " + prefix + " up"));
    for (int node = 0; node < NODES; node++) {
      String ns = namespace(node);
      steps.add(words("ip netns add " + ns));
      steps.add(words("ip link add " + ns + " type veth peer name eth0 netns " + ns));
      steps.add(words("ip link set " + ns + " master " + prefix + " up"));
      steps.add(words("ip -n " + ns + " addr add " + host(node) + "/24 dev eth0"));
      steps.add(words("ip -n " + ns + " link set eth0 up"));
      steps.add(words("ip -n " + ns + " link set lo up"));
    }
    for (String[] step : steps) {
      String complaint = Shell.complaint(step);
      if (complaint != null) {
        return String.join(" ", step) + ": " + complaint;
      }
    }
    hasNetem = Shell.complaint(tc(0, "add", "netem", "delay", "1ms")) == null;
    if (hasNetem) {
      Shell.run(tc(0, "del"));
    }
    return null;
  }

  private static String[] words(String line) {
    return line.split(" ");
  }

  private String namespace(int node) {
    return prefix + (char) ('a' + node);
  }

  private String[] tc(int node, String verb, String... what) {
    List<String> command = new ArrayList<>(List.of("tc", "-n", namespace(node), "qdisc", verb));
    command.addAll(List.of("dev", "eth0", "root"));
    command.addAll(List.of(what));
    return command.toArray(String[]::new);
  }

  /** Whether links can be cut. */
  boolean canCut() {
    return hasNamespaces;
  }

  /** The address of a node. */
  String host(int node) {
    return hasNamespaces ? subnet + "." + (node + 1) : "127.0.0.1";
  }

  /** What a node's process is to be started by. */
  List<String> launcher(int node) {
    // Not "ip netns exec": its own copy of all mounts would keep the disks of other nodes busy.
    return hasNamespaces ? List.of("nsenter", "--net=/run/netns/" + namespace(node)) : List.of();
  }

  /** Whatever a node sends to another one is lost from now on; nobody is told. */
  void cut(int from, int to) {
    Shell.run(
        words(
            "ip -n %s neigh replace %s lladdr %s dev eth0 nud permanent"
                .formatted(namespace(from), host(to), NOWHERE)));
  }

  /** What {@link #cut} did is over. */
  void mend(int from, int to) {
    // Not there: it was not cut.
    Shell.complaint(words("ip -n %s neigh del %s dev eth0".formatted(namespace(from), host(to))));
  }

  /** A node's packets take long. */
  void delay(int node) {
    Shell.run(
        hasNetem
            ? tc(node, "replace", "netem", "delay", "80ms", "40ms")
            : tc(node, "replace", "tbf", "rate", "4mbit", "burst", "8kb", "latency", "400ms"));
  }

  /** Some of a node's packets are lost. */
  void lose(int node) {
    Shell.run(
        hasNetem
            ? tc(node, "replace", "netem", "loss", "8%")
            : tc(node, "replace", "tbf", "rate", "3mbit", "burst", "3kb", "limit", "6kb"));
  }

  /** Nothing is cut, late or lost any more. */
  void heal() {
    if (!hasNamespaces) {
      return;
    }
    for (int from = 0; from < NODES; from++) {
      Shell.complaint(tc(from, "del"));
      for (int to = 0; to < NODES; to++) {
        if (to != from) {
          mend(from, to);
        }
      }
    }
  }

  private void remove() {
    for (int node = 0; node < NODES; node++) {
      Shell.complaint("ip", "link", "del", namespace(node));
      Shell.complaint("ip", "netns", "del", namespace(node));
    }
    Shell.complaint("ip", "link", "del", prefix);
  }

  @Override
  public void close() {
    if (hasNamespaces) {
      Runtime.getRuntime().removeShutdownHook(closing);
      remove();
    }
  }
}
