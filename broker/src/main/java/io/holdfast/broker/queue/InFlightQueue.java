package io.holdfast.broker.queue;

/**
 * The messages in flight to one consumer by deadline: a doubly linked list through the messages.
 * All deliveries of a consumer have the same timeout, so that a new one goes to the end; only after
 * a TOUCH near the maximum or a change of policy has one to look for its place. The channel's lock
 * guards it.
 */
public final class InFlightQueue {
  private Message head;
  private Message tail;
  private volatile int size;

  /** Adds a message whose deadline is set. */
  void add(Message message) {
    Message after = tail;
    while (after != null && after.deadlineNs - message.deadlineNs > 0) {
      after = after.previous;
    }
    message.previous = after;
    message.next = after == null ? head : after.next;
    if (after == null) {
      head = message;
    } else {
      after.next = message;
    }
    if (message.next == null) {
      tail = message;
    } else {
      message.next.previous = message;
    }
    setSize(size + 1);
  }

  void remove(Message message) {
    if (message.previous == null) {
      head = message.next;
    } else {
      message.previous.next = message.next;
    }
    if (message.next == null) {
      tail = message.previous;
    } else {
      message.next.previous = message.previous;
    }
    message.previous = null;
    message.next = null;
    setSize(size - 1);
  }

  /** The message whose deadline comes first, or null. */
  Message first() {
    return head;
  }

  void clear() {
    head = null;
    tail = null;
    setSize(0);
  }

  /** Messages in flight. Any thread. */
  public int size() {
    return size;
  }

  /** All writers hold the channel's lock; volatile is for the readers' sake only. */
  private void setSize(int to) {
    size = to;
  }
}
