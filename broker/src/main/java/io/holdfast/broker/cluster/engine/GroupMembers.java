package io.holdfast.broker.cluster.engine;

import java.util.List;

/**
 * Who belongs to a group.
 *
 * @param voters decide
 * @param learners get the log and have no vote
 */
public record GroupMembers(List<GroupPeer> voters, List<GroupPeer> learners) {
  /** The voter of a node's name; null for none. */
  public GroupPeer voter(String node) {
    return of(voters, node);
  }

  /** The learner of a node's name; null for none. */
  public GroupPeer learner(String node) {
    return of(learners, node);
  }

  private static GroupPeer of(List<GroupPeer> members, String node) {
    for (GroupPeer member : members) {
      if (member.node().equals(node)) {
        return member;
      }
    }
    return null;
  }
}
