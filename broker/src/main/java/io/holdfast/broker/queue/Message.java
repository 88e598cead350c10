package io.holdfast.broker.queue;

import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;

/**
 * A message on its way through a channel: the reference, its delivery state, and its body only
 * while it is in the memory queue. The channel's lock guards all fields.
 */
final class Message extends MessageRef {
  /** Publish time, ns since 1970. */
  final long timestampNs;

  /**
   * Holds the body from {@link #bodyStart}; often shared by a batch. Null: it is in the journal.
   */
  byte[] bytes;

  int bodyStart;

  /** When it was published to this process, {@link System#nanoTime}; 0 when that is not known. */
  long bornNs;

  // Only while in flight: its consumer, its place in the consumer's list, and its times (nanoTime).
  Consumer client;
  Message previous;
  Message next;
  long deliveryNs;
  long deadlineNs;

  Message(
      long ordinal,
      long batchPosition,
      int bodyOffset,
      int bodyLength,
      int attempts,
      long timestampNs) {
    super(ordinal, batchPosition, bodyOffset, bodyLength, attempts);
    this.timestampNs = timestampNs;
  }

  /**
   * A message that was kept by reference.
   *
   * @param relocated see {@link MessageRef#isRelocated}
   */
  Message(
      long ordinal,
      long batchPosition,
      int bodyOffset,
      int bodyLength,
      int attempts,
      long timestampNs,
      boolean relocated) {
    super(ordinal, batchPosition, bodyOffset, bodyLength, attempts, relocated);
    this.timestampNs = timestampNs;
  }

  /** A message that the backend gives out. */
  static Message of(MessageView view) {
    return new Message(
        view.ordinal(),
        view.batchPosition(),
        view.bodyOffset(),
        view.bodyLength(),
        view.attempts(),
        view.timestampNs());
  }

  /**
   * A message that was published just now.
   *
   * @param i its place in the batch, from 0
   * @param offset of its body in the batch's section
   * @param bornNs now, {@link System#nanoTime}
   */
  static Message of(Batch batch, int i, int offset, int length, long bornNs) {
    Message message =
        new Message(
            batch.firstOrdinal() + i,
            batch.position(),
            batch.sectionOffset() + offset,
            length,
            0,
            batch.timestampNs());
    message.bodyStart = offset;
    message.bornNs = bornNs;
    return message;
  }

  private Message(MessageRef ref) {
    super(ref);
    this.timestampNs = 0;
  }

  /** A message that the ledger remembers; its publish time comes with its body. */
  static Message of(MessageRef ref) {
    return new Message(ref);
  }

  /** A reference of its own, which stays as it is. */
  MessageRef copy() {
    return new Message(this);
  }

  /** Looks at a message of a channel. */
  interface Visitor {
    /**
     * @param delayMs how long it still waits; 0 for a message that is not deferred
     */
    void visit(Message message, long delayMs);
  }
}
