package io.holdfast.tools.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.TextTable;
import io.holdfast.tools.cli.Visible;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/** A cluster's nodes and groups as tables. Stateless. */
final class StatusTables {
  private StatusTables() {}

  static void print(PrintStream out, Standing standing) {
    for (NodeView view : standing.views()) {
      if (view.isThere()) {
        JsonNode cluster = view.cluster();
        String uuid = cluster.path("uuid").isTextual() ? cluster.path("uuid").asText() : "none yet";
        out.println(
            "cluster "
                + Visible.text(uuid)
                + ", cluster_id "
                + cluster.path("cluster_id").asText()
                + ", seen from "
                + view.node());
        break;
      }
    }
    TextTable.print(out, nodes(standing));
    if (!standing.groups().isEmpty()) {
      out.println();
      TextTable.print(out, groups(standing));
    }
  }

  private static List<String[]> nodes(Standing standing) {
    List<String[]> cells = new ArrayList<>();
    cells.add(
        new String[] {
          "NODE", "STATE", "INCARNATION", "VERSION", "DISK FREE", "CLOCK", "HTTP", "ADDRESS"
        });
    for (NodeView view : standing.views()) {
      String state =
          !view.isThere()
              ? "no answer"
              : view.cluster().path("draining").asBoolean() ? "draining" : view.state();
      JsonNode said = said(standing, view.node());
      long offset = said.path("clock_offset_ms").asLong();
      cells.add(
          new String[] {
            Visible.text(view.node()),
            Visible.text(state),
            said.path("incarnation").asText("-"),
            Visible.text(text(said.path("version"))),
            said.path("disk_free_bytes").isNumber()
                ? Quantities.bytes(said.path("disk_free_bytes").asLong())
                : "-",
            said.path("clock_offset_ms").isNumber()
                ? (offset > 0 ? "+" : "") + offset + " ms"
                : "-",
            view.http() == null ? "-" : view.http().toString(),
            Visible.text(text(said.path("address")))
          });
    }
    return cells;
  }

  /** What the first node that answers says of a node. */
  private static JsonNode said(Standing standing, String node) {
    for (NodeView view : standing.views()) {
      if (view.isThere()) {
        return view.node(node);
      }
    }
    throw new IllegalStateException("no node answered");
  }

  private static String text(JsonNode value) {
    return value.isTextual() ? value.asText() : "-";
  }

  private static List<String[]> groups(Standing standing) {
    List<String> head = new ArrayList<>(List.of("GROUP", "LEADER", "TERM", "LAST", "SNAPSHOT"));
    head.addAll(List.of("LOG", "TOPICS"));
    standing.views().forEach(view -> head.add(Visible.text(view.node())));
    List<String[]> cells = new ArrayList<>();
    cells.add(head.toArray(String[]::new));
    for (int group : standing.groups()) {
      JsonNode said = said(standing, group);
      List<String> row = new ArrayList<>();
      row.add(Integer.toString(group));
      row.add(standing.leader(group) == null ? "none" : Visible.text(standing.leader(group)));
      row.add(said.path("term").asText());
      row.add(said.path("last").asText());
      row.add(said.path("snapshot").asText());
      row.add(Quantities.bytes(said.path("log_bytes").asLong()));
      row.add(said.path("topics").asText());
      standing.views().forEach(view -> row.add(place(standing, group, view)));
      cells.add(row.toArray(String[]::new));
    }
    return cells;
  }

  /** What the leader says of a group, else whoever has most of it. */
  private static JsonNode said(Standing standing, int group) {
    JsonNode best = standing.atLeader(group);
    if (best != null) {
      return best;
    }
    for (NodeView view : standing.views()) {
      JsonNode said = view.group(group);
      if (best == null || said.path("last").asLong(-1) > best.path("last").asLong(-1)) {
        best = said;
      }
    }
    return best;
  }

  /** Role of a node in a group, and by how many entries it is behind. */
  private static String place(Standing standing, int group, NodeView view) {
    JsonNode peer = standing.peer(group, view.node());
    long lag = peer == null ? 0 : peer.path("lag").asLong();
    String behind = lag > 0 ? " -" + lag : "";
    if (view.isThere()) {
      String role = view.group(group).path("role").asText();
      return role.isEmpty() ? "-" : Visible.text(role) + behind;
    }
    return "?" + behind;
  }
}
