package io.holdfast.broker.cluster;

import java.util.List;
import java.util.Map;

/**
 * What a node tells the others each second.
 *
 * @param tcpAddress where its clients connect
 * @param httpAddress likewise; null for nowhere
 * @param version of the broker
 * @param diskFreeBytes that its disk has left
 * @param diskFreeLimitBytes with less than so many left its disk is nearly full
 * @param maxMsgSize the longest message that it takes, in bytes
 * @param maxBodySize the longest body of a command, in bytes
 * @param draining whether it is to lead nothing
 * @param wallClockMs ms since 1970, when it said so
 * @param agreed what all nodes should have alike; null when it does not say
 */
public record NodeStatus(
    String tcpAddress,
    String httpAddress,
    String version,
    long diskFreeBytes,
    long diskFreeLimitBytes,
    long maxMsgSize,
    long maxBodySize,
    boolean draining,
    long wallClockMs,
    Agreed agreed) {

  /**
   * What nodes compare.
   *
   * @param generation of the cluster, raised by {@code force-alone}: what is of another one is not
   *     the same log
   * @param order the nodes, as in its options
   * @param states by group: checksums of what was applied, by index
   */
  public record Agreed(
      long generation, List<String> order, Map<Integer, Map<Long, Integer>> states) {
    /** What was not said is nothing. */
    public Agreed {
      states = states == null ? Map.of() : states;
    }
  }

  /** The same, with what is to be compared. */
  NodeStatus with(Agreed compared) {
    return new NodeStatus(
        tcpAddress,
        httpAddress,
        version,
        diskFreeBytes,
        diskFreeLimitBytes,
        maxMsgSize,
        maxBodySize,
        draining,
        wallClockMs,
        compared);
  }
}
