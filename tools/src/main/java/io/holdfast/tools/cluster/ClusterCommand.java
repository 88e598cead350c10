package io.holdfast.tools.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.cli.Version;
import io.holdfast.tools.client.AccessOptions;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.HttpAccess;
import io.holdfast.tools.client.HttpBrokerOptions;
import io.holdfast.tools.client.HttpJson;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The {@code cluster} command: a method a verb. */
@Command(
    name = "cluster",
    description = {
      "Looks after a cluster of three brokers over the HTTP API of any of them.",
      "",
      "Those that are not named are asked where they say that their HTTP address is. Repeating a"
          + " command goes on where it stopped."
    },
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {
      "  holdfast-tools cluster status",
      "  holdfast-tools cluster drain b",
      "  holdfast-tools cluster -b 10.0.0.1:4151 replace b --address 10.0.0.9:4160",
      "",
      "Exit codes: 0 done (status: every group has a leader, all nodes are level), 1 not, 2 wrong",
      "usage or unknown node."
    })
public final class ClusterCommand implements Runnable {
  /** A node that does not answer costs so much of each look at all of them. */
  private static final Duration LOOK_TIMEOUT = Duration.ofSeconds(10);

  private static final Duration CHANGE_TIMEOUT = Duration.ofSeconds(30);

  private static final int LOOKS = 10;
  private static final int LOOK_AGAIN_MS = 200;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ToolContext context;

  @Spec private CommandSpec spec;

  @Mixin private HttpBrokerOptions brokers;

  @Mixin private AccessOptions access;

  /**
   * @param context streams and settings
   */
  public ClusterCommand(ToolContext context) {
    this.context = context;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "missing COMMAND");
  }

  private ClusterNodes nodes() throws IOException {
    List<BrokerAddress> addresses = List.copyOf(brokers.find(new HttpJson(LOOK_TIMEOUT), null));
    if (addresses.isEmpty()) {
      throw new ToolException(HttpBrokerOptions.noneKnown(null));
    }
    HttpAccess as = access.access();
    return new ClusterNodes(
        new HttpJson(LOOK_TIMEOUT, as), new HttpJson(CHANGE_TIMEOUT, as), addresses);
  }

  @Command(
      name = "status",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = {
        "Shows nodes and groups: who leads, who is behind by how many entries, what is wrong.",
        "",
        "With the exit code 0 every group has a leader that serves, and all three nodes are level."
      })
  int status(
      @Option(
              names = "--json",
              description =
                  "Print what the nodes say to GET /cluster as one JSON array; for one that does"
                      + " not answer its name and the error.")
          boolean json)
      throws IOException {
    ClusterNodes nodes = nodes();
    Standing standing = new Standing(nodes.all());
    // What is published meanwhile is no reason to call a node behind.
    Map<Integer, Long> upTo = standing.committed();
    List<String> faults = faults(standing, upTo);
    for (int i = 1; i < LOOKS && standing.faults().isEmpty() && !faults.isEmpty(); i++) {
      if (context.stop().await(LOOK_AGAIN_MS)) {
        break;
      }
      standing = new Standing(nodes.all());
      faults = faults(standing, upTo);
    }
    if (json) {
      context.out().println(json(standing));
    } else {
      StatusTables.print(context.out(), standing);
    }
    if (!faults.isEmpty()) {
      throw new ToolException(String.join("; ", faults));
    }
    return ExitCode.OK;
  }

  private static List<String> faults(Standing standing, Map<Integer, Long> upTo) {
    List<String> faults = new ArrayList<>(standing.faults());
    faults.addAll(standing.behind(upTo));
    return faults;
  }

  private static ArrayNode json(Standing standing) {
    ArrayNode all = JSON.createArrayNode();
    for (NodeView view : standing.views()) {
      if (view.isThere()) {
        all.add(view.cluster());
      } else {
        all.addObject().put("node", view.node()).put("error", view.error());
      }
    }
    return all;
  }

  @Command(
      name = "replace",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = {
        "Gives NODE's place to an empty one: its disk is lost, it was damaged, or its address"
            + " changes.",
        "",
        "Takes NODE out of each group, waits until it appears (empty, or with its damaged groups),"
            + " and ends when it is level and votes in all of them. The other two must be up."
      })
  int replace(
      @Parameters(paramLabel = "NODE") String node,
      @Option(
              names = "--address",
              paramLabel = "HOST:PORT",
              description = "Where the other nodes find it from now on (default: as before).")
          String address,
      @Option(
              names = "--timeout",
              paramLabel = "TIME",
              defaultValue = "1h",
              converter = Quantities.Time.class,
              description = "Longest wait (default: ${DEFAULT-VALUE}).")
          Duration timeout)
      throws IOException {
    checkAddress(address);
    return change("replace", node, timeout, "address", address);
  }

  private static void checkAddress(String address) {
    if (address == null) {
      return;
    }
    try {
      if (!BrokerAddress.parse(address, 0).toString().equals(address)) {
        throw new IllegalArgumentException("'" + address + "' is not HOST:PORT");
      }
    } catch (IllegalArgumentException e) {
      throw ToolException.usage("--address: " + e.getMessage());
    }
  }

  @Command(
      name = "drain",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description =
          "Hands over all that NODE leads, and lets it lead nothing until undrain or its restart.")
  int drain(
      @Parameters(paramLabel = "NODE") String node,
      @Option(
              names = "--timeout",
              paramLabel = "TIME",
              defaultValue = "30s",
              converter = Quantities.Time.class,
              description = "Longest wait (default: ${DEFAULT-VALUE}).")
          Duration timeout)
      throws IOException {
    return change("drain", node, timeout);
  }

  @Command(
      name = "undrain",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Lets NODE lead again.")
  int undrain(@Parameters(paramLabel = "NODE") String node) throws IOException {
    return change("undrain", node, Duration.ofSeconds(30));
  }

  private int change(String verb, String node, Duration timeout, Object... arguments)
      throws IOException {
    ClusterNodes nodes = nodes();
    new Change(context, nodes, verb, node, arguments).await(timeout);
    return ExitCode.OK;
  }

  @Command(
      name = "snapshot",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Has each node take a snapshot now, and drop the log behind it.")
  int snapshot(
      @Option(
              names = "--group",
              paramLabel = "GROUP",
              description = "Only of this group (default: all).")
          Integer group)
      throws IOException {
    new Snapshots(context, nodes(), group).take();
    return ExitCode.OK;
  }

  @Command(
      name = "force-alone",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = {
        "Has the one node that is left go on alone, when the others are gone for good.",
        "",
        "What only they had is lost. Says what that can be, and the uuid that it wants to hear to"
            + " do it."
      })
  int forceAlone(
      @Option(
              names = "--uuid",
              paramLabel = "UUID",
              description = "The cluster's, as this command says it without.")
          String uuid)
      throws IOException {
    new ForceAlone(context, nodes()).run(uuid);
    return ExitCode.OK;
  }

  /** Fails when there is no such node. */
  static void checkNode(JsonNode cluster, String node) {
    List<String> names = new ArrayList<>();
    cluster.path("nodes").forEach(each -> names.add(each.path("node").asText()));
    if (!names.contains(node)) {
      throw ToolException.usage("no node " + node + ": " + String.join(", ", names));
    }
  }
}
