package io.holdfast.tools.cluster;

import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.client.HttpJson;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Snapshots on demand, of all nodes that can be reached. Of one thread. */
final class Snapshots {
  private static final int OK = 200;
  private static final int BEGUN = 202;
  private static final int LOOK_MS = 200;

  /** A node forces all topics that were written to; beyond that nobody should wait unasked. */
  private static final int MAX_LOOKS = 10 * 60 * 1000 / LOOK_MS;

  private final ToolContext context;
  private final ClusterNodes nodes;
  private final Integer group;

  /**
   * @param group null for all
   */
  Snapshots(ToolContext context, ClusterNodes nodes, Integer group) {
    this.context = context;
    this.nodes = nodes;
    this.group = group;
  }

  /**
   * Takes them.
   *
   * @throws ToolException when one was refused or failed, or nobody is a member
   */
  void take() throws IOException {
    List<String> failures = new ArrayList<>();
    Map<String, Map<Integer, Long>> begun = new TreeMap<>();
    List<NodeView> views = nodes.all();
    checkGroup(views);
    boolean isTaken = false;
    for (NodeView view : views) {
      if (!view.isMember()) {
        String why = view.isThere() ? "is " + view.state() : "is not asked: " + view.error();
        context.err().println("snapshot: " + view.node() + " " + why);
        continue;
      }
      HttpJson.Reply reply =
          nodes.post(view.http(), "/cluster/snapshot" + (group == null ? "" : "?group=" + group));
      if (reply.status() == BEGUN) {
        begun.put(view.node(), applied(view));
      } else if (reply.status() != OK) {
        failures.add(view.node() + ": " + ClusterNodes.reason(reply));
      }
      isTaken = true;
    }
    if (!isTaken) {
      throw new ToolException("no node is a member of the cluster");
    }
    await(begun);
    if (!failures.isEmpty()) {
      throw new ToolException(String.join("; ", failures));
    }
  }

  private void checkGroup(List<NodeView> views) {
    List<Integer> groups = new Standing(views).groups();
    if (group != null && !groups.isEmpty() && !groups.contains(group)) {
      throw ToolException.usage("no group " + group + ": 0 to " + groups.get(groups.size() - 1));
    }
  }

  /** What a snapshot that is begun after this was seen has in it. */
  private Map<Integer, Long> applied(NodeView view) {
    Map<Integer, Long> applied = new TreeMap<>();
    for (int each : new Standing(List.of(view)).groups()) {
      boolean isAsked = group == null || each == group;
      if (isAsked && !view.group(each).path("error").isTextual()) {
        applied.put(each, view.group(each).path("applied").asLong());
      }
    }
    return applied;
  }

  private void await(Map<String, Map<Integer, Long>> begun) {
    for (int i = 0; !begun.isEmpty(); i++) {
      if (i == MAX_LOOKS || context.stop().await(LOOK_MS)) {
        throw new ToolException("not done yet on " + String.join(", ", begun.keySet()));
      }
      for (NodeView view : nodes.all()) {
        Map<Integer, Long> upTo = begun.get(view.node());
        if (upTo != null && isDone(view, upTo)) {
          begun.remove(view.node());
        }
      }
    }
  }

  private static boolean isDone(NodeView view, Map<Integer, Long> upTo) {
    return upTo.entrySet().stream()
        .allMatch(each -> view.group(each.getKey()).path("snapshot").asLong() >= each.getValue());
  }
}
