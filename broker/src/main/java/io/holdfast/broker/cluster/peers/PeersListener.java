package io.holdfast.broker.cluster.peers;

/** Told what becomes of other nodes. On event loops: must not block. */
public interface PeersListener {
  /** A node can be asked from now on, or no more. */
  default void reachable(String node, boolean isReachable) {}

  /**
   * A handshake was turned down, by either side; told each time, while the log has a line a minute.
   *
   * @param peer what the other one said of itself
   * @param reason as this node's operator is to read it
   */
  default void refused(Handshake peer, String reason) {}
}
