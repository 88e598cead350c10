package io.holdfast.broker.cluster.peers;

/** Decides whether this node has anything to do with another one. */
@FunctionalInterface
public interface HandshakeJudge {
  /**
   * Judges what another node says of itself. On an event loop: must not block.
   *
   * @return null to accept; else why not, as this node's operator is to read it: one line with both
   *     values
   */
  String refusal(Handshake peer);
}
