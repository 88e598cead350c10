package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.peers.PeersConfig;
import io.holdfast.broker.config.ClusterSettings;
import io.holdfast.broker.config.ListenAddress;
import io.holdfast.broker.config.Parsed;
import io.holdfast.broker.net.HostPort;
import io.holdfast.broker.tls.TlsContexts;
import io.holdfast.broker.tls.TlsException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What the options {@code cluster_*} say.
 *
 * @param node this node's name
 * @param clusterId part of each message id, 0..1023
 * @param groups 1..16
 * @param nodes where each node listens for the others, this one included; in the given order
 * @param tls null for clear text
 */
public record ClusterConfig(
    String node, int clusterId, int groups, Map<String, HostPort> nodes, Tls tls) {

  /** {@code cluster_groups} when nothing is said. */
  public static final int DEFAULT_GROUPS = 3;

  private static final int NODES = 3;
  private static final int MAX_CLUSTER_ID = 1023;
  private static final int MAX_GROUPS = 16;
  private static final Pattern NAME = Pattern.compile("[a-z0-9-]{1,16}");
  private static final Pattern ENTRY = Pattern.compile("(\\S+)\\s+(\\S+)");

  /**
   * PEM files.
   *
   * @param cert this node's certificate, with its name as CN or DNS name
   * @param key its key
   * @param ca who signs nodes' certificates
   */
  public record Tls(Path cert, Path key, Path ca) {
    /**
     * Reads the files.
     *
     * @throws IOException in one line that names the option whose file is of no use
     */
    TlsContexts load() throws IOException {
      try {
        return PeersConfig.mutualTls(cert, key, ca);
      } catch (TlsException e) {
        throw new IOException(option(e.file()) + ": " + e.getMessage(), e);
      }
    }

    private String option(Path file) {
      if (cert.equals(file)) {
        return "cluster_tls_cert";
      }
      return key.equals(file) ? "cluster_tls_key" : "cluster_tls_ca";
    }
  }

  /**
   * The options as they were given; null is not given.
   *
   * @param nodes {@code cluster_nodes}, each {@code NAME HOST:PORT}, or several with commas
   * @param node {@code cluster_node}
   * @param id {@code cluster_id}
   * @param groups {@code cluster_groups}
   * @param tls {@code cluster_tls}
   * @param cert {@code cluster_tls_cert}
   * @param key {@code cluster_tls_key}
   * @param ca {@code cluster_tls_ca}
   */
  public record Given(
      List<String> nodes,
      String node,
      String id,
      String groups,
      Boolean tls,
      String cert,
      String key,
      String ca) {
    /** The first option but {@code cluster_nodes} that was given; null for none. */
    private String firstOther() {
      Object[] values = {node, id, groups, tls, cert, key, ca};
      String[] names = {
        "cluster_node",
        "cluster_id",
        "cluster_groups",
        "cluster_tls",
        "cluster_tls_cert",
        "cluster_tls_key",
        "cluster_tls_ca"
      };
      for (int i = 0; i < values.length; i++) {
        if (values[i] != null) {
          return names[i];
        }
      }
      return null;
    }
  }

  /**
   * Reads the options of a broker.
   *
   * @return null when there is to be no cluster
   * @throws IllegalArgumentException in one line that names option and value
   */
  public static ClusterConfig of(ClusterSettings settings) {
    if (settings.isNothing()) {
      return null;
    }
    if (settings.isInit() && settings.nodes().isEmpty()) {
      throw new IllegalArgumentException("--cluster-init needs cluster_nodes");
    }
    return of(
        new Given(
            settings.nodes(),
            settings.node(),
            settings.id(),
            settings.groups(),
            settings.tls(),
            settings.cert(),
            settings.key(),
            settings.ca()));
  }

  /** Fails where what was parsed says of a cluster is bad. */
  public static Parsed checked(Parsed parsed) {
    if (parsed instanceof Parsed.Run run) {
      try {
        of(run.options().cluster());
      } catch (IllegalArgumentException e) {
        return Parsed.Fail.of(e.getMessage());
      }
    }
    return parsed;
  }

  /** Copies. */
  public ClusterConfig {
    nodes = Collections.unmodifiableMap(new LinkedHashMap<>(nodes));
  }

  /**
   * Reads the options.
   *
   * @return null when there is to be no cluster
   * @throws IllegalArgumentException in one line that names option and value
   */
  public static ClusterConfig of(Given given) {
    List<String> entries =
        given.nodes() == null
            ? List.of()
            : given.nodes().stream()
                .flatMap(text -> Arrays.stream(text.split(",", -1)))
                .map(String::strip)
                .toList();
    if (entries.stream().allMatch(String::isEmpty)) {
      if (given.firstOther() != null) {
        throw new IllegalArgumentException(given.firstOther() + " needs cluster_nodes");
      }
      return null;
    }
    Map<String, HostPort> nodes = nodes(entries);
    String names = String.join(", ", nodes.keySet());
    if (given.node() == null) {
      throw new IllegalArgumentException(
          "cluster_node is needed with cluster_nodes: one of " + names);
    }
    if (!nodes.containsKey(given.node())) {
      throw new IllegalArgumentException(
          "cluster_node \"" + given.node() + "\" is not in cluster_nodes: " + names);
    }
    if (given.id() == null) {
      throw new IllegalArgumentException(
          "cluster_id is needed with cluster_nodes: 0 to " + MAX_CLUSTER_ID);
    }
    return new ClusterConfig(
        given.node(),
        number("cluster_id", given.id(), 0, MAX_CLUSTER_ID),
        given.groups() == null
            ? DEFAULT_GROUPS
            : number("cluster_groups", given.groups(), 1, MAX_GROUPS),
        nodes,
        tls(given, nodes));
  }

  private static Map<String, HostPort> nodes(List<String> entries) {
    Map<String, HostPort> nodes = new LinkedHashMap<>();
    for (String entry : entries) {
      var parts = ENTRY.matcher(entry);
      if (!parts.matches()) {
        throw new IllegalArgumentException("cluster_nodes \"" + entry + "\" is not NAME HOST:PORT");
      }
      String name = parts.group(1);
      if (!NAME.matcher(name).matches()) {
        throw new IllegalArgumentException(
            "cluster_nodes \"" + entry + "\": a name is 1 to 16 of a-z, 0-9 and -");
      }
      HostPort address = address(entry, parts.group(2));
      nodes.forEach(
          (other, taken) -> {
            if (taken.toString().equalsIgnoreCase(address.toString())) {
              throw new IllegalArgumentException(
                  "cluster_nodes has " + address + " twice: " + other + ", " + name);
            }
          });
      if (nodes.put(name, address) != null) {
        throw new IllegalArgumentException("cluster_nodes has " + name + " twice");
      }
    }
    if (nodes.size() != NODES) {
      throw new IllegalArgumentException(
          "cluster_nodes has "
              + nodes.size()
              + " nodes, not three: "
              + String.join(", ", nodes.keySet()));
    }
    return nodes;
  }

  private static HostPort address(String entry, String text) {
    return ListenAddress.parseHostPort(text)
        .filter(address -> !address.host().isEmpty() && address.port() > 0)
        .map(address -> new HostPort(address.host(), address.port()))
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "cluster_nodes \"" + entry + "\": " + text + " is not HOST:PORT"));
  }

  private static int number(String option, String text, int min, int max) {
    if (text.matches("[0-9]{1,9}")) {
      int value = Integer.parseInt(text);
      if (value >= min && value <= max) {
        return value;
      }
    }
    throw new IllegalArgumentException(
        option + " \"" + text + "\" is not a number from " + min + " to " + max);
  }

  private static Tls tls(Given given, Map<String, HostPort> nodes) {
    if (Boolean.FALSE.equals(given.tls())) {
      return null;
    }
    boolean isLoopback =
        nodes.values().stream()
            .allMatch(each -> new ListenAddress(each.host(), each.port(), null).isLoopback());
    List<String> missing = new ArrayList<>();
    addIfMissing(missing, "cluster_tls_cert", given.cert());
    addIfMissing(missing, "cluster_tls_key", given.key());
    addIfMissing(missing, "cluster_tls_ca", given.ca());
    if (missing.isEmpty()) {
      return new Tls(Path.of(given.cert()), Path.of(given.key()), Path.of(given.ca()));
    }
    String why;
    if (!isLoopback) {
      why = "cluster_nodes has addresses that are not loopback";
    } else if (Stream.of(given.cert(), given.key(), given.ca()).allMatch(ClusterConfig::isUnset)) {
      return null;
    } else {
      why = "certificate, key and authorities go together";
    }
    throw new IllegalArgumentException(missing.get(0) + " is needed: " + why);
  }

  private static void addIfMissing(List<String> missing, String option, String value) {
    if (isUnset(value)) {
      missing.add(option);
    }
  }

  private static boolean isUnset(String value) {
    return value == null || value.isEmpty();
  }

  /** The nodes' names as in the options: the order need not be the same everywhere. */
  public List<String> order() {
    return List.copyOf(nodes.keySet());
  }

  /** The nodes' names, sorted: what must be the same everywhere. */
  public List<String> names() {
    return nodes.keySet().stream().sorted().toList();
  }
}
