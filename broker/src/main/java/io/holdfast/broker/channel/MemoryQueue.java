package io.holdfast.broker.channel;

import java.util.ArrayDeque;

/**
 * A channel's memory queue, nsqd's {@code memoryMsgChan}: new messages with their bodies, bounded
 * in number and bytes, and behind them the requeued ones, which are references (their number is
 * bounded by what was in flight or deferred, see {@link Channel}). The channel's lock guards it.
 */
final class MemoryQueue {
  private final int maxMessages;
  private final long maxBytes;
  private final ArrayDeque<Message> messages = new ArrayDeque<>();
  private long bytes;
  private int requeued;
  private long taken;

  /**
   * @param maxMessages new messages at most ({@code mem-queue-size})
   * @param maxBytes bytes of their bodies at most ({@code mem-queue-bytes})
   */
  MemoryQueue(int maxMessages, long maxBytes) {
    this.maxMessages = maxMessages;
    this.maxBytes = maxBytes;
  }

  /** How many more messages there is room for. */
  int room() {
    return bytes >= maxBytes ? 0 : Math.max(0, maxMessages - messages.size());
  }

  /** Whether a message of this size can be put now. */
  boolean hasRoom(int bodyBytes) {
    return messages.size() < maxMessages && bytes + bodyBytes <= maxBytes;
  }

  /** Adds a new message; {@link #hasRoom} was asked before. */
  void put(Message message) {
    messages.add(message);
    bytes += held(message);
  }

  /** Adds a message that has been delivered or deferred before; never refused. */
  void requeue(Message message) {
    message.requeued = true;
    messages.add(message);
    bytes += held(message);
    requeued++;
  }

  /** Whether the next message is one that came back. */
  boolean isRequeuedNext() {
    Message head = messages.peek();
    return head != null && head.requeued;
  }

  /** Whether there is any message that did not come back. */
  boolean hasNew() {
    return messages.size() > requeued;
  }

  /** The next message, which stays, or null. */
  Message peek() {
    return messages.peek();
  }

  /** The next message, or null. */
  Message poll() {
    Message message = messages.poll();
    if (message != null) {
      taken++;
      bytes -= held(message);
      if (message.requeued) {
        message.requeued = false;
        requeued--;
      }
    }
    return message;
  }

  private static int held(Message message) {
    return message.bytes == null ? 0 : message.bodyLength();
  }

  /** Messages polled so far. */
  long taken() {
    return taken;
  }

  int size() {
    return messages.size();
  }

  /** Messages that came back. */
  int requeued() {
    return requeued;
  }

  Iterable<Message> messages() {
    return messages;
  }

  void clear() {
    messages.clear();
    bytes = 0;
    requeued = 0;
  }
}
