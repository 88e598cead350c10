package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.NodeOrders.GroupSaid;
import io.holdfast.broker.cluster.NodeOrders.Said;
import io.holdfast.broker.cluster.engine.GroupMembers;
import io.holdfast.broker.cluster.engine.GroupPeer;
import io.holdfast.broker.net.HostPort;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;

/**
 * How far the replacement of a node is, out of what all nodes say, and which incarnation it is to
 * have. A value of one moment.
 */
final class Replacement {
  /** So many entries a member may lack that counts as level. */
  static final long LEVEL = 100;

  private final String node;

  /** What the node says of itself; null when it cannot be reached. */
  private final Said own;

  /** By number, as its leader says; a group without leader is not there. */
  private final Map<Integer, GroupSaid> groups = new TreeMap<>();

  private final Map<Integer, String> leaders = new TreeMap<>();
  private int newest;

  /**
   * @param said of all that can be reached, by name
   * @param known the newest incarnation of the node that is known here
   */
  Replacement(String node, Map<String, Said> said, int known) {
    this.node = node;
    own = said.get(node);
    newest = known;
    said.forEach(this::note);
    for (GroupSaid group : groups.values()) {
      GroupPeer member = member(group);
      newest = Math.max(newest, member == null ? 0 : member.incarnation());
    }
  }

  private void note(String name, Said said) {
    newest = Math.max(newest, said.known().getOrDefault(node, 0));
    for (GroupSaid group : said.groups()) {
      if (group.leads()) {
        groups.put(group.group(), group);
        leaders.put(group.group(), name);
      }
    }
  }

  /** Who leads a group; null when nobody says so. */
  String leader(int group) {
    return leaders.get(group);
  }

  /** Whether members of any group are being changed: what is said of them is in between. */
  boolean isChanging() {
    return groups.values().stream().anyMatch(GroupSaid::changing);
  }

  /** Whether the node leads any group. */
  boolean isLeading() {
    return leaders.containsValue(node);
  }

  private static GroupMembers members(GroupSaid group) {
    return new GroupMembers(group.voters(), group.learners());
  }

  private GroupPeer voter(GroupSaid group) {
    return members(group).voter(node);
  }

  private GroupPeer member(GroupSaid group) {
    GroupPeer voter = voter(group);
    return voter == null ? members(group).learner(node) : voter;
  }

  /** Where the groups have it now; null for nowhere. */
  HostPort address() {
    for (GroupSaid group : groups.values()) {
      GroupPeer member = member(group);
      if (member != null && member.incarnation() == newest) {
        return new HostPort(member.host(), member.port());
      }
    }
    return null;
  }

  /** What the node says of itself; null when it cannot be reached. */
  Said own() {
    return own;
  }

  /**
   * The incarnation that the node is to have: one more than it has when it lost what it had as that
   * one, or has to go; else the one that it has, or that it is getting.
   *
   * @param at where it is to be
   * @param begun the incarnation that it is getting by an earlier command; null for none
   */
  int target(HostPort at, Integer begun) {
    Collection<GroupSaid> all = groups.values();
    boolean isNowhere = all.stream().allMatch(group -> member(group) == null);
    boolean isVoter = all.stream().anyMatch(this::isNewestVoter);
    boolean isVoterElsewhere =
        all.stream().anyMatch(group -> isNewestVoter(group) && !isAt(voter(group), at));
    if (isVoterElsewhere) {
      return newest + 1;
    }
    if (own == null) {
      boolean isVoterEverywhere = all.stream().allMatch(this::isNewestVoter);
      boolean isBegun = begun != null && begun == newest;
      return !isBegun && (isNowhere || isVoterEverywhere) ? newest + 1 : newest;
    }
    if (own.uuid() == null) {
      return isVoter || isNowhere ? newest + 1 : newest;
    }
    if (own.incarnation() < newest) {
      return newest;
    }
    boolean hasLost =
        own.groups().stream()
            .filter(group -> group.error() != null)
            .map(group -> groups.get(group.group()))
            .anyMatch(group -> group != null && isNewestVoter(group));
    return hasLost ? newest + 1 : newest;
  }

  private boolean isNewestVoter(GroupSaid group) {
    GroupPeer voter = voter(group);
    return voter != null && voter.incarnation() == newest;
  }

  private static boolean isAt(GroupPeer member, HostPort at) {
    return member.host().equals(at.host()) && member.port() == at.port();
  }

  /** Whether a group has the node as it is to be, with or without a vote. */
  boolean isIn(int group, GroupPeer wanted) {
    GroupSaid said = groups.get(group);
    return said != null && wanted.equals(member(said));
  }

  /** Whether the node votes in all groups, as it is to be, and has everything. */
  boolean isDone(int groupCount, GroupPeer wanted) {
    if (groups.size() < groupCount || own == null || own.incarnation() != wanted.incarnation()) {
      return false;
    }
    for (GroupSaid group : groups.values()) {
      long lag = group.lags().getOrDefault(node, -1L);
      boolean isLevel = leader(group.group()).equals(node) || (lag >= 0 && lag <= LEVEL);
      if (!wanted.equals(voter(group)) || !isLevel) {
        return false;
      }
    }
    return own.isMember() && own.groups().stream().allMatch(group -> group.error() == null);
  }

  /** Whether the node has to be told that it is another incarnation now. */
  boolean mustBeTold(GroupPeer wanted) {
    return own != null && (own.uuid() == null || own.incarnation() < wanted.incarnation());
  }
}
