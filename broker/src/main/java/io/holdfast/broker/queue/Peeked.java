package io.holdfast.broker.queue;

import java.util.List;

/**
 * Messages that were looked at.
 *
 * @param next the id to go on with, {@link #NONE} at the end
 */
public record Peeked(List<PeekedMessage> messages, long next) {
  /** There is no next message. */
  public static final long NONE = -1;
}
