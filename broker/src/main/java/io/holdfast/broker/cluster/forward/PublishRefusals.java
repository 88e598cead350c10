package io.holdfast.broker.cluster.forward;

import java.nio.ByteBuffer;

/** Why a leader refuses a publish that not all members could store. Any thread; never blocks. */
@FunctionalInterface
public interface PublishRefusals {
  /**
   * What the client is told, in one line.
   *
   * @param section count x (i32 length, body), from position to limit
   * @return null when it may be published
   */
  String refusal(ByteBuffer section, int count);
}
