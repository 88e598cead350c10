package io.holdfast.broker.channel;

import java.util.PriorityQueue;

/** A channel's deferred messages by due time. The channel's lock guards it. */
final class DeferredQueue {
  private final PriorityQueue<Message> byDue =
      new PriorityQueue<>(
          (a, b) -> {
            int order = Long.signum(a.dueNs - b.dueNs);
            return order != 0 ? order : Long.compare(a.ordinal(), b.ordinal());
          });

  void add(Message message) {
    byDue.add(message);
  }

  /** The message that is due first, or null. */
  Message first() {
    return byDue.peek();
  }

  /** Takes the first message out when it is due, else null. */
  Message pollDue(long nowNs) {
    Message first = byDue.peek();
    return first != null && first.dueNs - nowNs <= 0 ? byDue.poll() : null;
  }

  int size() {
    return byDue.size();
  }

  Iterable<Message> messages() {
    return byDue;
  }

  void clear() {
    byDue.clear();
  }
}
