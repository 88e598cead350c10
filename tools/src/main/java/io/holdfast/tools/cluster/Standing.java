package io.holdfast.tools.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** How a cluster stands by what its nodes say: who leads, who is behind, what is wrong. */
final class Standing {
  private final List<NodeView> views;
  private final Map<Integer, JsonNode> leaders = new TreeMap<>();
  private final Map<Integer, String> leaderNames = new TreeMap<>();

  /**
   * @param views of all nodes
   */
  Standing(List<NodeView> views) {
    this.views = List.copyOf(views);
    TreeSet<Integer> groups = new TreeSet<>();
    for (NodeView view : views) {
      if (view.isThere()) {
        view.cluster().path("groups").forEach(group -> groups.add(group.path("group").asInt()));
      }
    }
    groups.forEach(this::lead);
  }

  /** By the newest term: a leader that was cut off may not know yet that there is another one. */
  private void lead(int group) {
    long term = -1;
    leaderNames.put(group, null);
    for (NodeView view : views) {
      JsonNode said = view.group(group);
      JsonNode leader = said.path("leader");
      boolean isLeader = said.path("role").asText().equals("leader") && leader.isTextual();
      long saidTerm = said.path("term").asLong(-1);
      if (leader.isTextual() && (saidTerm > term || (saidTerm == term && isLeader))) {
        term = saidTerm;
        leaderNames.put(group, leader.asText());
        leaders.remove(group);
        if (isLeader) {
          leaders.put(group, said);
        }
      }
    }
  }

  List<NodeView> views() {
    return views;
  }

  /** Numbers of the groups; none while no node is a member. */
  List<Integer> groups() {
    return List.copyOf(leaderNames.keySet());
  }

  /** Who leads a group; null when nobody does. */
  String leader(int group) {
    return leaderNames.get(group);
  }

  /** What a group's leader says of it; null when there is none, or it did not answer. */
  JsonNode atLeader(int group) {
    return leaders.get(group);
  }

  /** What a group's leader says of another member; null when nothing. */
  JsonNode peer(int group, String node) {
    JsonNode leader = leaders.get(group);
    if (leader != null) {
      for (JsonNode peer : leader.path("peers")) {
        if (peer.path("node").asText().equals(node)) {
          return peer;
        }
      }
    }
    return null;
  }

  /** How far each group is committed, as far as is known: who has applied that is level. */
  Map<Integer, Long> committed() {
    Map<Integer, Long> committed = new TreeMap<>();
    for (int group : groups()) {
      long most = 0;
      for (NodeView view : views) {
        most = Math.max(most, view.group(group).path("committed").asLong());
      }
      committed.put(group, most);
    }
    return committed;
  }

  /** What is wrong, but for who is behind. */
  List<String> faults() {
    List<String> faults = new ArrayList<>();
    String uuid = null;
    for (NodeView view : views) {
      if (!view.isThere()) {
        faults.add(view.node() + ": " + view.error());
      } else if (!view.isMember()) {
        faults.add(view.node() + " is " + view.state());
      } else if (uuid == null) {
        uuid = view.cluster().path("uuid").asText();
      } else if (!uuid.equals(view.cluster().path("uuid").asText())) {
        faults.add(view.node() + " belongs to cluster " + view.cluster().path("uuid").asText());
      }
    }
    for (int group : groups()) {
      if (leader(group) == null) {
        faults.add("no leader for group " + group);
      } else if (atLeader(group) != null && !atLeader(group).path("serving").asBoolean()) {
        faults.add("group " + group + ": " + leader(group) + " does not serve yet");
      }
      for (NodeView view : views) {
        String fault = fault(view, group);
        if (fault != null) {
          faults.add("group " + group + " of " + view.node() + ": " + fault);
        }
      }
    }
    for (int group : groups()) {
      addDifferences(group, faults);
    }
    return faults;
  }

  /** Nodes that have applied the same hold the same: anything else is a fault of the broker's. */
  private void addDifferences(int group, List<String> faults) {
    Map<Long, NodeView> first = new TreeMap<>();
    for (NodeView view : views) {
      JsonNode said = view.group(group);
      if (said.path("state_crc").isTextual() && said.path("applied").isNumber()) {
        NodeView other = first.putIfAbsent(said.path("applied").asLong(), view);
        boolean isSame =
            other == null || other.group(group).path("state_crc").equals(said.path("state_crc"));
        if (!isSame) {
          faults.add(
              "group "
                  + group
                  + ": "
                  + other.node()
                  + " and "
                  + view.node()
                  + " hold different things at "
                  + said.path("applied").asLong());
        }
      }
    }
  }

  private String fault(NodeView view, int group) {
    if (!view.isMember()) {
      return null;
    }
    JsonNode said = view.group(group);
    if (said.path("error").isTextual()) {
      return said.path("error").asText();
    }
    JsonNode peer = peer(group, view.node());
    boolean isOut = atLeader(group) != null && !view.node().equals(leader(group)) && peer == null;
    if (isOut) {
      return "no member of it";
    }
    boolean isLearner =
        peer == null
            ? said.path("role").asText().equals("learner")
            : !peer.path("voter").asBoolean();
    return isLearner ? "no voter yet" : null;
  }

  /**
   * Who is behind.
   *
   * @param upTo indexes by group that must be applied, as {@link #committed} of an earlier look
   */
  List<String> behind(Map<Integer, Long> upTo) {
    List<String> behind = new ArrayList<>();
    upTo.forEach(
        (group, index) -> {
          for (NodeView view : views) {
            JsonNode said = view.group(group);
            long missing = index - said.path("applied").asLong();
            if (view.isMember() && missing > 0 && !said.path("error").isTextual()) {
              behind.add("group " + group + " of " + view.node() + " is behind by " + missing);
            }
          }
        });
    return behind;
  }

  /** Where a node is with each group, in one line. */
  String progress(String node) {
    List<String> parts = new ArrayList<>();
    for (NodeView view : views) {
      if (view.node().equals(node)) {
        parts.add(view.isThere() ? node + " is " + view.state() : node + " does not answer");
      }
    }
    for (int group : groups()) {
      parts.add("group " + group + ": " + place(group, node));
    }
    return String.join(", ", parts);
  }

  private String place(int group, String node) {
    if (leader(group) == null) {
      return "no leader";
    }
    if (node.equals(leader(group))) {
      return "leads";
    }
    JsonNode peer = peer(group, node);
    if (peer == null) {
      return atLeader(group) == null ? "not known" : "not in it";
    }
    long lag = peer.path("lag").asLong();
    return (peer.path("voter").asBoolean() ? "voter" : "learner")
        + (lag == 0 ? ", level" : lag < 0 ? ", not heard of yet" : ", " + lag + " behind");
  }
}
