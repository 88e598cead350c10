package io.holdfast.broker.cluster.peers;

import io.netty.buffer.ByteBuf;

/**
 * The answer to a request: one call of one of these, from any thread. What comes after the first,
 * or when the other node is gone, is dropped.
 */
public interface Reply {
  /**
   * Answers.
   *
   * @param payload released by the callee, always
   */
  void send(ByteBuf payload);

  /**
   * Says why not; the other node gets a {@link PeerException} of kind {@code REFUSED}.
   *
   * @param reason one line
   */
  void refuse(String reason);
}
