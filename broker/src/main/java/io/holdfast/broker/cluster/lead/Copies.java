package io.holdfast.broker.cluster.lead;

import java.util.List;

/**
 * What the other nodes have of messages that this one has lost.
 *
 * @param messages the first one that was asked for, and some of those behind it; empty when no node
 *     has it
 * @param allLost whether all other nodes say that they have lost the first one, too
 */
public record Copies(List<Copy> messages, boolean allLost) {
  /** Nobody has said anything. */
  public static final Copies UNKNOWN = new Copies(List.of(), false);

  /** All have lost it. */
  public static final Copies ALL_LOST = new Copies(List.of(), true);

  /**
   * A message.
   *
   * @param timestampNs publish time, ns since 1970
   * @param deferMs the deferral it was published with, ms; 0 for none
   */
  public record Copy(long timestampNs, long deferMs, byte[] body) {}
}
