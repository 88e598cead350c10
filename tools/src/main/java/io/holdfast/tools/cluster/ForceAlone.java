package io.holdfast.tools.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.cli.Version;
import io.holdfast.tools.client.HttpJson;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Makes the one node that is left go on alone, or says what that would cost. Of one thread. */
final class ForceAlone {
  private static final int OK = 200;
  private static final int BEGUN = 202;
  private static final int LOOK_MS = 500;
  private static final int MAX_LOOKS = 60 * 1000 / LOOK_MS;

  private final ToolContext context;
  private final ClusterNodes nodes;

  ForceAlone(ToolContext context, ClusterNodes nodes) {
    this.context = context;
    this.nodes = nodes;
  }

  /**
   * Does it and waits until the node leads all groups.
   *
   * @param uuid the cluster's; null only says what can be lost
   * @throws ToolException when it was not done
   */
  void run(String uuid) throws IOException {
    NodeView survivor = nodes.any();
    JsonNode cluster = survivor.cluster();
    if (!survivor.isMember()) {
      throw new ToolException(survivor.node() + " is " + survivor.state() + ": it has nothing");
    }
    String real = cluster.path("uuid").asText();
    if (uuid == null) {
      explain(survivor, real);
      throw new ToolException("nothing was done: it needs --uuid " + real);
    }
    if (!uuid.equals(real)) {
      throw new ToolException(survivor.node() + " belongs to cluster " + real + ", not to " + uuid);
    }
    HttpJson.Reply reply =
        nodes.post(
            survivor.http(),
            "/cluster/force-alone?uuid=" + URLEncoder.encode(uuid, StandardCharsets.UTF_8));
    if (reply.status() != OK && reply.status() != BEGUN) {
      throw new ToolException(ClusterNodes.reason(reply));
    }
    await(survivor.node());
  }

  private void await(String node) {
    for (int i = 0; ; i++) {
      List<Integer> missing = notLed(nodes.any(), node);
      if (missing.isEmpty()) {
        return;
      }
      if (i == MAX_LOOKS || context.stop().await(LOOK_MS)) {
        throw new ToolException(node + " does not lead yet: groups " + missing);
      }
    }
  }

  private static List<Integer> notLed(NodeView view, String node) {
    List<Integer> missing = new ArrayList<>();
    for (JsonNode group : view.cluster().path("groups")) {
      if (!group.path("leader").asText().equals(node)
          || !group.path("role").asText().equals("leader")) {
        missing.add(group.path("group").asInt());
      }
    }
    return missing;
  }

  private void explain(NodeView survivor, String uuid) {
    PrintStream out = context.out();
    List<String> others = new ArrayList<>();
    for (JsonNode node : survivor.cluster().path("nodes")) {
      String name = node.path("node").asText();
      if (!name.equals(survivor.node())) {
        others.add(name);
        out.println(
            name
                + (node.path("reachable").asBoolean()
                    ? " is reachable: with it there is a majority, and nothing need be lost"
                    : " was last heard of "
                        + node.path("last_contact_ms").asLong() / 1000
                        + " s ago"));
      }
    }
    String names = String.join(" and ", others);
    out.println(survivor.node() + " would go on alone, with what it has:");
    for (JsonNode group : survivor.cluster().path("groups")) {
      out.println(
          "  group "
              + group.path("group").asInt()
              + ": entries to "
              + group.path("last").asLong()
              + ", "
              + group.path("topics").asInt()
              + " topics"
              + (group.path("error").isTextual() ? ", ERROR " + group.path("error").asText() : ""));
    }
    out.println(
        "Can be lost: what " + names + " stored together and " + survivor.node() + " never got:");
    out.println(
        "  messages answered OK (published last, while "
            + survivor.node()
            + " was behind or cut off); topics and channels made, emptied and deleted then;");
    out.println("  and what consumers finished then comes again.");
    out.println("Until nodes are replaced there is one copy only.");
    out.println(
        names
            + " must not come back with their old data: empty their disks, then: cluster replace.");
    out.println("If that is to be: " + Version.NAME + " cluster force-alone --uuid " + uuid);
  }
}
