package io.holdfast.broker.cluster.relay;

import io.netty.buffer.ByteBuf;
import java.util.concurrent.CompletableFuture;

/** The way to the other nodes. Thread-safe. */
@FunctionalInterface
interface RelayLink {
  /**
   * Sends something; what is sent to one node arrives in the order of the calls, or not.
   *
   * @param type {@link Relays#TO_LEADER} or {@link Relays#FROM_LEADER}
   * @param payload released by the callee, always
   * @return done when it is out of this process
   */
  CompletableFuture<Void> send(String node, int type, ByteBuf payload);
}
