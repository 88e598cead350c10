package io.holdfast.broker.http;

import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;

/**
 * How much one connection reads at a time. Little between requests: all of it is decoded, and as
 * pipelined requests that wait for an answer it takes fifty times as much memory. More while it is
 * certain to belong to one body. Owned by the connection's event loop.
 */
final class ReadSize extends DefaultMaxMessagesRecvByteBufAllocator {
  private static final int HEAD_BYTES = 8 * 1024;
  private static final int BODY_BYTES = 64 * 1024;

  private int bytes = HEAD_BYTES;

  /**
   * What is read next.
   *
   * @param missingBytes of a body of known length; 0 when none is being received
   */
  void bodyMissing(long missingBytes) {
    bytes = missingBytes >= BODY_BYTES ? BODY_BYTES : HEAD_BYTES;
  }

  /** Bytes of one read. */
  int bytes() {
    return bytes;
  }

  @SuppressWarnings("deprecation") // the type that Netty asks for
  @Override
  public RecvByteBufAllocator.Handle newHandle() {
    return new MaxMessageHandle() {
      @Override
      public int guess() {
        return bytes;
      }
    };
  }
}
