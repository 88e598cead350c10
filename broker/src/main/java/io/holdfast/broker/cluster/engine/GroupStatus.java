package io.holdfast.broker.cluster.engine;

import java.util.List;

/**
 * How a group stands, as seen from this node.
 *
 * @param role what this node is in it
 * @param term the newest it knows of, 0 for none
 * @param leader name of who leads, null when none is known
 * @param first lowest index in the log
 * @param last highest index in the log, one below {@code first} when it is empty
 * @param committed up to here it is known to be committed
 * @param applied up to here it is applied
 * @param snapshot up to here the last finished snapshot has everything, 0 without one
 * @param logBytes of the log's files
 * @param error why the group stopped on this node, null when it did not
 * @param peers all others; with lag and contact where this node leads
 */
public record GroupStatus(
    Role role,
    long term,
    String leader,
    long first,
    long last,
    long committed,
    long applied,
    long snapshot,
    long logBytes,
    String error,
    List<Peer> peers) {

  /** What a node is in a group. */
  public enum Role {
    /** Decides, and applies. */
    LEADER,
    /** Follows, or stands for election. */
    FOLLOWER,
    /** Follows without a vote. */
    LEARNER,
    /** Not started, or stopped when asked to. */
    STOPPED,
    /** Stopped by an error. */
    FAILED
  }

  /**
   * Another member.
   *
   * @param node its name
   * @param incarnation which of its disks
   * @param voter false for a learner
   * @param lag entries it does not have yet, negative when that is not known here
   * @param lastContactMs since it was heard of, milliseconds; negative when that is not known here
   */
  public record Peer(String node, int incarnation, boolean voter, long lag, long lastContactMs) {}
}
