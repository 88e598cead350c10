package io.holdfast.broker.cluster.peers;

import io.netty.buffer.ByteBuf;

/** Does what other nodes ask for in requests of one type. */
@FunctionalInterface
public interface RequestHandler {
  /**
   * Takes a request, in the order in which the other node sent them. On an event loop: must not
   * block, but may answer later, from any thread.
   *
   * @param fromNode who asks
   * @param payload only valid during the call, unless it is retained
   * @param reply to be answered once
   */
  void handle(String fromNode, ByteBuf payload, Reply reply);
}
