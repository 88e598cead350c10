package io.holdfast.broker.queue;

import java.nio.ByteBuffer;

/**
 * Where the messages go that a consumer polls. Called under the channel's lock, so it gathers and
 * does not write to a socket. For the consumer's own thread.
 */
public interface DeliverySink {
  /** Bytes gathered so far. */
  int size();

  /**
   * Takes a message.
   *
   * @param timestampNs when it was published, ns since 1970
   * @param attempts this delivery included
   * @param body copied before this returns
   * @param start where it begins in the array
   * @param length bytes
   */
  void message(long timestampNs, int attempts, long id, byte[] body, int start, int length);

  /**
   * Takes a message.
   *
   * @param timestampNs when it was published, ns since 1970
   * @param attempts this delivery included
   * @param body from position to limit; copied before this returns
   */
  void message(long timestampNs, int attempts, long id, ByteBuffer body);
}
